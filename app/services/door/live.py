"""Live numbers of the door: who came in, where, and how fast."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import CheckIn, Device, ETicket, Gate, ScanReason, ScanResult
from app.services.door.devices import detach
from app.services.running.minutes import minute_of, read_minute
from app.services.running.transaction import reading

SLOT = timedelta(minutes=5)
SLOTS = 24  # what the picture shows: two hours
NO_GATE = ""


@dataclass(frozen=True)
class GateNumbers:
    """First entries at one gate: all of them, and those of each slot. Its name may be empty."""

    name: str
    entered: int
    per_slot: tuple[int, ...]

    @property
    def earlier(self) -> int:
        """Return the entries from before the first slot."""
        return self.entered - sum(self.per_slot)


@dataclass(frozen=True)
class LiveNumbers:
    """People by where they are, and entries by gate and slot; `starts` begin the slots.

    `expected` counts every ticket that may enter, those inside included.
    """

    entered: int
    inside: int
    expected: int
    starts: tuple[datetime, ...]
    gates: tuple[GateNumbers, ...]
    refusals: tuple[tuple[ScanReason, int], ...]
    devices: Sequence[Device]

    @property
    def per_slot(self) -> tuple[int, ...]:
        """Return the entries of each slot at all gates together."""
        return tuple(map(sum, zip(*(gate.per_slot for gate in self.gates), strict=True)))

    @property
    def busiest(self) -> int:
        """Return the most entries at any one gate in a slot: the height of the pictures."""
        return max((count for gate in self.gates for count in gate.per_slot), default=0)


def look_at_door(now: datetime) -> LiveNumbers:
    """Count what is known now, in five statements.

    The slots end with the one at `now`, or with the last entry once that is longer ago than they
    reach: after the event the picture still shows it.
    """
    with reading() as session:
        entries = _count_entries(session)
        expected, inside = _count_seats(session)
        names = session.scalars(sa.select(Gate.name).where(Gate.retired_at.is_(None))).all()
        refusals = _count_refusals(session)
        devices = session.scalars(sa.select(Device).where(Device.cut_off_at.is_(None))).all()
        detach(session, devices)
    starts = _starts(max((slot for _, slot in entries), default=_slot_of(now)), now)
    gates = sorted({*names, *(gate for gate, _ in entries)})
    return LiveNumbers(
        entered=sum(entries.values()),
        inside=inside,
        expected=expected,
        starts=starts,
        gates=tuple(_numbers_of(gate, entries, starts) for gate in gates),
        refusals=refusals,
        devices=devices,
    )


def _count_entries(session: Session) -> Counter[tuple[str, datetime]]:
    """Return the first entries by gate and slot."""
    minute = minute_of(ETicket.admitted_at)
    wanted = (
        sa.select(ETicket.admitted_gate, sa.func.count(), *minute)
        .where(ETicket.admitted_at.is_not(None))
        .group_by(ETicket.admitted_gate, *minute)
    )
    entries: Counter[tuple[str, datetime]] = Counter()
    for gate, count, *parts in session.execute(wanted):
        entries[gate or NO_GATE, _slot_of(read_minute(parts))] += count
    return entries


def _count_seats(session: Session) -> tuple[int, int]:
    """Return how many seats may enter, and how many of their owners are inside."""
    valid = sa.func.coalesce(sa.func.sum(sa.case((ETicket.revoked_at.is_(None), 1), else_=0)), 0)
    inside = sa.func.coalesce(sa.func.sum(sa.case((ETicket.is_inside.is_(True), 1), else_=0)), 0)
    counted = session.execute(sa.select(valid, inside)).one()
    return int(counted[0]), int(counted[1])


def _count_refusals(session: Session) -> tuple[tuple[ScanReason, int], ...]:
    """Return how often each reason was given, the most frequent first."""
    counted = sa.func.count()
    wanted = (
        sa.select(CheckIn.reason, counted)
        .where(
            CheckIn.result == ScanResult.REFUSED,
            CheckIn.reason.is_not(None),
            CheckIn.undone_at.is_(None),
        )
        .group_by(CheckIn.reason)
        .order_by(counted.desc(), CheckIn.reason)
    )
    return tuple((reason, count) for reason, count in session.execute(wanted) if reason)


def _slot_of(moment: datetime) -> datetime:
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(SLOT.total_seconds()), UTC)


def _starts(last_entry: datetime, now: datetime) -> tuple[datetime, ...]:
    end = _slot_of(now)
    if end - last_entry >= SLOT * SLOTS:
        end = last_entry
    return tuple(end - SLOT * (SLOTS - 1 - number) for number in range(SLOTS))


def _numbers_of(
    gate: str, entries: Counter[tuple[str, datetime]], starts: tuple[datetime, ...]
) -> GateNumbers:
    entered = sum(count for (name, _), count in entries.items() if name == gate)
    return GateNumbers(gate, entered, tuple(entries[gate, start] for start in starts))

"""What a phone at the door learns every few seconds: rules, keys, and who entered meanwhile."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    CheckIn,
    DoorSettings,
    ETicket,
    Gate,
    Ticket,
)
from app.services.door.offline import SETTLED_AFTER, SeatCount, count_seats
from app.services.running.transaction import reading, use_case
from app.services.selling.signing_keys import public_keys

_CURSOR = re.compile(r"(\d{1,18})\.(\d{1,11})", re.ASCII)  # seconds that are a time


@dataclass(frozen=True)
class Cursor:
    """Up to where a phone knows what happened.

    Every scan up to this id was committed when it was handed out, and every undo before this
    second. Ids are taken in one order and committed in another, so that the newest ones are told
    again until they are SETTLED_AFTER old: a phone may hear of a change twice, never not at all.
    """

    scan_id: int
    second: int

    def __str__(self) -> str:
        return f"{self.scan_id}.{self.second}"

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """Return the cursor a phone brings back; None when it is none of ours."""
        found = _CURSOR.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True)
class SeatChange:
    """Where a seat stands now: the first entry that stands, and whether the guest is inside."""

    seat_id: int
    admitted_at: datetime | None
    gate: str | None
    is_inside: bool


@dataclass(frozen=True)
class TicketRules:
    """What the catalogue says now of a kind of ticket, whatever stands in its codes."""

    id: int
    type: str
    admit_from: datetime | None
    admit_until: datetime | None


@dataclass(frozen=True)
class DoorState:
    """All a phone needs to decide by itself."""

    is_lane_mode: bool
    gates: list[Gate]
    tickets: list[TicketRules]
    keys: dict[int, bytes]
    changes: list[SeatChange]
    cursor: Cursor
    seats: SeatCount


@use_case
def read_state(since: Cursor | None, *, now: datetime) -> DoorState:
    """Return how the door stands, and what changed since a cursor (None: every entry there is)."""
    with reading() as session:
        is_lane_mode = bool(session.scalar(sa.select(DoorSettings.is_lane_mode)))
        cursor = _next_cursor(session, since, now)  # before the changes it vouches for
        return DoorState(
            is_lane_mode=is_lane_mode,
            gates=_gates(session),
            tickets=_tickets(session),
            keys=public_keys(session),
            changes=_changes(session, since),
            cursor=cursor,
            seats=count_seats(session),
        )


def _next_cursor(session: Session, since: Cursor | None, now: datetime) -> Cursor:
    """Return the newest settled place; walks the key backwards, a minute's scans long."""
    settled = now - SETTLED_AFTER
    after = since.scan_id if since else 0
    newest = sa.select(CheckIn.id).where(CheckIn.id > after, CheckIn.created_at < settled)
    scan_id = session.scalar(newest.order_by(CheckIn.id.desc()).limit(1))
    return Cursor(scan_id or after, int(settled.timestamp()))


def _changes(session: Session, since: Cursor | None) -> list[SeatChange]:
    seats = sa.select(
        ETicket.seat_id, ETicket.admitted_at, ETicket.admitted_gate, ETicket.is_inside
    )
    if since is None:
        stands = ETicket.admitted_at.is_not(None) | ETicket.is_inside
        return [SeatChange(*row) for row in session.execute(seats.where(stands))]
    moment = datetime.fromtimestamp(since.second, UTC)
    scans = sa.select(CheckIn.e_ticket_id).where(CheckIn.e_ticket_id.is_not(None))
    touched = sa.union(
        scans.where(CheckIn.id > since.scan_id), scans.where(CheckIn.undone_at >= moment)
    ).subquery()
    changed = seats.join(touched, touched.c.e_ticket_id == ETicket.id)
    return [SeatChange(*row) for row in session.execute(changed)]


def _gates(session: Session) -> list[Gate]:
    """Return the gates in use, detached so that they outlive the transaction."""
    in_use = sa.select(Gate).where(Gate.retired_at.is_(None)).order_by(Gate.name)
    gates = list(session.scalars(in_use))
    for gate in gates:
        session.expunge(gate)
    return gates


def _tickets(session: Session) -> list[TicketRules]:
    kinds = sa.select(Ticket.id, Ticket.type, Ticket.admit_from, Ticket.admit_until)
    return [TicketRules(*row) for row in session.execute(kinds)]

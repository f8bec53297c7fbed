"""Histories of seats: who passed when, told again from the scans that stand.

Phones without network decide alone and report later, in any order. So what a seat's row says, and
what is objected to, is always computed from all of its scans in the order in which they happened.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import CheckIn, Direction, ETicket, Gate, ScanReason, ScanResult
from app.services.door.rules import HISTORY_RULES, GateRules, SeatFacts, judge
from app.services.running.transaction import affected

HISTORY_REASONS = frozenset(reason for reason, _ in HISTORY_RULES)


@dataclass(frozen=True)
class Passing:
    """A scan that let somebody in or out, and stands.

    `objection` is why it should not have: of its history, or what was found when it was told.
    """

    id: int
    e_ticket_id: int
    direction: Direction
    happened_at: datetime
    gate: str | None
    is_offline: bool
    objection: ScanReason | None


@dataclass(frozen=True)
class Standing:
    """Where a seat stands after all its passings."""

    admitted_at: datetime | None = None
    admitted_gate: str | None = None
    is_inside: bool = False

    def after(self, passing: Passing) -> "Standing":
        """Return where it stands after one more."""
        if passing.direction is Direction.OUT:
            return Standing(self.admitted_at, self.admitted_gate, is_inside=False)
        if self.admitted_at is None:
            return Standing(passing.happened_at, passing.gate, is_inside=True)
        return Standing(self.admitted_at, self.admitted_gate, is_inside=True)


def replay(
    passings: Sequence[Passing], gates: Mapping[str | None, GateRules]
) -> tuple[Standing, dict[int, ScanReason]]:
    """Return where a seat stands, and which passings its history speaks against, by id.

    `passings` are those of one seat in the order in which they happened; a gate that is not in
    `gates` is one nobody configured.
    """
    standing, objections = Standing(), {}
    for passing in passings:
        gate = gates.get(passing.gate, GateRules())
        if objection := _object(standing, passing, gate):
            objections[passing.id] = objection
        standing = standing.after(passing)
    return standing, objections


def _object(standing: Standing, passing: Passing, gate: GateRules) -> ScanReason | None:
    seat = SeatFacts(
        ticket_id=0,
        lane="",
        is_revoked=False,
        is_order_cancelled=False,
        admit_from=None,
        admit_until=None,
        admitted_at=standing.admitted_at,
        is_inside=standing.is_inside,
    )
    return judge(
        seat,
        gate,
        passing.happened_at,
        direction=passing.direction,
        lanes=None,
        rules=HISTORY_RULES,
    )


def lock_seats(session: Session, e_ticket_ids: Iterable[int]) -> None:
    """Keep everybody else from these seats until the transaction ends; ids ascending."""
    wanted = sorted(set(e_ticket_ids))
    if wanted:
        rows = sa.select(ETicket.id).where(ETicket.id.in_(wanted)).order_by(ETicket.id)
        session.execute(rows.with_for_update()).all()


def restate(session: Session, e_ticket_ids: Iterable[int]) -> None:
    """Make these seats, which the caller has locked, say what their scans say.

    What was let through without network also gets the objection its history raises; one that was
    found when it was told (a revoked ticket, say) stays.
    """
    wanted = sorted(set(e_ticket_ids))
    gates = gate_rules(session)
    found = list_passings(session, wanted)
    for e_ticket_id in wanted:
        passings = found.get(e_ticket_id, [])
        standing, objections = replay(passings, gates)
        seat = sa.update(ETicket).where(ETicket.id == e_ticket_id)
        affected(
            session,
            seat.values(
                admitted_at=standing.admitted_at,
                admitted_gate=standing.admitted_gate,
                is_inside=standing.is_inside,
            ),
        )
        for passing in passings:
            _note_objection(session, passing, objections.get(passing.id))


def _note_objection(session: Session, passing: Passing, objection: ScanReason | None) -> None:
    if not passing.is_offline or passing.objection == objection:
        return
    if passing.objection is None or passing.objection in HISTORY_REASONS:
        row = sa.update(CheckIn).where(CheckIn.id == passing.id)
        affected(session, row.values(objection=objection))


def gate_rules(session: Session) -> dict[str | None, GateRules]:
    """Return the rules of every gate there ever was, by name."""
    return {gate.name: GateRules.of(gate) for gate in session.scalars(sa.select(Gate))}


def list_passings(
    session: Session, e_ticket_ids: Sequence[int] | sa.Select[int]
) -> dict[int, list[Passing]]:
    """Return what these seats passed, as far as it stands, in the order in which it happened.

    Where two happened at the same instant their scan ids decide: the order in which phones report
    must not matter.
    """
    rows = (
        sa.select(
            CheckIn.id,
            ETicket.id,
            CheckIn.direction,
            CheckIn.happened_at,
            CheckIn.gate,
            CheckIn.is_offline,
            CheckIn.objection,
        )
        .join(ETicket, ETicket.id == CheckIn.e_ticket_id)
        .where(
            CheckIn.e_ticket_id.in_(e_ticket_ids),
            CheckIn.result == ScanResult.ADMITTED,
            CheckIn.undone_at.is_(None),
        )
        .order_by(CheckIn.e_ticket_id, CheckIn.happened_at, CheckIn.scan_id)
    )
    found: dict[int, list[Passing]] = defaultdict(list)
    for row in session.execute(rows):
        passing = Passing(*row)
        found[passing.e_ticket_id].append(passing)
    return dict(found)

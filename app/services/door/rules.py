"""Rules: who may pass. Pure, and the same here as in `static/js/door/rules.js`.

Both are held by `tests/door/vectors/rules.json`. The order of `RULES` is the order of `ScanReason`:
a ticket that breaks several rules is refused for the first, which is what the guest can least help.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.models import Direction, Gate, ScanReason


@dataclass(frozen=True)
class SeatFacts:
    """What is known of a seat. The period's end is exclusive; None does not limit that side.

    `admitted_at` is the first entry that stands, None when nobody entered on it.
    """

    ticket_id: int
    lane: str
    is_revoked: bool
    is_order_cancelled: bool
    admit_from: datetime | None
    admit_until: datetime | None
    admitted_at: datetime | None
    is_inside: bool


@dataclass(frozen=True)
class GateRules:
    """What a gate admits: these ticket ids (none: all), from `opens_at` until before `closes_at`.

    As it stands it is the gate nobody configured: every ticket at any time, and once.
    """

    ticket_ids: tuple[int, ...] = ()
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    has_reentry: bool = False

    @classmethod
    def of(cls, gate: Gate | None) -> "GateRules":
        """Return the rules of a configured gate; None is one that is not."""
        if gate is None:
            return cls()
        return cls(tuple(gate.ticket_ids), gate.opens_at, gate.closes_at, gate.has_reentry)


@dataclass(frozen=True)
class Scan:
    """A seat in front of a gate; `lanes` are the letters admitted there, None means all."""

    seat: SeatFacts
    gate: GateRules
    at: datetime
    direction: Direction
    lanes: str | None


def is_revoked(scan: Scan) -> bool:
    return scan.seat.is_revoked


def is_order_cancelled(scan: Scan) -> bool:
    return scan.seat.is_order_cancelled


def is_wrong_ticket(scan: Scan) -> bool:
    """A gate without a list admits every ticket."""
    return bool(scan.gate.ticket_ids) and scan.seat.ticket_id not in scan.gate.ticket_ids


def is_outside_admission(scan: Scan) -> bool:
    return _is_outside(scan.at, scan.seat.admit_from, scan.seat.admit_until)


def is_gate_closed(scan: Scan) -> bool:
    return _is_outside(scan.at, scan.gate.opens_at, scan.gate.closes_at)


def is_wrong_lane(scan: Scan) -> bool:
    return scan.lanes is not None and scan.seat.lane not in scan.lanes


def is_already_admitted(scan: Scan) -> bool:
    """With re-entry, who went out may come back; who is inside may not."""
    if scan.direction is not Direction.IN or scan.seat.admitted_at is None:
        return False
    return not scan.gate.has_reentry or scan.seat.is_inside


def is_not_inside(scan: Scan) -> bool:
    return scan.direction is Direction.OUT and not scan.seat.is_inside


Rule = tuple[ScanReason, Callable[[Scan], bool]]

# What holds for the seat and the moment, whatever happened before.
STANDING_RULES: tuple[Rule, ...] = (
    (ScanReason.REVOKED, is_revoked),
    (ScanReason.ORDER_CANCELLED, is_order_cancelled),
    (ScanReason.WRONG_TICKET, is_wrong_ticket),
    (ScanReason.OUTSIDE_PERIOD, is_outside_admission),
    (ScanReason.OUTSIDE_PERIOD, is_gate_closed),
    (ScanReason.WRONG_LANE, is_wrong_lane),
)
# What depends on who passed before.
HISTORY_RULES: tuple[Rule, ...] = (
    (ScanReason.ALREADY_ADMITTED, is_already_admitted),
    (ScanReason.NOT_INSIDE, is_not_inside),
)
RULES = STANDING_RULES + HISTORY_RULES


def judge(
    seat: SeatFacts | None,
    gate: GateRules,
    at: datetime,
    *,
    direction: Direction,
    lanes: str | None,
    rules: tuple[Rule, ...] = RULES,
) -> ScanReason | None:
    """Return why somebody is not let through at `at`, None when they are.

    No seat means that the code is unknown, or was not signed by us.
    """
    if seat is None:
        return ScanReason.UNKNOWN_CODE
    scan = Scan(seat, gate, at, direction, lanes)
    return next((reason for reason, is_broken in rules if is_broken(scan)), None)


def _is_outside(at: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is not None and at < start) or (end is not None and at >= end)

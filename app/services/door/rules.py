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
class Passage:
    """A seat in front of a gate; `lanes` are the letters admitted there, None means all."""

    seat: SeatFacts
    gate: GateRules
    at: datetime
    direction: Direction
    lanes: str | None


def is_revoked(passage: Passage) -> bool:
    return passage.seat.is_revoked


def is_order_cancelled(passage: Passage) -> bool:
    return passage.seat.is_order_cancelled


def is_wrong_ticket(passage: Passage) -> bool:
    """A gate without a list admits every ticket."""
    return bool(passage.gate.ticket_ids) and passage.seat.ticket_id not in passage.gate.ticket_ids


def is_outside_admission(passage: Passage) -> bool:
    return _is_outside(passage.at, passage.seat.admit_from, passage.seat.admit_until)


def is_gate_closed(passage: Passage) -> bool:
    return _is_outside(passage.at, passage.gate.opens_at, passage.gate.closes_at)


def is_wrong_lane(passage: Passage) -> bool:
    return passage.lanes is not None and passage.seat.lane not in passage.lanes


def is_already_admitted(passage: Passage) -> bool:
    """With re-entry, who went out may come back; who is inside may not."""
    if passage.direction is not Direction.IN or passage.seat.admitted_at is None:
        return False
    return not passage.gate.has_reentry or passage.seat.is_inside


def is_not_inside(passage: Passage) -> bool:
    return passage.direction is Direction.OUT and not passage.seat.is_inside


Rule = tuple[ScanReason, Callable[[Passage], bool]]

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
    passage = Passage(seat, gate, at, direction, lanes)
    return next((reason for reason, is_broken in rules if is_broken(passage)), None)


def _is_outside(at: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is not None and at < start) or (end is not None and at >= end)

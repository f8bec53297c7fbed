"""The rules at the door pass the vectors, and the vectors notice every rule that goes wrong."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.models import Direction, ScanReason
from app.services.door.rules import (
    RULES,
    GateRules,
    Passage,
    Rule,
    SeatFacts,
    is_already_admitted,
    is_gate_closed,
    is_not_inside,
    is_outside_admission,
    is_wrong_lane,
    is_wrong_ticket,
    judge,
)

Vector = dict[str, Any]
FILE = Path(__file__).parent / "vectors" / "rules.json"
VECTORS: list[Vector] = json.loads(FILE.read_text(encoding="utf-8"))["vectors"]
INSTANT = timedelta(milliseconds=1)


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def seat_of(vector: Vector) -> SeatFacts | None:
    seat = vector["seat"]
    return seat and SeatFacts(
        ticket_id=seat["ticketId"],
        lane=seat["lane"],
        is_revoked=seat["revoked"],
        is_order_cancelled=seat["orderCancelled"],
        admit_from=moment(seat["admitFrom"]),
        admit_until=moment(seat["admitUntil"]),
        admitted_at=moment(seat["admittedAt"]),
        is_inside=seat["isInside"],
    )


def gate_of(vector: Vector) -> GateRules:
    gate = vector["gate"]
    return GateRules(
        tuple(gate["ticketIds"]),
        moment(gate["opensAt"]),
        moment(gate["closesAt"]),
        gate["hasReentry"],
    )


def reason_for(vector: Vector, rules: tuple[Rule, ...] = RULES) -> str | None:
    reason = judge(
        seat_of(vector),
        gate_of(vector),
        datetime.fromisoformat(vector["at"]),
        direction=Direction(vector["direction"]),
        lanes=vector["lanes"],
        rules=rules,
    )
    return reason and reason.value


def broken_by(rules: tuple[Rule, ...]) -> list[str]:
    """Return the names of the vectors these rules do not pass."""
    return [each["name"] for each in VECTORS if reason_for(each, rules) != each["reason"]]


@pytest.mark.parametrize("vector", VECTORS, ids=[each["name"] for each in VECTORS])
def test_the_rules_pass_the_vector(vector: Vector) -> None:
    assert reason_for(vector) == vector["reason"]


def test_every_reason_has_vectors_and_each_vector_its_own_name() -> None:
    assert {each["reason"] for each in VECTORS} == {None, *(each.value for each in ScanReason)}
    assert len({each["name"] for each in VECTORS}) == len(VECTORS) >= 60


def test_vectors_hold_every_fact_and_nothing_else() -> None:
    seat = {"ticketId", "lane", "revoked", "orderCancelled", "admitFrom", "admitUntil"}
    gate = {"name", "ticketIds", "opensAt", "closesAt", "hasReentry", "hasExit"}

    for vector in VECTORS:
        assert set(vector) == {"name", "seat", "gate", "at", "direction", "lanes", "reason"}
        assert vector["seat"] is None or set(vector["seat"]) == seat | {"admittedAt", "isInside"}
        assert set(vector["gate"]) == gate


@pytest.mark.parametrize("left_out", range(len(RULES)))
def test_a_rule_left_out_breaks_a_vector(left_out: int) -> None:
    assert broken_by(RULES[:left_out] + RULES[left_out + 1 :])


def test_an_unknown_seat_that_is_let_through_breaks_a_vector() -> None:
    assert any(each["seat"] is None and each["reason"] == "unknown_code" for each in VECTORS)


def swapped() -> Iterator[tuple[Rule, ...]]:
    """Yield the rules with two neighbours changed, where that makes a difference at all."""
    for first, second in pairwise(range(len(RULES))):
        if RULES[first][0] is RULES[second][0]:
            continue  # both say outside_period
        if RULES[first][1] is is_already_admitted:
            continue  # one is of the way in, the other of the way out
        changed = list(RULES)
        changed[first], changed[second] = changed[second], changed[first]
        yield tuple(changed)


def test_two_rules_in_the_other_order_break_a_vector() -> None:
    orders = list(swapped())

    assert len(orders) == len(RULES) - 1 - 2
    assert all(broken_by(rules) for rules in orders)


def later(passage: Passage) -> Passage:
    return replace(passage, at=passage.at + INSTANT)


def earlier(passage: Passage) -> Passage:
    return replace(passage, at=passage.at - INSTANT)


WRONG: dict[str, tuple[Callable[[Passage], bool], Callable[[Passage], bool]]] = {
    "a ticket's period that begins late": (
        is_outside_admission,
        lambda s: is_outside_admission(earlier(s)),
    ),
    "a ticket's period that ends early": (
        is_outside_admission,
        lambda s: is_outside_admission(later(s)),
    ),
    "a ticket's end that is inclusive": (
        is_outside_admission,
        lambda s: is_outside_admission(s) and s.at != s.seat.admit_until,
    ),
    "a ticket's start that is forgotten": (
        is_outside_admission,
        lambda s: s.seat.admit_until is not None and s.at >= s.seat.admit_until,
    ),
    "a ticket's end that is forgotten": (
        is_outside_admission,
        lambda s: s.seat.admit_from is not None and s.at < s.seat.admit_from,
    ),
    "a gate that opens late": (is_gate_closed, lambda s: is_gate_closed(earlier(s))),
    "a gate that closes early": (is_gate_closed, lambda s: is_gate_closed(later(s))),
    "a gate's end that is inclusive": (
        is_gate_closed,
        lambda s: is_gate_closed(s) and s.at != s.gate.closes_at,
    ),
    "a gate's opening that is forgotten": (
        is_gate_closed,
        lambda s: s.gate.closes_at is not None and s.at >= s.gate.closes_at,
    ),
    "a gate's closing that is forgotten": (
        is_gate_closed,
        lambda s: s.gate.opens_at is not None and s.at < s.gate.opens_at,
    ),
    "times compared without their zones": (
        is_outside_admission,
        lambda s: (
            s.seat.admit_until is not None
            and s.at.replace(tzinfo=None) >= s.seat.admit_until.replace(tzinfo=None)
        ),
    ),
    "a gate's empty list that admits nothing": (
        is_wrong_ticket,
        lambda s: s.seat.ticket_id not in s.gate.ticket_ids,
    ),
    "ticket ids compared as text": (
        is_wrong_ticket,
        lambda s: bool(s.gate.ticket_ids) and str(s.seat.ticket_id) not in str(s.gate.ticket_ids),
    ),
    "no lanes taken for all lanes": (
        is_wrong_lane,
        lambda s: bool(s.lanes) and s.seat.lane not in (s.lanes or ""),
    ),
    "re-entry everywhere": (
        is_already_admitted,
        lambda s: is_already_admitted(s) and s.seat.is_inside,
    ),
    "re-entry nowhere": (
        is_already_admitted,
        lambda s: s.direction is Direction.IN and s.seat.admitted_at is not None,
    ),
    "re-entry of who is inside": (
        is_already_admitted,
        lambda s: is_already_admitted(s) and not s.gate.has_reentry,
    ),
    "being inside taken for an entry": (
        is_already_admitted,
        lambda s: is_already_admitted(s) or (s.direction is Direction.IN and s.seat.is_inside),
    ),
    "an entry that stops the way out": (
        is_already_admitted,
        lambda s: s.seat.admitted_at is not None and (not s.gate.has_reentry or s.seat.is_inside),
    ),
    "an exit for whoever once entered": (
        is_not_inside,
        lambda s: s.direction is Direction.OUT and s.seat.admitted_at is None,
    ),
    "an entry only for who is inside": (is_not_inside, lambda s: not s.seat.is_inside),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_rule_slightly_wrong_breaks_a_vector(mistake: str) -> None:
    right, wrong = WRONG[mistake]
    rules = tuple((reason, wrong if rule is right else rule) for reason, rule in RULES)

    assert rules != RULES
    assert broken_by(rules)


def test_the_rules_are_listed_in_the_order_of_the_reasons() -> None:
    order = [each for each in ScanReason if each is not ScanReason.UNKNOWN_CODE]

    assert list(dict.fromkeys(reason for reason, _ in RULES)) == order

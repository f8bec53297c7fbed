"""POST /api/check-ins/batch: what happened without network is a fact, and is never lost."""

from datetime import timedelta
from typing import Any

import pytest

from app.models import ETicket, ScanReason
from app.services.door.conflicts import list_conflicts
from tests.door.world import START, DoorWorld, new_id

MINUTE = timedelta(minutes=1)


def test_what_happened_is_kept_with_both_clocks(world: DoorWorld) -> None:
    (one, other), phone = world.guests(2), world.phone()
    phone.clock = timedelta(hours=5)
    facts = [
        phone.fact(one.qr_text),
        phone.fact("foreign", result="refused", reason="unknown_code"),
    ]
    world.pass_time(minutes=30)
    facts.append(phone.fact(other.code, gate="B"))
    world.pass_time(minutes=3)

    results = phone.tell(facts)

    assert [each["scanId"] for each in results] == [each["scanId"] for each in facts]
    assert [each["result"] for each in results] == ["admitted", "refused", "admitted"]
    assert [each["objection"] for each in results] == [None, None, None]
    assert results[0]["admittedAt"] == "2027-01-23T09:00:00+07:00"
    assert results[0]["eTicket"]["code"] == one.code
    first, foreign, second = world.scans()
    assert (first.scanned_at, first.happened_at) == (START + timedelta(hours=5), START)
    assert first.created_at == START + 33 * MINUTE
    assert first.is_offline
    assert first.device_id
    assert foreign.reason is ScanReason.UNKNOWN_CODE
    assert (second.happened_at, second.gate) == (START + 30 * MINUTE, "B")
    seat = world.seat(other)
    assert (seat.admitted_at, seat.admitted_gate) == (START + 30 * MINUTE, "B")
    assert phone.verdict(one.qr_text) == "already_admitted"
    assert world.violations() == []


@pytest.mark.parametrize(
    ("spoil", "objection"),
    [
        (lambda world, guest: world.change(ETicket, revoked_at=START), "revoked"),
        (lambda world, guest: world.gate("A", ticket_ids=[world.ticket("VIP")]), "wrong_ticket"),
        (lambda world, guest: world.change_ticket(admit_until=START), "outside_period"),
        (lambda world, guest: world.phone("Two").scan(guest.qr_text), "already_admitted"),
    ],
)
def test_who_was_let_in_is_inside_whatever_speaks_against_it(
    world: DoorWorld, spoil: Any, objection: str
) -> None:
    guest, phone = world.guest(), world.phone()
    spoil(world, guest)
    world.pass_time(minutes=1)

    [told] = phone.tell([phone.fact(guest.qr_text)])

    assert (told["result"], told["reason"], told["objection"]) == ("admitted", None, objection)
    assert world.seat(guest).is_inside
    assert world.violations() == []


def test_an_unknown_code_that_was_let_in_is_kept_too(world: DoorWorld) -> None:
    [told] = world.phone().tell([world.phone().fact("forged")])

    assert (told["result"], told["objection"], told["eTicket"]) == (
        "admitted",
        "unknown_code",
        None,
    )
    assert world.violations() == []


def test_what_was_revoked_later_was_no_mistake(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    fact = phone.fact(guest.qr_text)
    world.pass_time(minutes=1)
    world.change(ETicket, revoked_at=world.now)

    assert phone.tell([fact])[0]["objection"] is None


def test_told_twice_it_is_kept_once(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    fact = phone.fact(guest.qr_text)

    first, same = phone.tell([fact, fact])
    world.pass_time(minutes=5)
    [again] = phone.tell([fact])

    assert first == same == again
    assert len(world.scans()) == 1


def test_where_both_agree_the_record_stays_as_it_was(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    fact = phone.fact(guest.qr_text)
    answered = phone.scan(guest.qr_text, scanId=fact["scanId"])
    world.pass_time(hours=1)

    [told] = phone.tell([fact])

    assert told["admittedAt"] == answered["admittedAt"]
    assert not world.scans()[0].is_offline


def test_one_item_that_cannot_be_read_does_not_hold_up_the_others(world: DoorWorld) -> None:
    (one, other), phone = world.guests(2), world.phone()
    taken = phone.scan(one.qr_text)["scanId"]
    good = phone.fact(other.qr_text)
    bad = [
        phone.fact(one.qr_text, scanId="7"),
        "nonsense",
        None,
        phone.fact(one.qr_text, colour="red"),
        phone.fact(one.qr_text, result="refused"),
    ]

    results = phone.tell([*bad, phone.fact(other.qr_text, scanId=taken), good])

    problems = [each.get("problem") for each in results]
    assert problems == ["validation_error"] * 5 + ["scan_id_reused", None]
    assert [each["scanId"] for each in results][:3] == ["7", None, None]
    assert [error["field"] for error in results[3]["errors"]] == ["colour"]
    assert [error["field"] for error in results[4]["errors"]] == ["reason"]
    assert results[-1]["result"] == "admitted"
    assert world.seat(other).admitted_at == START


def test_a_clock_that_jumped_puts_no_entry_before_the_sale_nor_after_now(world: DoorWorld) -> None:
    (early, late), phone = world.guests(2), world.phone()
    world.pass_time(minutes=10)
    facts = [
        phone.fact(early.qr_text, scannedAt="1970-01-01T00:00:00Z"),
        phone.fact(late.qr_text, scannedAt="2099-01-01T00:00:00Z"),
    ]

    phone.tell(facts)

    assert world.seat(early).admitted_at == START
    assert world.seat(late).admitted_at == START + 10 * MINUTE


@pytest.mark.parametrize("count", [0, 201])
def test_a_batch_has_1_to_200_items(quick_world: DoorWorld, count: int) -> None:
    phone = quick_world.phone()
    body = {"sentAt": START.isoformat(), "checkIns": [{}] * count}

    assert phone.post("/api/check-ins/batch", body).status_code == 422


def test_two_hundred_are_kept_at_once(world: DoorWorld) -> None:
    guests = [guest for _ in range(4) for guest in world.guests(10)]
    phone = world.phone()

    results = phone.tell([phone.fact(guest.qr_text, scanId=new_id()) for guest in guests * 5])

    assert [each["result"] for each in results] == ["admitted"] * 200
    assert sum(each["objection"] is not None for each in results) == 160
    with world.app.app_context():
        assert len(list_conflicts()) == 40
    assert world.violations() == []


def test_a_conflict_says_who_entered_when_and_where(world: DoorWorld) -> None:
    guest, one, other = world.guest(), world.phone("Ayu"), world.partner()
    first = one.fact(guest.qr_text)
    world.pass_time(minutes=2)
    other.scan(guest.qr_text, gate="B")
    one.tell([first])

    with world.app.app_context():
        [conflict] = list_conflicts()

    assert (conflict.code, conflict.attendee) == (guest.code, "Sari Dewi")
    told = [(e.happened_at, e.gate, e.by, e.is_offline, e.is_double) for e in conflict.entries]
    assert told == [
        (START, "A", "Ayu", True, False),
        (START + 2 * MINUTE, "B", "Turnstile", False, True),
    ]


def test_who_went_out_and_came_back_is_no_conflict(world: DoorWorld) -> None:
    world.gate("A", has_reentry=True, has_exit=True)
    guest, phone = world.guest(), world.phone()
    facts = []
    for direction in ("in", "out", "in"):
        facts.append(phone.fact(guest.qr_text, direction=direction))
        world.pass_time(minutes=1)

    assert [each["objection"] for each in phone.tell(facts)] == [None] * 3
    with world.app.app_context():
        assert list_conflicts() == []

"""A scan we have answered is told of again: who was let in stays in, and nothing is erased."""

from typing import Any

import pytest

from app.models import ETicket, Order, OrderStatus, ScanResult
from app.services.door.live import look_at_door
from app.services.selling import signing_keys
from tests.door.world import START, Caller, DoorWorld, Guest


def refusal(phone: Caller, guest: Guest, scan_id: str) -> dict[str, Any]:
    refused = {"result": "refused", "reason": "already_admitted"}
    return phone.fact(guest.qr_text, scanId=scan_id, **refused)


@pytest.mark.parametrize("teller", ["itself", "another phone", "a partner"])
def test_a_refusal_told_later_never_takes_an_entry_back(world: DoorWorld, teller: str) -> None:
    guest, phone = world.guest(), world.phone()
    scan_id = phone.scan(guest.qr_text)["scanId"]
    world.pass_time(hours=3)
    who = {"itself": phone, "another phone": world.phone("Two"), "a partner": world.partner()}

    [told] = who[teller].tell([refusal(who[teller], guest, scan_id)])

    assert (told["result"], told["admittedAt"]) == ("admitted", "2027-01-23T09:00:00+07:00")
    assert world.seat(guest).admitted_at == START
    [scan] = world.scans()
    assert (scan.scan_id, scan.result, scan.undone_at) == (scan_id, ScanResult.ADMITTED, None)
    assert world.violations() == []


def test_whom_the_phone_let_in_is_inside_and_our_refusal_stays_in_the_history(
    world: DoorWorld,
) -> None:
    guest, phone = world.guest(), world.phone()
    world.phone("Two").scan(guest.qr_text)
    world.pass_time(minutes=1)
    fact = phone.fact(guest.qr_text)
    lost = phone.scan(guest.qr_text, scanId=fact["scanId"], scannedAt=fact["scannedAt"])
    assert lost["result"] == "refused"
    world.pass_time(minutes=1)

    [told] = phone.tell([fact])

    assert (told["result"], told["objection"]) == ("admitted", "already_admitted")
    assert phone.scan(guest.qr_text, scanId=fact["scanId"])["result"] == "admitted"
    _first, ours, theirs = world.scans(guest)
    assert (ours.result, ours.undone_at) == (ScanResult.REFUSED, world.now)
    assert ours.undone_by == "Phone 1: decided otherwise"
    assert (theirs.scan_id, theirs.is_offline) == (fact["scanId"], True)
    with world.app.app_context():
        assert look_at_door(world.now).refusals == (), "nobody was refused in the end"
    assert world.violations() == []


def test_what_others_were_refused_is_not_for_them_to_say(world: DoorWorld) -> None:
    guest, phone, other = world.guest(), world.phone(), world.phone("Two")
    world.change(ETicket, revoked_at=START)
    scan_id = phone.scan(guest.qr_text)["scanId"]

    [told] = other.tell([other.fact(guest.qr_text, scanId=scan_id)])

    assert told["result"] == "refused"
    assert world.seat(guest).admitted_at is None
    assert len(world.scans()) == 1


def test_what_was_taken_back_stays_taken_back(world: DoorWorld) -> None:
    guest, phone, boss = world.guest(), world.phone(), world.phone("S", is_supervisor=True)
    scan_id = phone.scan(guest.qr_text)["scanId"]
    boss.undo(scan_id)

    for fact in (refusal(phone, guest, scan_id), phone.fact(guest.qr_text, scanId=scan_id)):
        phone.tell([fact])

    [scan] = world.scans(guest)
    assert (scan.undone_at, scan.undone_by) == (START, "S")
    assert world.seat(guest).admitted_at is None
    assert world.violations() == []


@pytest.mark.parametrize("kept", ["code", "seat id"])
def test_an_entry_is_found_although_the_seat_got_a_new_code_meanwhile(
    world: DoorWorld, kept: str
) -> None:
    guest, phone = world.guest(), world.phone()
    fact = phone.fact(guest.qr_text)
    if kept == "seat id":
        del fact["code"]
        fact |= {"seatId": guest.seat_id, "keyId": 1}
    world.pass_time(minutes=5)
    with world.app.app_context():
        signing_keys.revoke(1, by="tests", now=world.now)
        signing_keys.reissue(1, by="tests", now=world.now)

    [told] = phone.tell([fact])

    assert (told["result"], told["objection"]) == ("admitted", "unknown_code")
    assert world.seat(guest).admitted_at == START
    assert world.phone("Two").verdict(world.seat(guest).qr_text) == "already_admitted"
    assert world.violations() == []


def test_a_forged_code_is_nobodys_seat_whatever_key_it_names(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    with world.app.app_context():
        signing_keys.revoke(1, by="tests", now=world.now)
    forged = guest.qr_text[:-2] + ("AA" if guest.qr_text[-2:] != "AA" else "BA")

    [told] = phone.tell([phone.fact(forged)])

    assert told["objection"] == "unknown_code"
    assert world.seat(guest).admitted_at is None


@pytest.mark.parametrize(("minutes", "objection"), [(-1, "order_cancelled"), (1, None)])
def test_an_order_that_was_cancelled_after_the_entry_is_no_objection(
    world: DoorWorld, minutes: int, objection: str | None
) -> None:
    guest, phone = world.guest(), world.phone()
    world.pass_time(minutes=5)
    fact = phone.fact(guest.qr_text)
    world.pass_time(minutes=minutes)
    world.change(Order, status=OrderStatus.CANCELLED)
    world.change(ETicket, revoked_at=world.now)
    world.pass_time(minutes=10)

    assert phone.tell([fact])[0]["objection"] == objection

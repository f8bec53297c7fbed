"""A phone keeps no code that opens a name: what it tells afterwards is found all the same."""

from typing import Any

import pytest

from app.models import SigningKey
from tests.door.world import START, Caller, DoorWorld, Guest, new_id


def by_seat(phone: Caller, seat_id: Any, **changes: Any) -> dict[str, Any]:
    """Return an entry that a phone decided alone, as it keeps it."""
    fact = phone.fact("", seatId=seat_id, **changes)
    del fact["code"]
    return fact


def beginning(guest: Guest) -> str:
    return f"{guest.qr_text[:40]}…"


def test_an_entry_told_by_its_seat_is_kept_like_one_told_by_its_code(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()

    [told] = phone.tell([by_seat(phone, guest.seat_id)])

    assert (told["result"], told["objection"]) == ("admitted", None)
    [scan] = world.scans(guest)
    assert (scan.code, scan.is_offline) == (guest.qr_text, True)
    assert world.seat(guest).admitted_at == START
    assert world.violations() == []


@pytest.mark.parametrize("first", ["online", "offline"])
def test_the_same_scan_by_code_and_by_seat_is_one(world: DoorWorld, first: str) -> None:
    guest, phone = world.guest(), world.phone()
    fact = by_seat(phone, guest.seat_id)
    online = {"scanId": fact["scanId"], "scannedAt": fact["scannedAt"]}

    def tell() -> None:
        assert phone.tell([fact])[0]["result"] == "admitted"

    if first == "offline":
        tell()
    assert phone.scan(guest.qr_text, **online)["result"] == "admitted"
    tell()

    assert len(world.scans()) == 1


def test_a_scan_id_of_another_seat_is_told_apart(world: DoorWorld) -> None:
    (one, other), phone = world.guests(2), world.phone()
    fact = by_seat(phone, one.seat_id)
    phone.tell([fact])

    [told] = phone.tell([fact | {"seatId": other.seat_id}])

    assert told["problem"] == "scan_id_reused"
    assert world.scans(other) == []


def test_a_seat_nobody_sold_is_an_unknown_code(world: DoorWorld) -> None:
    phone = world.phone()

    [told] = phone.tell([by_seat(phone, 7)])

    assert (told["result"], told["objection"]) == ("admitted", "unknown_code")
    assert [scan.code for scan in world.scans()] == ["seat 7"]


def test_a_code_the_phone_could_not_verify_is_found_by_its_beginning(world: DoorWorld) -> None:
    """It had not heard of the key yet. The server has, but its answer was lost on the way."""
    guest, phone = world.guest(), world.phone()
    fact = phone.fact(beginning(guest), result="refused", reason="unknown_code")
    phone.scan(guest.qr_text, scanId=fact["scanId"], scannedAt=fact["scannedAt"])

    [told] = phone.tell([fact])

    assert (told["result"], told["admittedAt"]) == ("admitted", "2027-01-23T09:00:00+07:00")
    assert [scan.code for scan in world.scans(guest)] == [guest.qr_text]
    assert world.violations() == []


def test_neither_a_seat_id_nor_a_beginning_tells_whose_it_is(quick_world: DoorWorld) -> None:
    """A thief has the seat ids of everybody, and what the phone had not sent yet."""
    guest, phone = quick_world.guest(), quick_world.phone()
    [[seat_id, _box]] = phone.get("/api/door/tickets").json["seats"]  # type: ignore[index]
    facts = [
        by_seat(phone, seat_id, result="refused", reason="wrong_lane"),
        phone.fact(beginning(guest), result="refused", reason="unknown_code"),
        phone.fact(guest.qr_text),
    ]

    told = phone.tell(facts)

    assert [each["eTicket"] and each["eTicket"]["code"] for each in told] == [
        None,
        None,
        guest.code,
    ]


@pytest.mark.parametrize(
    ("key_id", "objection"), [(1, "unknown_code"), (2, None), (None, None), ("absent", None)]
)
def test_an_entry_by_a_key_that_was_revoked_is_objected_to(
    world: DoorWorld, key_id: Any, objection: str | None
) -> None:
    guest, phone = world.guest(), world.phone()
    fact = by_seat(phone, guest.seat_id, keyId=key_id)
    if key_id == "absent":
        del fact["keyId"]
    world.change(SigningKey, revoked_at=START)

    [told] = phone.tell([fact])

    assert (told["result"], told["objection"]) == ("admitted", objection)
    assert world.seat(guest).is_inside


@pytest.mark.parametrize("key_id", [0, 256, "1", True])
def test_what_is_no_key_id_is_refused(quick_world: DoorWorld, key_id: Any) -> None:
    guest, phone = quick_world.guest(), quick_world.phone()

    [told] = phone.tell([by_seat(phone, guest.seat_id, keyId=key_id)])

    assert [error["field"] for error in told["errors"]] == ["keyId"]


def test_a_beginning_admits_nobody(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()

    assert phone.verdict(beginning(guest)) == "unknown_code"


def test_an_entry_is_not_lost_to_a_key_that_was_revoked_since(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    fact = phone.fact(guest.qr_text, result="refused", reason="unknown_code")
    phone.scan(guest.qr_text, scanId=fact["scanId"], scannedAt=fact["scannedAt"])
    world.change(SigningKey, revoked_at=START)

    [told] = phone.tell([fact])

    assert told["result"] == "admitted"
    assert world.seat(guest).admitted_at == world.scans(guest)[0].happened_at
    assert world.violations() == []


@pytest.mark.parametrize("seat_id", [-1, 2**40, "7", 7.5, True, None])
def test_what_is_no_seat_id_is_refused(quick_world: DoorWorld, seat_id: Any) -> None:
    phone = quick_world.phone()

    [told] = phone.tell([by_seat(phone, seat_id)])

    assert told["problem"] == "validation_error"
    assert [error["field"] for error in told["errors"]] == ["seatId"]


def test_an_item_is_about_one_ticket(quick_world: DoorWorld) -> None:
    guest, phone = quick_world.guest(), quick_world.phone()
    both = phone.fact(guest.qr_text, seatId=guest.seat_id)
    neither = by_seat(phone, guest.seat_id)
    del neither["seatId"]

    told = phone.tell([both, neither])

    assert [each["problem"] for each in told] == ["validation_error"] * 2


def test_a_partner_shows_the_code(quick_world: DoorWorld) -> None:
    """Seat ids are no secret: only from a phone one says that its ticket was there."""
    guest, partner = quick_world.guest(), quick_world.partner()

    [told] = partner.tell([by_seat(partner, guest.seat_id, scanId=new_id())])

    assert told["problem"] == "validation_error"
    assert quick_world.scans() == []

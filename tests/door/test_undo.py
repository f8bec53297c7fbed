"""Taking a check-in back: by whom, how long, and what stands afterwards."""

from datetime import timedelta

import pytest

from app.models import Role
from tests.door.world import START, Caller, DoorWorld
from tests.staff.office import Office


def test_an_entry_is_taken_back_and_kept_in_the_history(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    scan_id = phone.scan(guest.qr_text)["scanId"]
    world.pass_time(minutes=15)

    undone = phone.undo(scan_id)
    again = phone.undo(scan_id.upper())

    assert (undone.status_code, again.status_code) == (200, 200)
    assert undone.json
    assert again.json
    assert undone.json["undoneAt"] == again.json["undoneAt"] == "2027-01-23T09:15:00+07:00"
    assert (undone.json["admittedAt"], undone.json["gate"]) == (None, None)
    assert undone.json["eTicket"]["code"] == guest.code
    [scan] = world.scans(guest)
    assert (scan.undone_by, scan.admitted_at) == ("Phone 1", None)
    assert not world.seat(guest).is_inside
    assert phone.verdict(guest.qr_text) == "admitted"
    assert world.violations() == []


def test_after_a_quarter_of_an_hour_only_a_supervisor_may(world: DoorWorld) -> None:
    guest, phone, boss = world.guest(), world.phone(), world.phone("Boss", is_supervisor=True)
    scan_id = phone.scan(guest.qr_text)["scanId"]
    world.pass_time(minutes=15, seconds=1)

    too_late = phone.undo(scan_id)

    assert too_late.json
    assert (too_late.status_code, too_late.json["code"]) == (403, "undo_not_allowed")
    assert world.seat(guest).admitted_at == START
    assert boss.undo(scan_id).status_code == 200
    assert phone.undo(scan_id).status_code == 200  # it is undone, and stays so
    assert world.scans(guest)[0].undone_by == "Boss"


def test_another_phone_or_partner_may_not(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    scan_id = phone.scan(guest.qr_text)["scanId"]

    for other in (world.phone("Phone 2"), world.partner()):
        assert other.undo(scan_id).status_code == 403
    assert world.seat(guest).admitted_at == START


@pytest.mark.parametrize(("role", "status"), [(Role.ADMIN, 200), (Role.DOOR, 403)])
def test_an_admin_may_and_a_volunteer_not(quick_world: DoorWorld, role: Role, status: int) -> None:
    scan_id = quick_world.phone().scan(quick_world.guest().qr_text)["scanId"]
    browser = Office(quick_world.app).log_in(role)

    assert browser.post(f"/api/check-ins/{scan_id}/undo", json={}).status_code == status


@pytest.mark.parametrize(
    "scan_id", ["5d9b6bd0-5b3c-4e7f-9a55-0f2f8d7b1c11", "nothing", "%00", "a" * 500]
)
def test_what_was_never_scanned_cannot_be_taken_back(quick_world: DoorWorld, scan_id: str) -> None:
    answer = quick_world.phone().undo(scan_id)

    assert answer.json
    assert (answer.status_code, answer.json["code"]) == (404, "check_in_not_found")


def test_a_refusal_cannot_be_taken_back(quick_world: DoorWorld) -> None:
    phone = quick_world.phone()

    assert phone.undo(phone.scan("unknown")["scanId"]).status_code == 403


def test_an_exit_is_taken_back(world: DoorWorld) -> None:
    world.gate("A", has_reentry=True, has_exit=True)
    guest, phone = world.guest(), world.phone()
    phone.scan(guest.qr_text)
    world.pass_time(minutes=1)
    left = phone.scan(guest.qr_text, direction="out")["scanId"]

    answer = phone.undo(left)

    assert answer.json
    assert (answer.json["admittedAt"], answer.json["gate"]) == ("2027-01-23T09:00:00+07:00", "A")
    assert world.seat(guest).is_inside
    assert phone.verdict(guest.qr_text) == "already_admitted"
    assert world.violations() == []


def test_of_two_entries_the_one_that_stays_stands(world: DoorWorld) -> None:
    guest, one, other = world.guest(), world.phone("One"), world.phone("Two")
    first = one.fact(guest.qr_text)
    world.pass_time(minutes=5)
    second = other.fact(guest.qr_text, gate="B")
    one.tell([first])
    [told] = other.tell([second])
    assert told["objection"] == "already_admitted"

    assert one.undo(first["scanId"]).status_code == 200

    seat = world.seat(guest)
    assert (seat.admitted_at, seat.admitted_gate) == (START + timedelta(minutes=5), "B")
    assert [scan.objection for scan in world.scans(guest)] == [None, None]
    assert world.violations() == []


def test_the_body_must_be_empty_json(quick_world: DoorWorld) -> None:
    phone = quick_world.phone()
    scan_id = phone.scan(quick_world.guest().qr_text)["scanId"]

    assert phone.post(f"/api/check-ins/{scan_id}/undo", {"why": "x"}).status_code == 422
    assert phone.post(f"/api/check-ins/{scan_id}/undo", "[]").status_code == 400
    assert Caller(quick_world).undo(scan_id).status_code == 401


def test_a_repeat_of_what_was_taken_back_is_answered_as_at_first_and_says_so(
    world: DoorWorld,
) -> None:
    guest, phone = world.guest(), world.phone()
    body = phone.body(guest.qr_text)
    first = phone.post("/api/check-ins", body).get_json()
    world.pass_time(minutes=1)
    phone.undo(body["scanId"])

    again = phone.post("/api/check-ins", body).get_json()

    assert "undoneAt" not in first
    same = {name: value for name, value in again.items() if name not in ("undoneAt", "requestId")}
    assert same == {name: value for name, value in first.items() if name != "requestId"}
    assert again["undoneAt"] == "2027-01-23T09:01:00+07:00"

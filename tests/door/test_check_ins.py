"""POST /api/check-ins: what the contract promises, on both databases, over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import CheckIn, ETicket, Role
from tests.door.world import START, Caller, DoorWorld, new_id
from tests.staff.office import Office

HOUR = timedelta(hours=1)


def test_the_first_scan_admits_and_the_second_says_when_and_where(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()

    first = phone.scan(guest.qr_text)
    world.pass_time(minutes=2)
    second = phone.scan(guest.qr_text, gate="B")

    assert first.pop("requestId")
    holder = first["eTicket"]
    assert holder == {
        "code": guest.code,
        "attendee": "Sari Dewi",
        "type": "Reguler",
        "lane": holder["lane"],
    }
    entry = {"admittedAt": "2027-01-23T09:00:00+07:00", "gate": "A", "eTicket": holder}
    assert {**first, "scanId": ""} == {
        **entry,
        "scanId": "",
        "direction": "in",
        "result": "admitted",
        "reason": None,
        "objection": None,
    }
    assert second["result"] == "refused"
    assert second["reason"] == "already_admitted"
    assert {key: second[key] for key in entry} == entry
    assert world.violations() == []


def test_a_short_code_may_be_typed_in_any_way(world: DoorWorld) -> None:
    phone = world.phone()
    spellings: list[Callable[[str], str]] = [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: f" {code} ",
        " ".join,
    ]
    for guest, spell in zip(world.guests(4), spellings, strict=True):
        assert phone.verdict(spell(guest.code)) == "admitted"
        assert phone.verdict(guest.qr_text) == "already_admitted"


def test_a_code_from_before_signing_is_still_good(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    world.change(ETicket, ETicket.id == guest.e_ticket_id, qr_text="A7" * 13)

    assert phone.verdict("a7" * 13) == "admitted"
    assert phone.verdict(guest.qr_text) == "already_admitted"  # signed by us: the same seat


def test_the_same_scan_id_gets_the_same_answer_and_no_second_record(world: DoorWorld) -> None:
    guest, phone, scan_id = world.guest(), world.phone(), new_id()

    first = phone.scan(guest.qr_text, scanId=scan_id)
    world.pass_time(minutes=5)
    again = phone.scan(guest.qr_text, scanId=scan_id.upper())
    refusal = phone.scan(guest.qr_text)
    world.change(ETicket, revoked_at=START)
    same_refusal = phone.scan(guest.qr_text, scanId=refusal["scanId"])

    for answer in (first, again, refusal, same_refusal):
        del answer["requestId"]
    assert first == again
    assert refusal == same_refusal
    assert len(world.scans()) == 2
    assert world.violations() == []


def test_a_scan_id_of_another_code_is_refused(world: DoorWorld) -> None:
    (one, other), phone, scan_id = world.guests(2), world.phone(), new_id()
    phone.scan(one.qr_text, scanId=scan_id)

    answer = phone.post("/api/check-ins", phone.body(other.qr_text, scanId=scan_id))

    assert answer.status_code == 409
    assert answer.json
    assert answer.json["code"] == "scan_id_reused"
    assert world.seat(other).admitted_at is None


def test_every_scan_keeps_gate_caller_and_both_clocks(world: DoorWorld) -> None:
    guest, phone, partner = world.guest(), world.phone(), world.partner()
    phone.clock = timedelta(hours=-3)
    phone.scan(guest.qr_text)
    partner.scan(guest.qr_text, gate=None)

    ours, theirs = world.scans(guest)
    assert (ours.scanned_at, ours.happened_at, ours.created_at) == (START - 3 * HOUR, START, START)
    assert (ours.gate, ours.is_offline) == ("A", False)
    assert ours.device_id
    assert (ours.staff_id, ours.api_key_id, theirs.device_id) == (None, None, None)
    assert theirs.api_key_id
    assert (theirs.gate, theirs.admitted_gate, theirs.admitted_at) == (None, "A", START)


def test_a_phone_that_has_not_heard_its_gate_yet_scans_by_its_rules(quick_world: DoorWorld) -> None:
    world = quick_world
    guest, stranger = world.guest(), world.guest("VIP")
    phone = world.phone(gate_id=world.gate("East", ticket_ids=[world.ticket("Reguler")]))

    assert phone.verdict(stranger.qr_text, gate=None) == "wrong_ticket"
    assert phone.scan(guest.qr_text, gate=None)["gate"] == "East"

    [entry] = world.scans(guest)
    assert (entry.gate, world.seat(guest).admitted_gate) == ("East", "East")


def test_staff_of_the_door_scan_in_their_browser(quick_world: DoorWorld) -> None:
    guest = quick_world.guest()
    browser = Office(quick_world.app).log_in(Role.DOOR)
    body = Caller(quick_world).body(guest.qr_text)

    answer = browser.post("/api/check-ins", json=body)
    foreign = browser.post("/api/check-ins", json=body, headers={"Sec-Fetch-Site": "cross-site"})

    assert (answer.status_code, foreign.status_code) == (200, 403)
    assert quick_world.scans(guest)[0].staff_id


@pytest.mark.parametrize("path", ["", "/batch", "/5d9b6bd0-5b3c-4e7f-9a55-0f2f8d7b1c11/undo"])
def test_nobody_scans_without_leave(quick_world: DoorWorld, path: str) -> None:
    url = f"/api/check-ins{path}"
    for caller, status, code in (
        (Caller(quick_world), 401, "door_login_required"),
        (Caller(quick_world, cookie="x" * 43), 401, "door_login_required"),
        (Caller(quick_world, key="tedx_wrong"), 401, "api_key_invalid"),
        (quick_world.partner("orders:write"), 403, "insufficient_scope"),
    ):
        answer = caller.post(url, {})
        assert answer.json
        assert (answer.status_code, answer.json["code"]) == (status, code)
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "   "}, "code"),
        ({"code": 7}, "code"),
        ({"code": "X" * 8001}, "code"),
        ({"scanId": "1"}, "scanId"),
        ({"scanId": None}, "scanId"),
        ({"scannedAt": "2027-01-23T09:00:00"}, "scannedAt"),
        ({"scannedAt": "yesterday"}, "scannedAt"),
        ({"scannedAt": "0001-01-01T00:00:00+14:00"}, "scannedAt"),
        ({"gate": "G" * 33}, "gate"),
        ({"direction": "up"}, "direction"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_read_is_refused_by_field(
    quick_world: DoorWorld, changes: dict[str, Any], field: str
) -> None:
    phone = quick_world.phone()

    answer = phone.post("/api/check-ins", phone.body("A") | changes)

    assert answer.json
    assert (answer.status_code, answer.json["code"]) == (422, "validation_error")
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert quick_world.scans() == []


def test_a_check_in_takes_few_statements(world: DoorWorld) -> None:
    (one, _), phone, statements, checkouts = world.guests(2), world.phone(), [], []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    def note_checkout(*arguments: Any) -> None:
        checkouts.append(arguments)

    with world.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    sa.event.listen(engine, "checkout", note_checkout)
    counts = []
    for code in (one.qr_text, one.qr_text, "nobody's"):
        phone.scan(code)
        counts.append(len([each for each in statements if not each.startswith("BEGIN")]))
        statements.clear()
    sa.event.remove(engine, "before_cursor_execute", note)
    sa.event.remove(engine, "checkout", note_checkout)

    assert len(checkouts) == 3 * 2, "one to see who asks, one for the transaction"
    # Who asks, the seat, the gate, then the UPDATE that decides and the record of it.
    assert counts == [5, 4, 3]


def test_the_record_of_a_scan_outlives_everything(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    for code in (guest.qr_text, guest.qr_text, "unknown"):
        phone.scan(code)

    with world.app.app_context():
        kept = db.session.scalar(sa.select(sa.func.count()).select_from(CheckIn))
    assert kept == 3

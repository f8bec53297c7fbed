"""POST /api/door/sync: what a phone needs to decide by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app.extensions import db
from app.models import (
    CheckIn,
    Device,
    DeviceRole,
    Direction,
    ETicket,
    ScanResult,
)
from app.services.office.partners import add_key
from tests.door.calls import REPORT, pair, sync
from tests.door.seeding import SeededDoor, SoldSeat, seeded_door


def scan(seat: SoldSeat | None, at: datetime, **values: Any) -> dict[str, Any]:
    return {
        "scan_id": f"{datetime.now(UTC).timestamp()}",
        "e_ticket_id": seat and seat.e_ticket_id,
        "code": "",
        "direction": Direction.IN,
        "result": ScanResult.ADMITTED,
        "scanned_at": at,
        "happened_at": at,
        "created_at": at,
    } | values


def enter(door: SeededDoor, seat: SoldSeat, at: datetime) -> None:
    """Let a guest in as the check-in service would have."""
    change = sa.update(ETicket).where(ETicket.id == seat.e_ticket_id)
    door.run(change.values(admitted_at=at, admitted_gate="A", is_inside=True))
    door.insert(CheckIn, **scan(seat, at))


def changed(answer: dict[str, Any]) -> set[int]:
    return {change[0] for change in answer["changes"]}


def test_a_phone_learns_what_it_needs_to_decide(app: Flask, door: SeededDoor) -> None:
    opens_at = datetime(2027, 1, 23, 2, tzinfo=UTC)
    gate_id = door.add_gate("A", opens_at=opens_at, has_exit=True, has_reentry=True)
    ticket_id = door.add_ticket(type="Reguler", admit_from=opens_at)
    door.set_lane_mode(True)
    phone = pair(app, door, "Phone A", lanes="ABCD", gate_id=gate_id)
    pair(app, door, "Boss", role=DeviceRole.SUPERVISOR)

    answer = sync(phone)

    gate: dict[str, Any] = {
        "name": "A",
        "ticketIds": [],
        "opensAt": "2027-01-23T02:00:00+00:00",
        "closesAt": None,
        "hasReentry": True,
        "hasExit": True,
    }
    device = answer["device"]
    assert (device["name"], device["role"], device["lanes"]) == ("Phone A", "scanner", "ABCD")
    assert (device["gate"], answer["gates"], answer["laneMode"]) == (gate, [gate], True)
    assert answer["tickets"][str(ticket_id)] == {
        "type": "Reguler",
        "admitFrom": "2027-01-23T02:00:00+00:00",
        "admitUntil": None,
    }
    assert [key["id"] for key in answer["keys"]] == [door.key_id]
    assert answer["phones"] == [
        {"name": "Phone A", "gate": "A", "lanes": "ABCD"},
        {"name": "Boss", "gate": None, "lanes": "EFGHIJKL"},
    ]
    assert abs(datetime.fromisoformat(answer["now"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_in_lane_mode_each_letter_is_decided_alone_by_one_phone(
    app: Flask, door: SeededDoor
) -> None:
    """A browser somebody merely logged in with has no lanes: alone it must admit nobody."""
    door.set_lane_mode(True)
    with app.app_context():
        key = add_key("Own scanner", ["door"], by="tests", now=door.now)
    keyed = app.test_client()
    headers = {"Authorization": f"Bearer {key}"}

    body = {"since": None, "report": REPORT}
    lanes_of_key = keyed.post("/api/door/sync", json=body, headers=headers).get_json()["device"]
    wishes: list[dict[str, Any]] = [
        {"lanes": "ABC"},
        {"lanes": "CDEF"},
        {"role": DeviceRole.SUPERVISOR},
        {"role": DeviceRole.SUPERVISOR},
    ]
    phones = [pair(app, door, f"Phone {n}", **wish) for n, wish in enumerate(wishes)]
    told = [sync(phone)["device"]["lanes"] for phone in phones]

    assert lanes_of_key["lanes"] == ""
    assert told == ["ABC", "DEF", "GHIJKL", ""]
    door.set_lane_mode(False)
    assert [sync(phone)["device"]["lanes"] for phone in phones] == [None] * 4


def test_what_a_phone_says_of_itself_is_kept(door: SeededDoor, phone: FlaskClient) -> None:
    sync(phone)

    [(report, seen)] = door.rows(sa.select(Device.report, Device.last_seen_at))
    assert report == REPORT
    assert seen.replace(tzinfo=UTC) > door.long_ago


def test_the_first_sync_tells_every_entry_and_the_next_ones_only_news(
    door: SeededDoor, phone: FlaskClient
) -> None:
    [first, second] = door.sell(door.add_ticket(), 2)
    enter(door, first, door.long_ago)

    whole = sync(phone)
    enter(door, second, datetime.now(UTC))
    news = sync(phone, whole["cursor"])

    assert whole["changes"] == [[first.seat_id, door.long_ago.isoformat(), "A", True]]
    assert changed(news) == {second.seat_id}


def test_an_undone_entry_is_news_however_old_it_is(door: SeededDoor, phone: FlaskClient) -> None:
    [seat] = door.sell(door.add_ticket())
    enter(door, seat, door.long_ago)
    whole = sync(phone)
    door.run(sa.update(CheckIn).values(undone_at=datetime.now(UTC)))
    stands = {"admitted_at": None, "admitted_gate": None, "is_inside": False}
    door.run(sa.update(ETicket).values(**stands))

    news = sync(phone, whole["cursor"])

    assert news["changes"] == [[seat.seat_id, None, None, False]]


def test_a_scan_committed_after_one_with_a_higher_id_is_not_lost(
    mariadb_app: Flask,
) -> None:
    """Two scans at once: the first takes its id first and commits last, behind the cursor."""
    with seeded_door(mariadb_app.config["SQLALCHEMY_DATABASE_URI"]) as door:
        [slow, fast] = door.sell(door.add_ticket(), 2)
        phone = pair(mariadb_app, door, "Phone 1")
        with door.engine.connect() as connection:
            connection.execute(sa.insert(CheckIn).values(**scan(slow, datetime.now(UTC))))
            enter(door, fast, datetime.now(UTC))
            before = sync(phone)
            again = sync(phone, before["cursor"])
            connection.commit()
        after = sync(phone, again["cursor"])

    assert changed(before) == changed(again) == {fast.seat_id}
    assert slow.seat_id in changed(after)


def test_settled_scans_are_told_once(door: SeededDoor, phone: FlaskClient) -> None:
    """Else every call would tell the whole evening again."""
    [old, new] = door.sell(door.add_ticket(), 2)
    enter(door, old, datetime.now(UTC) - timedelta(minutes=2))
    enter(door, new, datetime.now(UTC))

    cursor = sync(phone)["cursor"]

    assert changed(sync(phone, cursor)) == {new.seat_id}


def test_a_call_costs_few_statements_however_many_seats_there_are(
    app: Flask, door: SeededDoor, phone: FlaskClient
) -> None:
    sold = door.sell(door.add_ticket(), 40)
    for seat in sold[:20]:
        enter(door, seat, datetime.now(UTC))
    door.add_gate("A")
    cursor = sync(phone)["cursor"]  # and the note of when it was last seen
    statements: list[str] = []

    with app.app_context():
        engine = db.engine

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        sync(phone, cursor)
        told = len([s for s in statements if not s.startswith(("BEGIN", "PRAGMA"))])
        statements.clear()
        phone.get("/api/door/tickets")
        paged = len([s for s in statements if not s.startswith(("BEGIN", "PRAGMA"))])
    finally:
        event.remove(engine, "before_cursor_execute", note)

    assert told <= 13, statements
    assert paged <= 7, statements


def test_strangers_learn_nothing(app: Flask) -> None:
    stranger = app.test_client()

    asked = stranger.post("/api/door/sync", json={"since": None, "report": REPORT})
    listed = stranger.get("/api/door/tickets")

    assert [a.status_code for a in (asked, listed)] == [401, 401]
    assert asked.get_json()["code"] == "door_login_required"


def test_a_phone_that_was_cut_off_is_told_so(door: SeededDoor, phone: FlaskClient) -> None:
    door.cut_off("Phone 1")

    refused = phone.get("/api/door/tickets")

    assert (refused.status_code, refused.get_json()["code"]) == (401, "device_cut_off")
    assert refused.headers["Clear-Site-Data"] == '"cache", "storage"'


@pytest.mark.parametrize(
    "body",
    [
        {"report": REPORT},
        {"since": None},
        {"since": "yesterday", "report": REPORT},
        {"since": 7, "report": REPORT},
        {"since": "1.2.3", "report": REPORT},
        {"since": None, "report": REPORT | {"battery": 101}},
        {"since": None, "report": REPORT | {"clock": "noon"}},
        {"since": None, "report": REPORT | {"mood": "good"}},
    ],
    ids=str,
)
def test_bodies_that_make_no_sense_are_refused(phone: FlaskClient, body: dict[str, Any]) -> None:
    answer = phone.post("/api/door/sync", json=body)

    assert (answer.status_code, answer.get_json()["code"]) == (422, "validation_error")

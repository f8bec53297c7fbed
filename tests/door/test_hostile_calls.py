"""Calls that nobody sends by mistake: refused, and never an error of ours."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import Device
from app.services.door.live import look_at_door
from app.services.running.inspections import inspect_if_due
from tests.door.calls import REPORT
from tests.door.world import DoorWorld


def sync(world: DoorWorld, since: str | None, **report: Any) -> int:
    body = {"since": since, "report": {**REPORT, **report}}
    return world.phone().post("/api/door/sync", body).status_code


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("1.999999999999", 422),
        ("1.253402300800", 422),
        ("1.nan", 422),
        ("1.1e9", 422),
        ("999999999999999999.0", 200),
        ("0.99999999999", 200),
    ],
)
def test_a_cursor_that_is_no_time_is_none_of_ours(
    world: DoorWorld, since: str, status: int
) -> None:
    assert sync(world, since) == status


@pytest.mark.parametrize("number", [10**7, 10**25, 10**400, -1, 1.5, True])
@pytest.mark.parametrize("name", ["queued", "tickets"])
def test_a_phone_cannot_report_what_no_phone_holds(
    quick_world: DoorWorld, name: str, number: Any
) -> None:
    assert sync(quick_world, None, **{name: number}) == 422


@pytest.mark.parametrize("queued", [10**25, -5, "many", None, 1.5, [1], {"a": 1}])
def test_the_numbers_are_told_whatever_report_is_stored(world: DoorWorld, queued: Any) -> None:
    world.phone()
    with world.app.app_context():
        # Written as text: JSON on SQLite has no number that is too large for it.
        report = json.dumps({"queued": queued})
        db.session.execute(sa.text("UPDATE devices SET report = :it"), {"it": report})
        db.session.commit()
        assert db.session.scalar(sa.select(Device.report)) == {"queued": queued}
        db.session.remove()

    answer = world.app.test_client().get("/metrics")

    assert answer.status_code == 200
    expected = 1_000_000 if queued == 10**25 else 0
    [line] = [each for each in answer.text.splitlines() if each.startswith("tickets_devices_q")]
    assert float(line.split()[-1]) == expected


def test_gates_that_differ_in_case_or_accent_are_two(world: DoorWorld) -> None:
    names = ["Gate A", "gate a", "Gate Á"]
    phone = world.phone()
    for name, guest in zip(names, world.guests(3), strict=True):
        world.gate(name)
        phone.scan(guest.qr_text, gate=name)

    with world.app.app_context():
        numbers = look_at_door(world.now)
        inspect_if_due(world.now)
    told = world.app.test_client().get("/metrics").text

    assert {gate.name: gate.entered for gate in numbers.gates} == dict.fromkeys(names, 1)
    for name in names:
        assert f'tickets_admitted{{gate="{name}"}} 1.0' in told

"""Live numbers: what the page shows is what the scans say, on the page and for Prometheus."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import CheckIn, DeviceRole, ETicket, Role
from app.services.door import devices
from app.services.door.devices import DeviceWish
from app.services.door.live import SLOTS, look_at_door
from app.services.running.inspections import inspect_if_due
from app.services.running.metrics import ServiceCollector
from tests.door.world import DoorWorld
from tests.pages.html import Page
from tests.staff.office import Office, send

NOW = datetime(2027, 1, 23, 2, 2, 30, tzinfo=UTC)
Entry = tuple[str, int]


def let_in(office: Office, *entries: Entry, sold: int = 8) -> None:
    """Sell seats and let some in: at which gate, how many minutes before NOW."""
    world = DoorWorld(office.app, now=NOW)
    world.guests(sold)
    with office.working():
        seats = db.session.scalars(sa.select(ETicket).order_by(ETicket.id)).all()
        for seat, (gate, minutes) in zip(seats, entries, strict=False):
            seat.admitted_at, seat.admitted_gate = NOW - timedelta(minutes=minutes), gate
            seat.is_inside = True


def test_entries_are_counted_by_gate_and_slot(office: Office) -> None:
    office.add_gate("B")
    let_in(office, ("A", 0), ("A", 1), ("A", 3), ("B", 7), ("A", 119), ("A", 300))
    with office.working():
        numbers = look_at_door(NOW)
    assert (numbers.entered, numbers.inside, numbers.expected) == (6, 6, 8)
    assert numbers.starts[-1] == datetime(2027, 1, 23, 2, 0, tzinfo=UTC)
    assert numbers.starts[0] == datetime(2027, 1, 23, 0, 5, tzinfo=UTC)
    a, b = numbers.gates
    assert (a.name, a.entered, a.earlier) == ("A", 5, 2)
    assert (b.name, b.entered, b.per_slot[-2:]) == ("B", 1, (1, 0))
    assert a.per_slot == (0,) * (SLOTS - 2) + (1, 2)
    assert numbers.per_slot[-2:] == (2, 2)
    assert numbers.busiest == 2


def test_after_the_event_the_picture_still_shows_it(office: Office) -> None:
    let_in(office, ("A", 0), ("A", 10))
    with office.working():
        numbers = look_at_door(NOW + timedelta(days=3))
    assert numbers.starts[-1] == datetime(2027, 1, 23, 2, 0, tzinfo=UTC)
    assert sum(numbers.per_slot) == 2


def test_a_door_nobody_came_to_is_shown_too(office: Office) -> None:
    with office.working():
        numbers = look_at_door(NOW)
    assert (numbers.entered, numbers.inside, numbers.expected, numbers.gates) == (0, 0, 0, ())
    assert (numbers.per_slot, numbers.busiest) == ((), 0)
    page = Page(office.log_in(Role.DOOR).get("/staff/door"))
    assert "Nobody has entered yet." in page.text
    assert "Nobody was refused." in page.text


def test_a_revoked_ticket_is_not_expected(small_office: Office) -> None:
    let_in(small_office)
    with small_office.working():
        seat = db.session.scalars(sa.select(ETicket).limit(1)).one()
        seat.revoked_at = NOW
    with small_office.working():
        assert look_at_door(NOW).expected == 7


def test_real_scans_appear_on_the_page_and_in_the_metrics(office: Office) -> None:
    world = DoorWorld(office.app, now=datetime.now(UTC))
    office.add_gate("A")
    guest, client = world.guest(), office.log_in(Role.DOOR)
    for number in range(2):
        body = {"code": guest.qr_text, "scanId": f"0b8e9a52-6f1e-4c55-9d53-0d1a4a5b7c1{number}"}
        body |= {"scannedAt": world.now.isoformat(), "gate": "A"}
        assert client.post("/api/check-ins", json=body).status_code == 200
    with office.working():
        wish = DeviceWish("Ayu", DeviceRole.SCANNER, None, "")
        devices.adopt(wish, by="x", now=world.now)
        [phone] = devices.list_devices()
        devices.note_seen(phone.id, now=world.now, report={"queued": 7, "battery": 41})
    page = Page(client.get("/staff/door"))
    assert [page.by_id(name).text for name in ("entered", "inside", "expected")] == ["1", "1", "1"]
    assert "Has entered already1" in [row.text for row in page.all("tr")]
    assert "Not sent yet7 scans" in [row.text for row in page.all("div")]
    with office.working():
        inspect_if_due(world.now)
        told = metrics()
    assert told["tickets_admitted", ("A",)] == 1
    assert told["tickets_inside", ()] == 1
    assert told["tickets_check_ins", ("admitted", "")] == 1
    assert told["tickets_check_ins", ("refused", "already_admitted")] == 1
    assert told["tickets_devices_queued", ()] == 7


def metrics() -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in ServiceCollector(NOW).collect()
        for sample in family.samples
    }


def test_the_refreshing_part_is_one_element_and_asks_for_itself(small_office: Office) -> None:
    let_in(small_office, ("A", 1))
    client = small_office.log_in(Role.DOOR)
    part = Page(client.get("/staff/door?poll=1", headers={"HX-Request": "true"}))
    [root] = [e for e in part.root.children if not isinstance(e, str)]
    assert root.attributes["id"] == "live"
    assert root.attributes["hx-get"] == "/staff/door?poll=1"


@pytest.mark.parametrize("scans", [1, 40])
def test_the_page_takes_as_many_statements_for_one_entry_as_for_many(
    small_office: Office, scans: int
) -> None:
    let_in(small_office, *[("A", 1)] * min(scans, 8))
    for number in range(scans):
        small_office.add_phone(f"Phone {number}")
    client, statements = small_office.log_in(Role.DOOR), []
    with small_office.app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    client.get("/staff/door")
    selects = [one for one in statements if one.startswith("SELECT")]
    assert len(selects) <= 6


# --- double entries -----------------------------------------------------------------------------


def test_without_double_entries_the_page_says_so(small_office: Office) -> None:
    page = Page(small_office.log_in(Role.ADMIN).get("/staff/door/conflicts"))
    assert "No ticket came in twice." in page.text


def test_a_double_entry_is_shown_and_can_be_taken_back(office: Office) -> None:
    world = DoorWorld(office.app, now=datetime.now(UTC))
    guest, admin = world.guest(), office.log_in(Role.ADMIN)
    for number, (phone, gate) in enumerate((("Ayu", "North"), ("Budi", "South"))):
        client = office.browser()
        send(client, "/door/pair", code=office.add_phone(phone).code)
        fact: dict[str, Any] = {
            "code": guest.qr_text,
            "scanId": f"0b8e9a52-6f1e-4c55-9d53-0d1a4a5b7c1{number}",
        }
        fact |= {"scannedAt": world.now.isoformat(), "gate": gate, "direction": "in"}
        fact |= {"result": "admitted", "reason": None}
        body = {"sentAt": world.now.isoformat(), "checkIns": [fact]}
        assert client.post("/api/check-ins/batch", json=body).status_code == 200
    page = Page(admin.get("/staff/door/conflicts"))
    for words in ("1 ticket came in more than once", guest.code, "Ayu, without a network"):
        assert words in page.text
    assert "Entered again" in page.text
    assert "at South" in page.text
    path = "/staff/door/conflicts/undo"
    scan_id = page.all("input", name="scan_id")[1].attributes["value"]
    taken = send(admin, path, page="/staff/door/conflicts", scan_id=scan_id)
    assert taken.status == 303
    assert "No ticket came in twice." in Page(admin.get("/staff/door/conflicts")).text
    with office.working():
        row = db.session.scalars(sa.select(CheckIn).where(CheckIn.scan_id == scan_id)).one()
        assert row.undone_by == "admin@tedxsenja.example"

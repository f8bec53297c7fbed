"""Old codes at the door, after seats were changed: refused, or told of by who had no network."""

import pytest
from flask import Flask

from app.models import ScanReason, ScanResult
from app.services.door.batch import Fact, record_facts
from app.services.door.callers import DoorCaller
from app.services.door.checkin import Scan, check_in
from app.services.door.offline import list_sealed_seats
from tests.office.acts import change
from tests.office.desk import Desk

AYU = DoorCaller(None, None, None, "Ayu", "scanner")


@pytest.fixture
def desk(sqlite_app: Flask) -> Desk:
    return Desk(sqlite_app)


def changed_order(desk: Desk) -> tuple[str, tuple[int, str]]:
    """Change the only seat of an order; return its code, and the seat's old id and QR text."""
    old, new = desk.add_ticket("VIP"), desk.add_ticket("Tribun")
    code = desk.paid_order(old, 1)
    before = desk.read(code, lambda f: (f.order.e_tickets[0].seat_id, f.order.e_tickets[0].qr_text))
    change(desk, code, [1], new, 150_000)
    return code, before


def scan(desk: Desk, text: str, scan_id: str) -> Scan:
    return Scan(text, scan_id, desk.now(), "A")


def test_the_old_code_is_unknown_and_the_new_one_lets_in(desk: Desk) -> None:
    code, (_, old_text) = changed_order(desk)
    new_text = desk.read(code, lambda facts: facts.order.e_tickets[0].qr_text)
    with desk.app.app_context():
        refused = check_in(scan(desk, old_text, "first-scan"), caller=AYU, now=desk.now())
        admitted = check_in(scan(desk, new_text, "second-scan"), caller=AYU, now=desk.now())
    assert (refused.result, refused.reason) == (ScanResult.REFUSED, ScanReason.UNKNOWN_CODE)
    assert admitted.holder is not None
    assert (admitted.result, admitted.holder.ticket_type) == (ScanResult.ADMITTED, "Tribun")
    assert desk.violations() == []


def test_phones_carry_the_new_code_and_not_the_old_one(desk: Desk) -> None:
    code, (old_id, _) = changed_order(desk)
    with desk.app.app_context():
        carried = [seat.seat_id for seat in list_sealed_seats(after=0, now=desk.now()).seats]
    assert carried == [desk.read(code, lambda facts: facts.order.e_tickets[0].seat_id)]
    assert old_id not in carried


def test_who_came_in_on_the_old_code_without_network_is_inside_and_marked(desk: Desk) -> None:
    code, (old_id, _) = changed_order(desk)
    fact = Fact(scan(desk, "", "offline-scan"), ScanResult.ADMITTED, None, seat_id=old_id, key_id=1)
    with desk.app.app_context():
        [verdict] = record_facts([fact], sent_at=desk.now(), caller=AYU, now=desk.now())
    assert verdict is not None
    assert verdict.objection is ScanReason.UNKNOWN_CODE
    assert desk.read(code, lambda facts: facts.order.e_tickets[0].is_inside)
    assert desk.violations() == []

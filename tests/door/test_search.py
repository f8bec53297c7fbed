"""GET /api/door/search: a guest without a code, found by name or order, and nobody listed."""

from typing import Any

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import ETicket, Order, OrderStatus
from tests.door.world import START, Caller, DoorWorld, Guest


@pytest.fixture
def guest(world: DoorWorld) -> Guest:
    """Made Wira's seat, which Sari Dewi bought."""
    seat = world.guest()
    world.change(ETicket, ETicket.id == seat.e_ticket_id, attendee="Made 100% Wira")
    return seat


def found(caller: Caller, q: str) -> list[dict[str, Any]]:
    answer = caller.get("/api/door/search", q=q)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    results: list[dict[str, Any]] = answer.json["results"]
    return results


def test_a_guest_is_found_by_parts_of_a_name_order_or_code(world: DoorWorld, guest: Guest) -> None:
    phone = world.phone()
    with world.app.app_context():
        order_code = db.session.scalars(sa.select(Order.code)).one()

    searches = ["wira", "MADE wir", "sari", "100%", order_code, order_code[:5].lower(), guest.code]
    for q in searches:
        [hit] = found(phone, q)
        assert hit == {
            "code": guest.code,
            "attendee": "Made 100% Wira",
            "type": "Reguler",
            "orderCode": order_code,
            "admittedAt": None,
            "gate": None,
            "refusedFor": None,
        }
    for q in ("wirx", "m_de", "ma%ra", "wira putu"):
        assert found(phone, q) == []


def test_it_tells_who_entered_and_who_may_not(world: DoorWorld, guest: Guest) -> None:
    phone = world.phone()
    phone.scan(guest.qr_text)
    [entered] = found(phone, "wira")
    assert (entered["admittedAt"], entered["gate"]) == ("2027-01-23T09:00:00+07:00", "A")

    world.change(ETicket, revoked_at=START)
    assert found(phone, "wira")[0]["refusedFor"] == "revoked"
    world.change(Order, status=OrderStatus.CANCELLED)
    assert found(phone, "wira")[0]["refusedFor"] == "order_cancelled"


@pytest.mark.parametrize("q", ["", "ma", "a b", "%%%", "___", "x" * 101])
def test_nobody_gets_a_list_of_all_guests(quick_world: DoorWorld, q: str) -> None:
    answer = quick_world.phone().get("/api/door/search", q=q)

    assert answer.json
    assert (answer.status_code, answer.json["code"]) == (422, "validation_error")


def test_at_most_twenty_are_shown(quick_world: DoorWorld) -> None:
    for _ in range(3):
        quick_world.guests(10)

    assert len(found(quick_world.phone(), "sari")) == 20


def test_partners_and_strangers_do_not_see_names(quick_world: DoorWorld) -> None:
    for caller, status in ((quick_world.partner(), 403), (Caller(quick_world), 401)):
        assert caller.get("/api/door/search", q="sari").status_code == status

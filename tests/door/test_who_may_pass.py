"""Whom POST /api/check-ins lets pass, and what it tells the others."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import ETicket, Order, OrderStatus, ScanReason, ScanResult
from tests.door.world import START, DoorWorld

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "code",
    [
        "X" * 4000,
        "https://example.com/?q=1",
        "7K2M-9QPA",
        "😀",
        "A" * 122,
        "\ud800",
        "%' OR 1=1 --",
    ],
)
def test_a_foreign_code_is_refused_and_kept_no_longer_than_it_may_be(
    world: DoorWorld, code: str
) -> None:
    answer = world.phone().scan(code)

    assert (answer["result"], answer["reason"]) == ("refused", "unknown_code")
    assert (answer["eTicket"], answer["admittedAt"], answer["gate"]) == (None, None, None)
    [scan] = world.scans()
    assert (scan.result, scan.reason) == (ScanResult.REFUSED, ScanReason.UNKNOWN_CODE)
    assert scan.e_ticket_id is None
    assert scan.code == code.encode("utf-8", "replace").decode()[:200]


def test_a_code_that_was_changed_or_signed_by_another_key_is_unknown(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    place = 5
    other = "A" if guest.qr_text[place] != "A" else "B"
    changed = guest.qr_text[:place] + other + guest.qr_text[place + 1 :]
    signature = guest.qr_text[:40] + ("A" if guest.qr_text[40] != "A" else "B")
    tampered = signature + guest.qr_text[41:]

    assert phone.verdict(changed) == "unknown_code"
    assert phone.verdict(tampered) == "unknown_code"
    with world.app.app_context():
        db.session.execute(sa.text("UPDATE signing_keys SET revoked_at = created_at"))
        db.session.commit()
    assert phone.verdict(guest.qr_text) == "unknown_code"
    assert phone.verdict(guest.code) == "admitted"  # its seat is sold all the same


def refused(world: DoorWorld, reason: str, **changes: Any) -> None:
    guest, phone = world.guest(), world.phone()
    for name, value in changes.items():
        if name == "gate":
            world.gate("A", **value)
        elif name == "ticket":
            world.change_ticket(**value)
        elif name == "seat":
            world.change(ETicket, ETicket.id == guest.e_ticket_id, **value)
        else:
            world.change(Order, **value)
    assert phone.verdict(guest.qr_text) == reason
    assert world.seat(guest).admitted_at is None
    [scan] = world.scans(guest)
    assert scan.reason
    assert scan.reason.value == reason
    assert (scan.gate, scan.code) == ("A", guest.qr_text)
    assert world.violations() == []


def test_a_revoked_e_ticket_is_refused(world: DoorWorld) -> None:
    refused(world, "revoked", seat={"revoked_at": START})


def test_a_cancelled_order_is_named_although_it_revokes_its_e_tickets(world: DoorWorld) -> None:
    guest, phone = world.guest(), world.phone()
    world.change(Order, status=OrderStatus.CANCELLED)
    world.change(ETicket, revoked_at=START)

    assert phone.verdict(guest.qr_text) == "order_cancelled"


def test_a_ticket_the_gate_does_not_admit_is_refused(world: DoorWorld) -> None:
    refused(world, "wrong_ticket", gate={"ticket_ids": [world.ticket("VIP")]})


def test_a_ticket_the_gate_admits_is_let_in(world: DoorWorld) -> None:
    world.gate("A", ticket_ids=[world.ticket("VIP"), world.ticket()])

    assert world.phone().verdict(world.guest().qr_text) == "admitted"


@pytest.mark.parametrize(
    "limit",
    [
        {"gate": {"opens_at": START + HOUR}},
        {"gate": {"closes_at": START}},
        {"ticket": {"admit_from": START + HOUR}},
        {"ticket": {"admit_until": START}},
    ],
)
def test_before_and_after_its_time_a_ticket_is_refused(
    world: DoorWorld, limit: dict[str, Any]
) -> None:
    refused(world, "outside_period", **limit)


def test_a_moved_event_needs_no_new_tickets(world: DoorWorld) -> None:
    world.ticket()
    world.change_ticket(admit_until=START - HOUR)
    guest, phone = world.guest(), world.phone()

    assert phone.verdict(guest.qr_text) == "outside_period"
    world.change_ticket(admit_until=START + HOUR)
    assert phone.verdict(guest.qr_text) == "admitted"


def test_in_lane_mode_a_phone_admits_its_lanes_and_a_supervisor_all(world: DoorWorld) -> None:
    one, other = world.guests(2)
    world.change(ETicket, ETicket.id == one.e_ticket_id, seat_id=12, qr_text="A2" * 13)
    world.change(ETicket, ETicket.id == other.e_ticket_id, seat_id=25, qr_text="B2" * 13)
    phone, supervisor = world.phone(lanes="A"), world.phone("Boss", is_supervisor=True)
    world.lane_mode()

    assert phone.verdict("A2" * 13) == "admitted"
    answer = phone.scan("B2" * 13)
    assert (answer["reason"], answer["eTicket"]["lane"]) == ("wrong_lane", "B")
    assert supervisor.verdict("B2" * 13) == "admitted"


def test_with_re_entry_a_guest_goes_out_and_comes_back(world: DoorWorld) -> None:
    world.gate("A", has_reentry=True, has_exit=True)
    guest, phone = world.guest(), world.phone()

    steps = [("out", "not_inside"), ("in", "admitted"), ("in", "already_admitted")]
    steps += [("out", "admitted"), ("out", "not_inside"), ("in", "admitted")]
    for direction, verdict in steps:
        assert phone.verdict(guest.qr_text, direction=direction) == verdict  # the clock stands

    seat = world.seat(guest)
    assert (seat.admitted_at, seat.is_inside) == (START, True)
    assert phone.verdict(guest.qr_text, gate="B") == "already_admitted"
    assert world.violations() == []

"""Correcting an order: its buyer, its names, and where its e-tickets go."""

import pytest
from flask import Flask

from app.services.office import order_correcting
from app.services.office.updated_etickets import SEND_UPDATED
from app.services.selling.ordering import Buyer
from tests.office.acts import correct
from tests.office.desk import BY, GUESTS, SARI, Desk

MOVED = Buyer("Sari Dewi", "sari@example.org", "+6281234567890")


@pytest.fixture
def desk(sqlite_app: Flask) -> Desk:
    return Desk(sqlite_app)


def test_another_address_gets_the_e_tickets_and_the_old_ones_can_be_made_worthless(
    desk: Desk,
) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    old, link = desk.seats(code), desk.read(code, lambda facts: facts.order.token)

    assert correct(desk, code, MOVED, are_codes_new=True)

    assert desk.read(code, lambda facts: facts.order.user.email) == MOVED.email
    assert {seat[2] for seat in old}.isdisjoint(seat[2] for seat in desk.seats(code))
    assert desk.app.test_client().get(f"/orders/{link}").status_code == 404, "it was in that mail"
    assert desk.jobs(SEND_UPDATED) == 1
    assert desk.violations() == []


def test_a_corrected_phone_number_mails_nothing_and_keeps_the_codes(desk: Desk) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    old = desk.seats(code)

    link = desk.read(code, lambda facts: facts.order.token)
    correction = Buyer(SARI.full_name, SARI.email, "+6281111111111")

    assert not correct(desk, code, correction, are_codes_new=True)

    assert (desk.seats(code), desk.jobs(SEND_UPDATED)) == (old, 0)
    assert desk.read(code, lambda facts: facts.order.token) == link
    assert desk.done(code) == ["order.buyer_corrected"]


def test_a_correction_that_corrects_nothing_is_not_recorded(desk: Desk) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    assert not correct(desk, code, SARI)
    assert desk.done(code) == []


@pytest.mark.parametrize("is_paid", [True, False])
def test_a_corrected_name_stands_on_its_seat_and_in_the_order(desk: Desk, is_paid: bool) -> None:
    code = desk.order(desk.add_ticket("Reguler"))
    if is_paid:
        desk.pay(code)
    with desk.app.app_context():
        order_correcting.correct_names(
            desk.id_of(code),
            {2: "Bima Santoso"},
            is_mailed=True,
            seen=desk.seen(code),
            by=BY,
            now=desk.now(),
        )

    names = [GUESTS[0], "Bima Santoso"]
    assert desk.read(code, lambda facts: facts.order.items[0].attendees) == names
    assert [seat[0] for seat in desk.seats(code)] == (names if is_paid else [])
    assert desk.jobs(SEND_UPDATED) == is_paid

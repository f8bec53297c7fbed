"""Vouchers: what they open, what they make of a price, and how often they are good."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.errors import FieldRefusal, SoldOut, TicketNotFound
from app.extensions import db
from app.models import Order, OrderItem, Ticket, Voucher, VoucherEffect, VoucherUse
from app.services.money import cancelling
from app.services.money.payments import CONFIRM
from app.services.selling import voucher_editing
from app.services.selling.ordering import EXPIRE_ORDER, PlacedOrder
from app.services.selling.voucher_refusals import VoucherNotValid, VoucherUnknown, VoucherUsedUp
from app.services.selling.vouchers import VoucherTerms
from app.services.selling.wishes import HIGHEST_PRICE, VoucherWish
from tests.money.world import PRICE, World, request_for

CODE = "TEMAN-2027"
HALF = VoucherWish(VoucherEffect.PERCENT, 50, None, None, None, None, "")
FREE = replace(HALF, value=100)


def make(world: World, code: str = CODE, wish: VoucherWish = HALF, **changes: Any) -> int:
    with world.app.app_context():
        wish = replace(wish, **changes)
        return voucher_editing.create_voucher(code, wish, by="tests", now=world.now())


def order(world: World, ticket_id: int, quantity: int = 1, code: str = CODE) -> PlacedOrder:
    return world.place_request(replace(request_for({ticket_id: quantity}), voucher=code))


def used(world: World, voucher_id: int) -> int:
    with world.app.app_context():
        return db.session.get_one(VoucherUse, voucher_id).used


def hide(world: World, ticket_id: int) -> None:
    world.change(Ticket, Ticket.id == ticket_id, is_hidden=True)


def terms(effect: VoucherEffect, value: int) -> VoucherTerms:
    return VoucherTerms(1, CODE, effect, value, True, None, None, None, None)


@pytest.mark.parametrize(
    ("effect", "value", "list_price", "price"),
    [
        (VoucherEffect.NONE, 0, 150_000, 150_000),
        (VoucherEffect.PERCENT, 20, 150_000, 120_000),
        (VoucherEffect.PERCENT, 33, 99_999, 67_000),
        (VoucherEffect.PERCENT, 100, 150_000, 0),
        (VoucherEffect.AMOUNT_OFF, 50_000, 150_000, 100_000),
        (VoucherEffect.AMOUNT_OFF, 200_000, 150_000, 0),
        (VoucherEffect.FIXED_PRICE, 99_000, 150_000, 99_000),
        (VoucherEffect.FIXED_PRICE, 99_000, 80_000, 80_000),
    ],
)
def test_what_a_voucher_makes_of_a_price(
    effect: VoucherEffect, value: int, list_price: int, price: int
) -> None:
    assert terms(effect, value).price_of(list_price) == price


@given(st.integers(0, HIGHEST_PRICE), st.integers(1, 100))
def test_a_percentage_is_rounded_to_whole_rupiah_and_never_more_than_promised(
    list_price: int, percent: int
) -> None:
    price = terms(VoucherEffect.PERCENT, percent).price_of(list_price)

    assert 0 <= price <= list_price
    assert list_price * (100 - percent) <= price * 100 < list_price * (100 - percent) + 100


def test_the_item_keeps_the_true_price_and_the_invoice_adds_up(each_world: World) -> None:
    cheap, other = each_world.add_ticket("A"), each_world.add_ticket("B")
    voucher = make(each_world, ticket_ids=(cheap,), value=33)

    placed = each_world.place_request(replace(request_for({cheap: 3, other: 1}), voucher=CODE))

    reduced = PRICE - PRICE * 33 // 100
    assert placed.total == 3 * reduced + PRICE
    assert each_world.try_open_invoice(placed)
    [invoice] = each_world.standin.invoices(placed.code)
    assert invoice["amount"] == placed.total
    lines = [(item["quantity"], item["price"]) for item in invoice["items"]]
    assert lines == [(3, reduced), (1, PRICE)]
    with each_world.app.app_context():
        items = db.session.scalars(sa.select(OrderItem).order_by(OrderItem.ticket_id)).all()
        assert [(i.price, i.list_price, i.voucher_id) for i in items] == [
            (reduced, PRICE, voucher),
            (PRICE, None, None),
        ]
    assert used(each_world, voucher) == 3
    assert each_world.violations() == []


def test_a_voucher_that_makes_it_free_pays_the_order_at_once(world: World) -> None:
    ticket = world.add_ticket()
    make(world, wish=FREE)

    placed = order(world, ticket, 2)

    assert (placed.is_paid, placed.total) == (True, 0)
    assert world.standing(placed).e_tickets == 2
    assert world.violations() == []


def test_what_it_is_used_for_comes_back_when_the_order_ends(each_world: World) -> None:
    ticket = each_world.add_ticket()
    voucher, other = make(each_world, wish=FREE, max_seats=3), make(each_world, "LAIN")
    unpaid, free = order(each_world, ticket, 2, "LAIN"), order(each_world, ticket, 3)
    assert (used(each_world, voucher), used(each_world, other)) == (3, 2)

    each_world.advance(hours=1)
    each_world.work(EXPIRE_ORDER)
    with each_world.app.app_context():
        cancelling.cancel_paid(free.order_id, now=each_world.now(), by="tests")

    assert each_world.standing(unpaid).order == "EXPIRED"
    assert (used(each_world, voucher), used(each_world, other)) == (0, 0)
    assert each_world.violations() == []


@pytest.mark.parametrize(("max_seats", "status"), [(1, "EXPIRED"), (2, "PAID")])
def test_late_money_gets_its_seats_only_while_the_voucher_has_room(
    each_world: World, max_seats: int, status: str
) -> None:
    ticket = each_world.add_ticket()
    voucher = make(each_world, max_seats=max_seats)
    late = order(each_world, ticket)
    assert each_world.try_open_invoice(late)
    each_world.advance(hours=1)
    each_world.work(EXPIRE_ORDER)
    order(each_world, ticket)

    each_world.standin.pay(each_world.invoice_id(late), "DANA", after_expiry=True)
    each_world.callback(late)
    each_world.work(CONFIRM)

    assert each_world.standing(late).order == status
    assert used(each_world, voucher) == max_seats
    assert each_world.violations() == []


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"max_seats": 1}, VoucherUsedUp),
        ({"valid_from": timedelta(hours=1)}, VoucherNotValid),
        ({"valid_until": timedelta(0)}, VoucherNotValid),
        ({"ticket_ids": "others"}, VoucherNotValid),
    ],
)
def test_a_voucher_that_does_not_count_refuses_the_order_and_says_why(
    world: World, changes: dict[str, Any], refusal: type[FieldRefusal]
) -> None:
    ticket, other = world.add_ticket("A"), world.add_ticket("B")
    moments = {k: world.now() + v for k, v in changes.items() if isinstance(v, timedelta)}
    ids = {"ticket_ids": (other,)} if "ticket_ids" in changes else {}
    make(world, **{**changes, **moments, **ids})

    with pytest.raises(refusal) as refused:
        order(world, ticket, 2)

    assert [error.field for error in refused.value.errors] == ["voucher"]
    assert world.count(Order) == 0
    assert world.violations() == []


def test_an_unknown_and_a_retired_code_are_refused(world: World) -> None:
    ticket = world.add_ticket()
    with pytest.raises(VoucherUnknown):
        order(world, ticket)
    voucher = make(world)
    world.change(Voucher, Voucher.id == voucher, retired_at=world.now())
    with pytest.raises(VoucherNotValid):
        order(world, ticket)


def test_a_hidden_ticket_is_sold_with_a_code_that_names_it_and_else_unknown(world: World) -> None:
    ticket = world.add_ticket()
    hide(world, ticket)
    make(world, "SEMUA")
    make(world, "VIP-01", effect=VoucherEffect.NONE, value=0, ticket_ids=(ticket,))

    with pytest.raises(TicketNotFound) as without:
        world.place(ticket)
    with pytest.raises(TicketNotFound) as with_another:
        order(world, ticket, code="SEMUA")
    with pytest.raises(TicketNotFound) as unknown:
        world.place(999)

    assert order(world, ticket, code="VIP-01").total == PRICE
    told = {str(e.value.extra()) for e in (without, with_another, unknown)}
    assert len(told) == 1, "nothing tells a hidden ticket from none"


def test_fewer_than_the_least_of_an_order_are_refused(world: World) -> None:
    ticket = world.add_ticket()
    world.change(Ticket, Ticket.id == ticket, min_per_order=2)

    with pytest.raises(FieldRefusal) as refused:
        world.place(ticket, 1)

    assert refused.value.code == "quantity_out_of_range"
    assert refused.value.errors[0].field == "items.0.quantity"
    assert world.place(ticket, 2).total == 2 * PRICE


def test_what_is_sold_out_is_said_before_what_a_code_is_good_for(world: World) -> None:
    ticket = world.add_ticket(amount=1)
    make(world, max_seats=1)

    with pytest.raises(SoldOut):
        order(world, ticket, 2)

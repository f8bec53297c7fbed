"""Placing an order: what is written, what is refused, and where the sale begins and ends."""

from datetime import timedelta

import pytest

from app.errors import QuantityOutOfRange, SaleClosed, SaleNotOpen, TicketNotFound, ValidationFailed
from app.extensions import db
from app.models import ETicket, Job, Order, Payment, Ticket, User
from app.services.money.payments import CONFIRM
from app.services.selling.eticketing import DELIVER
from app.services.selling.ordering import (
    EXPIRE_ORDER,
    OPEN_INVOICE,
    OrderRequest,
    PlacedOrder,
    WantedItem,
)
from tests.money.world import PRICE, SARI, Standing, World, request_for

MOMENT = timedelta(microseconds=1)


def items(world: World, placed: PlacedOrder) -> list[tuple[int, int, int, list[str]]]:
    with world.app.app_context():
        order = db.session.get_one(Order, placed.order_id)
        return [(i.ticket_id, i.quantity, i.price, i.attendees) for i in order.items]


def test_the_price_is_the_one_at_the_time_of_ordering(world: World) -> None:
    ticket = world.add_ticket()
    placed = world.place(ticket, 2)

    world.change(Ticket, Ticket.id == ticket, price=PRICE * 10)

    assert items(world, placed) == [(ticket, 2, PRICE, ["Sari Dewi"] * 2)]
    assert world.payment(placed).amount == 2 * PRICE
    assert world.try_open_invoice(placed)
    assert world.read(placed).amount == 2 * PRICE


def test_repeated_lines_of_a_ticket_become_one_item_with_every_name(each_world: World) -> None:
    one, other = each_world.add_ticket("A"), each_world.add_ticket("B")
    lines = (
        WantedItem(other, 1),
        WantedItem(one, 2, ("Budi", "Ayu")),
        WantedItem(one, 1, ("Eka",)),
    )

    placed = each_world.place_request(OrderRequest(SARI, lines))

    assert items(each_world, placed) == [
        (one, 3, PRICE, ["Budi", "Ayu", "Eka"]),
        (other, 1, PRICE, ["Sari Dewi"]),
    ]
    assert each_world.standing(placed).held == 3
    assert each_world.payment(placed).amount == 4 * PRICE


def test_repeated_lines_may_not_get_round_the_limit_of_an_order(world: World) -> None:
    ticket = world.add_ticket(most=3)
    lines = (WantedItem(ticket, 2), WantedItem(ticket, 2))

    with pytest.raises(QuantityOutOfRange) as refused:
        world.place_request(OrderRequest(SARI, lines))

    assert [error.field for error in refused.value.errors] == ["items.1.quantity"]


def test_an_order_waits_for_its_money_with_an_invoice_to_open_and_an_end(world: World) -> None:
    placed = world.place(world.add_ticket(), 2)

    assert world.standing(placed) == Standing("PENDING", "PENDING", held=2, sold=0, e_tickets=0)
    assert len(world.jobs(OPEN_INVOICE)) == len(world.jobs(EXPIRE_ORDER)) == 1
    assert world.count(Job) == 2


def test_a_free_order_is_paid_at_once_and_asks_xendit_for_nothing(each_world: World) -> None:
    placed = each_world.place(each_world.add_ticket(price=0), 2)

    assert placed.is_paid
    assert each_world.standing(placed) == Standing("PAID", "PAID", held=0, sold=2, e_tickets=2)
    assert each_world.try_open_invoice(placed) is None
    assert len(each_world.jobs(DELIVER)) == each_world.count(Job) == 1
    assert each_world.standin.requests() == []
    assert each_world.violations() == []


def test_a_free_ticket_beside_a_paid_one_waits_for_the_money(world: World) -> None:
    free, paid = world.add_ticket("Free", price=0), world.add_ticket("Paid")

    placed = world.place_request(request_for({free: 1, paid: 1}))

    assert world.standing(placed).order == "PENDING"
    assert world.payment(placed).amount == PRICE
    assert world.count(ETicket) == 0


def test_the_sale_opens_and_ends_at_the_exact_moment(each_world: World) -> None:
    ticket = each_world.add_ticket()
    opens = each_world.now() + timedelta(hours=1)
    ends = opens + timedelta(hours=1)
    each_world.change(Ticket, Ticket.id == ticket, valid_from=opens, valid_until=ends)

    with pytest.raises(SaleNotOpen):
        each_world.place(ticket, now=opens - MOMENT)
    each_world.place(ticket, now=opens)
    each_world.place(ticket, now=ends - MOMENT)
    with pytest.raises(SaleClosed):
        each_world.place(ticket, now=ends)

    assert each_world.count(Order) == 2


@pytest.mark.parametrize(
    ("quantity", "attendees", "refusal", "field"),
    [
        (0, (), QuantityOutOfRange, "items.0.quantity"),
        (-1, (), QuantityOutOfRange, "items.0.quantity"),
        (11, (), QuantityOutOfRange, "items.0.quantity"),
        (10**30, (), QuantityOutOfRange, "items.0.quantity"),
        (2, ("Budi",), ValidationFailed, "items.0.attendees"),
        (1, ("Budi", "Ayu"), ValidationFailed, "items.0.attendees"),
    ],
)
def test_a_line_that_cannot_be_is_refused_and_leaves_nothing(
    world: World,
    quantity: int,
    attendees: tuple[str, ...],
    refusal: type[QuantityOutOfRange] | type[ValidationFailed],
    field: str,
) -> None:
    line = WantedItem(world.add_ticket(), quantity, attendees)

    with pytest.raises((QuantityOutOfRange, ValidationFailed)) as refused:
        world.place_request(OrderRequest(SARI, (line,)))

    assert type(refused.value) is refusal
    assert [error.field for error in refused.value.errors] == [field]
    assert [world.count(model) for model in (Order, Payment, User, Job)] == [0, 0, 0, 0]


@pytest.mark.parametrize("ticket_id", [0, -1, 999_999, 2**62])
def test_a_ticket_that_is_not_there_is_named(each_world: World, ticket_id: int) -> None:
    known = each_world.add_ticket()

    with pytest.raises(TicketNotFound) as refused:
        each_world.place_request(request_for({known: 1, ticket_id: 1}))

    assert [error.field for error in refused.value.errors] == ["items.1.ticketId"]
    assert each_world.count(Order) == 0


def test_an_order_of_nothing_is_refused(world: World) -> None:
    with pytest.raises(ValidationFailed):
        world.place_request(OrderRequest(SARI, ()))


def test_a_new_order_has_nothing_to_confirm_yet(world: World) -> None:
    world.order(world.add_ticket())

    assert world.jobs(CONFIRM) == []

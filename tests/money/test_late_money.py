"""Late money: whatever a buyer chooses, and however often at once, there is one outcome."""

from collections.abc import Callable
from functools import partial

import pytest

from app.errors import CaseClosed, SoldOut
from app.models import Refund, RefundReason
from app.services.money import late_money
from app.services.money.payments import CONFIRM
from app.services.selling.ordering import EXPIRE_ORDER, PlacedOrder
from tests.money.world import PRICE, World
from tests.rows import rows_of

CHEAP = 100_000


def late_order(world: World, ticket: int) -> PlacedOrder:
    """Let an order be paid after its only seat was sold to somebody else."""
    placed = world.order(ticket)
    invoice = world.invoice_id(placed)
    world.advance(hours=1)
    world.work(EXPIRE_ORDER)
    world.place(ticket)
    world.standin.pay(invoice, "DANA", after_expiry=True)
    world.callback(placed)
    world.work(CONFIRM)
    assert world.standing(placed).payment == "PAID"
    return placed


def switch(world: World, placed: PlacedOrder, ticket: int) -> None:
    with world.app.app_context():
        late_money.take_other_seats(placed.order_id, ticket, now=world.now())


def refund(world: World, placed: PlacedOrder) -> None:
    with world.app.app_context():
        late_money.take_money_back(placed.order_id, now=world.now())


def wait(world: World, placed: PlacedOrder) -> None:
    with world.app.app_context():
        late_money.wait_for_seats(placed.order_id, now=world.now())


def sent_back(world: World, placed: PlacedOrder) -> list[tuple[RefundReason, int]]:
    with world.app.app_context():
        return [(each.reason, each.amount) for each in rows_of(placed.order_id, Refund)]


def test_other_seats_and_the_difference(each_world: World) -> None:
    placed = late_order(each_world, each_world.add_ticket(amount=1))
    cheap = each_world.add_ticket("Tribun", price=CHEAP)
    switch(each_world, placed, cheap)
    standing = each_world.standing(placed)
    assert (standing.order, standing.sold, standing.e_tickets) == ("PAID", 1, 1)
    assert sent_back(each_world, placed) == [(RefundReason.DIFFERENCE, PRICE - CHEAP)]
    assert each_world.violations() == []


MOMENTS = ("FOR UPDATE", "UPDATE ticket_stock", "INSERT INTO refunds")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("is_switch_first", [True, False])
def test_two_choices_at_once_have_one_outcome(
    mariadb_world: World, is_switch_first: bool, moment: str
) -> None:
    if moment == "UPDATE ticket_stock" and not is_switch_first:
        moment = "UPDATE cases"
    world = mariadb_world
    placed = late_order(world, world.add_ticket(amount=1))
    cheap = world.add_ticket("Tribun", price=CHEAP)
    choices: list[Callable[[], None]] = [
        lambda: switch(world, placed, cheap),
        lambda: refund(world, placed),
    ]

    answers = world.overlap(*(choices if is_switch_first else choices[::-1]), after=moment)

    assert [type(answer) for answer in answers] == [type(None), CaseClosed]
    outcome = (world.standing(placed).order, sent_back(world, placed))
    assert outcome == (
        ("PAID", [(RefundReason.DIFFERENCE, PRICE - CHEAP)])
        if is_switch_first
        else ("EXPIRED", [(RefundReason.SEATS_GONE, PRICE)])
    )
    assert world.violations() == []


@pytest.mark.parametrize("moment", ["FOR UPDATE", "UPDATE ticket_stock"])
def test_two_late_buyers_and_one_other_seat(mariadb_world: World, moment: str) -> None:
    world = mariadb_world
    late = [late_order(world, world.add_ticket(f"Reguler {n}", amount=1)) for n in range(2)]
    last = world.add_ticket("Tribun", price=CHEAP, amount=1)

    switches = [partial(switch, world, placed, last) for placed in late]
    answers = world.overlap(*switches, after=moment)

    assert {type(answer) for answer in answers} == {type(None), SoldOut}, answers
    assert sorted(world.standing(placed).order for placed in late) == ["EXPIRED", "PAID"]
    assert world.violations() == []


def test_a_seat_that_went_leaves_order_and_case_as_they_were(each_world: World) -> None:
    placed = late_order(each_world, each_world.add_ticket(amount=1))
    cheap = each_world.add_ticket("Tribun", price=CHEAP, amount=1)
    before = each_world.standing(placed)
    each_world.place(cheap)
    with pytest.raises(SoldOut):
        switch(each_world, placed, cheap)
    assert each_world.standing(placed) == before
    assert sent_back(each_world, placed) == []
    refund(each_world, placed)  # still open: another choice is possible
    assert sent_back(each_world, placed) == [(RefundReason.SEATS_GONE, PRICE)]
    assert each_world.violations() == []


def test_who_waits_is_served_in_the_order_of_their_money(each_world: World) -> None:
    ticket = each_world.add_ticket(amount=1)
    first = late_order(each_world, ticket)
    second = late_order_again(each_world, ticket)
    for placed in (second, first):
        wait(each_world, placed)
    each_world.advance(hours=1)
    each_world.work()  # whoever held the seat did not pay

    assert each_world.standing(first).order == "PAID"
    assert each_world.standing(second).order == "EXPIRED"
    assert each_world.violations() == []


def late_order_again(world: World, ticket: int) -> PlacedOrder:
    """The same, once the seat of the one before has come free."""
    world.advance(hours=1)
    world.work(EXPIRE_ORDER)
    return late_order(world, ticket)

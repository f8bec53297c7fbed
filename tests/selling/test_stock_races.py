"""Stock under a rush: never one seat too many, and the same rush without the guard."""

from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.errors import SoldOut
from app.extensions import db
from app.models import Order, Payment, TicketStock, User
from app.services.running import transaction
from app.services.selling import inventory, order_counter
from app.services.selling.inventory import Quantities, QuotaIds
from app.services.selling.ordering import PlacedOrder
from tests.harness.interleaving import MOMENT, say_moment
from tests.money.world import World, request_for

BUYERS = 5
AMOUNT = 3


def stock(world: World, ticket_id: int) -> tuple[int, int]:
    with world.app.app_context():
        row = db.session.get_one(TicketStock, ticket_id)
        return row.held, row.sold


def rush(world: World, ticket_id: int) -> list[PlacedOrder | Exception]:
    return world.in_threads(BUYERS, lambda _: world.place(ticket_id))


@pytest.fixture(params=["one process", "a process each"])
def processes(request: pytest.FixtureRequest) -> None:
    """Let the buyers meet at one counter, or only in the database."""
    if request.param == "a process each":
        request.getfixturevalue("a_process_each")


@pytest.mark.usefixtures("processes")
def test_exactly_what_there_is_can_be_held_in_a_rush(each_world: World) -> None:
    ticket = each_world.add_ticket(amount=AMOUNT)

    results = rush(each_world, ticket)

    refused = [result for result in results if isinstance(result, Exception)]
    assert len(results) - len(refused) == AMOUNT
    assert {type(error) for error in refused} == {SoldOut}
    assert stock(each_world, ticket) == (AMOUNT, 0)
    assert each_world.count(Order) == AMOUNT
    assert each_world.violations() == []


MOMENTS = ("FROM tickets", "INSERT INTO orders", "UPDATE ticket_stock")


def two_for_the_last(world: World, *, after: str) -> list[PlacedOrder | Exception]:
    """Let one buyer come for the last seat while another one who wants it is held."""
    ticket = world.add_ticket(amount=1)
    return list(world.overlap(*[lambda: world.place(ticket)] * 2, after=after))


@pytest.mark.usefixtures("a_process_each")
@pytest.mark.parametrize("moment", MOMENTS)
def test_of_two_who_come_for_the_last_seat_one_gets_it(mariadb_world: World, moment: str) -> None:
    results = two_for_the_last(mariadb_world, after=moment)

    assert {type(result) for result in results} == {PlacedOrder, SoldOut}, results
    assert mariadb_world.violations() == []


def careless_hold(session: Session, quantities: Quantities, quota_ids: QuotaIds) -> None:
    """Read, think, write: how seats are oversold. Two who think at once are enough."""
    for ticket_id, quantity in sorted(quantities.items()):
        row = session.get_one(TicketStock, ticket_id, populate_existing=True)
        held, free = row.held, row.amount - row.held - row.sold
        if free < quantity:
            raise SoldOut({ticket_id: free})
        say_moment(session)
        update = sa.update(TicketStock).where(TicketStock.ticket_id == ticket_id)
        session.execute(update.values(held=held + quantity))


@pytest.mark.usefixtures("a_process_each")
def test_without_the_guard_both_get_the_last_seat(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "hold", careless_hold)

    results = two_for_the_last(mariadb_world, after=MOMENT)

    assert [type(result) for result in results] == [PlacedOrder] * 2
    assert mariadb_world.violations() != []


def test_the_database_itself_refuses_one_seat_too_many(each_world: World) -> None:
    ticket = each_world.add_ticket(amount=AMOUNT)

    with pytest.raises(DBAPIError, match="not_oversold"):
        each_world.change(TicketStock, TicketStock.ticket_id == ticket, held=AMOUNT + 1)


def cross(world: World, one: int, other: int) -> list[PlacedOrder | Exception]:
    """Let two buyers want two tickets, each another one first; one holds its first one already."""
    buys = [
        partial(world.place_request, request_for(dict.fromkeys(wanted, 1)))
        for wanted in ((one, other), (other, one))
    ]
    return list(world.overlap(*buys, after="UPDATE ticket_stock"))


@pytest.fixture
def deadlocks(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Collects the conflicts that are repeated unseen by buyers."""
    seen: list[Exception] = []
    ask: Callable[[Exception], bool] = transaction.is_conflict

    def noticed(error: Exception) -> bool:
        if ask(error):
            seen.append(error)
        return ask(error)

    monkeypatch.setattr(transaction, "is_conflict", noticed)
    return seen


@pytest.mark.usefixtures("a_process_each")
def test_tickets_wanted_in_opposite_orders_never_lock_each_other_out(
    mariadb_world: World, deadlocks: list[Exception]
) -> None:
    one, other = (mariadb_world.add_ticket(name) for name in ("A", "B"))

    assert all(isinstance(r, PlacedOrder) for r in cross(mariadb_world, one, other))

    assert deadlocks == []
    assert stock(mariadb_world, one) == stock(mariadb_world, other) == (2, 0)


@pytest.mark.usefixtures("a_process_each")
def test_without_the_order_of_ids_the_same_buyers_deadlock(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch, deadlocks: list[Exception]
) -> None:
    for module in (inventory, order_counter):
        monkeypatch.setattr(module, "sorted", list, raising=False)
    one, other = (mariadb_world.add_ticket(name) for name in ("A", "B"))

    cross(mariadb_world, one, other)

    assert deadlocks, "ids in any order should deadlock"
    assert mariadb_world.violations() == []  # repeated or refused, but never half done


def test_two_types_are_held_together_or_not_at_all(each_world: World) -> None:
    plenty, scarce = (each_world.add_ticket(n, amount=a) for n, a in (("A", 10), ("B", 1)))

    with pytest.raises(SoldOut) as refused:
        each_world.place_request(request_for({plenty: 2, scarce: 2}))

    assert refused.value.available == {plenty: 10, scarce: 1}
    assert stock(each_world, plenty) == stock(each_world, scarce) == (0, 0)
    assert [each_world.count(model) for model in (Order, Payment, User)] == [0, 0, 0]


def test_what_is_left_is_told_for_every_type_wanted_whichever_runs_out(each_world: World) -> None:
    first, second, third = (each_world.add_ticket(n, amount=4) for n in "ABC")
    each_world.place(second, 3)
    each_world.place(third, 1)

    with pytest.raises(SoldOut) as refused:
        each_world.place_request(request_for({third: 1, first: 4, second: 2}))

    assert refused.value.available == {first: 4, second: 1, third: 3}

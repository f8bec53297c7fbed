"""Stock under a rush: never one seat too many, and the same rush without the guard."""

import threading
from collections.abc import Callable
from contextlib import suppress

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
from tests.money.world import World, request_for

BUYERS = 16
AMOUNT = 5
DEADLOCK = 1213


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


meeting = threading.Barrier(2)


def careless_hold(session: Session, quantities: Quantities, quota_ids: QuotaIds) -> None:
    """Read, think, write: how seats are oversold. Two who think at once are enough."""
    for ticket_id, quantity in sorted(quantities.items()):
        row = session.get_one(TicketStock, ticket_id, populate_existing=True)
        held, free = row.held, row.amount - row.held - row.sold
        if free < quantity:
            raise SoldOut({ticket_id: free})
        with suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=1)
        update = sa.update(TicketStock).where(TicketStock.ticket_id == ticket_id)
        session.execute(update.values(held=held + quantity))


@pytest.mark.usefixtures("a_process_each")
def test_without_the_guard_the_same_rush_breaks_the_stock(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory, "hold", careless_hold)
    ticket = mariadb_world.add_ticket(amount=AMOUNT)

    results = rush(mariadb_world, ticket)

    placed = [result for result in results if isinstance(result, PlacedOrder)]
    assert len(placed) > AMOUNT or mariadb_world.violations() != []


def test_the_database_itself_refuses_one_seat_too_many(each_world: World) -> None:
    ticket = each_world.add_ticket(amount=AMOUNT)

    with pytest.raises(DBAPIError, match="not_oversold"):
        each_world.change(TicketStock, TicketStock.ticket_id == ticket, held=AMOUNT + 1)


def cross(world: World, one: int, other: int) -> list[PlacedOrder | Exception]:
    """Let half the buyers want one ticket first and half the other."""
    ways = ({one: 1, other: 1}, {other: 1, one: 1})
    return world.in_threads(8, lambda n: world.place_request(request_for(ways[n % 2])))


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
    one, other = (mariadb_world.add_ticket(name, amount=100) for name in ("A", "B"))

    for _ in range(3):
        assert all(isinstance(r, PlacedOrder) for r in cross(mariadb_world, one, other))

    assert deadlocks == []
    assert stock(mariadb_world, one) == stock(mariadb_world, other) == (24, 0)


@pytest.mark.usefixtures("a_process_each")
def test_without_the_order_of_ids_the_same_buyers_deadlock(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch, deadlocks: list[Exception]
) -> None:
    for module in (inventory, order_counter):
        monkeypatch.setattr(module, "sorted", list, raising=False)
    one, other = (mariadb_world.add_ticket(name, amount=1000) for name in ("A", "B"))

    for _ in range(25):
        cross(mariadb_world, one, other)
        if deadlocks:
            break

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

"""The same request sent twice, at once, or with its answer lost: one order."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.errors import Busy, IdempotencyInProgress, IdempotencyKeyReused, SoldOut
from app.extensions import db
from app.models import IdempotencyKey, Order, TicketStock
from app.services.selling import order_counter
from app.services.selling.ordering import IdempotencyRef, PlacedOrder
from tests.app_factory import make_settings, running_app
from tests.money.world import World

REF = IdempotencyRef("form", "key-1")
SENT_AT_ONCE = 4


def held(world: World, ticket_id: int) -> int:
    with world.app.app_context():
        return db.session.get_one(TicketStock, ticket_id).held


@pytest.fixture(params=["one process", "a process each"])
def processes(request: pytest.FixtureRequest) -> None:
    """Let the twins meet at one counter, or only in the database."""
    if request.param == "a process each":
        request.getfixturevalue("a_process_each")


@pytest.mark.usefixtures("processes")
def test_a_request_sent_many_times_at_once_makes_one_order(each_world: World) -> None:
    ticket = each_world.add_ticket(amount=100)

    results = each_world.in_threads(
        SENT_AT_ONCE, lambda _: each_world.place(ticket, idempotency=REF)
    )

    placed = [result for result in results if isinstance(result, PlacedOrder)]
    assert len(placed) == SENT_AT_ONCE, [r for r in results if isinstance(r, Exception)]
    assert len({order.code for order in placed}) == each_world.count(Order) == 1
    assert [order.is_repeat for order in placed].count(False) == 1
    assert held(each_world, ticket) == 1


@pytest.mark.usefixtures("a_process_each")
@pytest.mark.parametrize("moment", ["FROM tickets", "INSERT INTO idempotency_keys", "ticket_stock"])
def test_two_requests_that_meet_make_one_order(mariadb_world: World, moment: str) -> None:
    ticket = mariadb_world.add_ticket(amount=100)

    results = mariadb_world.overlap(
        *[lambda: mariadb_world.place(ticket, idempotency=REF)] * 2, after=moment
    )

    placed = [result for result in results if isinstance(result, PlacedOrder)]
    assert len(placed) == 2, results
    assert {order.is_repeat for order in placed} == {True, False}
    assert mariadb_world.count(Order) == held(mariadb_world, ticket) == 1


def test_without_the_stored_key_the_same_rush_makes_many_orders(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_counter, "_claim_key", lambda *_given: None)
    ticket = mariadb_world.add_ticket(amount=100)

    mariadb_world.in_threads(5, lambda _: mariadb_world.place(ticket, idempotency=REF))

    assert mariadb_world.count(Order) == 5


def test_without_a_key_they_are_many_orders(world: World) -> None:
    ticket = world.add_ticket(amount=100)

    results = world.in_threads(5, lambda _: world.place(ticket))

    assert len({r.code for r in results if isinstance(r, PlacedOrder)}) == 5


def test_a_repeat_finds_its_order_when_everything_else_is_sold(world: World) -> None:
    ticket = world.add_ticket(amount=1)
    first = world.place(ticket, idempotency=REF)

    again = world.place(ticket, idempotency=REF)

    assert (again.code, again.is_repeat) == (first.code, True)
    with pytest.raises(SoldOut):
        world.place(ticket, idempotency=IdempotencyRef("form", "key-2"))


def test_a_key_is_good_for_one_content_only(each_world: World) -> None:
    ticket = each_world.add_ticket()
    each_world.place(ticket, 1, idempotency=REF)

    with pytest.raises(IdempotencyKeyReused):
        each_world.place(ticket, 2, idempotency=REF)

    assert each_world.count(Order) == 1


def test_keys_of_different_callers_and_of_different_case_are_different(each_world: World) -> None:
    ticket = each_world.add_ticket()
    keys = [REF, IdempotencyRef("key:7", "key-1"), IdempotencyRef("form", "KEY-1")]

    codes = {each_world.place(ticket, idempotency=key).code for key in keys}

    assert len(codes) == 3


def test_a_refused_request_does_not_use_up_its_key(world: World) -> None:
    ticket = world.add_ticket(amount=1)
    with pytest.raises(SoldOut):
        world.place(ticket, 2, idempotency=REF)

    assert world.place(ticket, 1, idempotency=REF).is_repeat is False


def test_a_twin_still_at_work_is_told_to_the_caller(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = mariadb_world.add_ticket()
    other = mariadb_world.place(ticket)
    monkeypatch.setattr("app.database.LOCK_WAIT_SECONDS", 1)
    settings = make_settings(mariadb_world.settings.database_url)
    claim = sa.insert(IdempotencyKey).values(
        scope=REF.scope,
        key=REF.key,
        fingerprint="-",
        order_id=other.order_id,
        created_at=mariadb_world.now(),
    )
    twin = sa.create_engine(settings.database_url)

    with running_app(settings) as app, twin.connect() as connection:
        connection.execute(claim)  # a transaction that stays open
        impatient = World(app, settings, mariadb_world.standin)
        with pytest.raises(IdempotencyInProgress):
            impatient.place(ticket, idempotency=REF)
    twin.dispose()

    assert mariadb_world.count(Order) == 1
    assert held(mariadb_world, ticket) == 1


@contextmanager
def commit_breaks(world: World, *, after: bool, skip: int = 0) -> Iterator[list[str]]:
    """Cut a connection at COMMIT: before it reaches the server, or before its answer.

    The first `skip` commits are left alone.
    """
    with world.app.app_context():
        engine = db.engine
    broken: list[str] = []
    to_skip = iter(range(skip))
    do_commit = engine.dialect.do_commit

    def cut(connection: Any) -> None:
        if broken or next(to_skip, None) is not None:
            do_commit(connection)
            return
        broken.append("COMMIT")
        if after:
            do_commit(connection)
        connection.dbapi_connection._force_close()
        raise pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.dialect, "do_commit", cut)
        yield broken


def test_an_order_whose_commit_went_unanswered_is_found_by_its_code(mariadb_world: World) -> None:
    ticket = mariadb_world.add_ticket()

    with commit_breaks(mariadb_world, after=True) as broken:
        placed = mariadb_world.place(ticket)

    assert broken
    assert placed.is_repeat
    assert mariadb_world.count(Order) == 1
    assert mariadb_world.try_open_invoice(placed)
    assert mariadb_world.payable(placed) == [mariadb_world.invoice_id(placed)]


def test_an_order_whose_commit_never_arrived_is_busy_and_leaves_nothing(
    mariadb_world: World,
) -> None:
    ticket = mariadb_world.add_ticket()

    with commit_breaks(mariadb_world, after=False) as broken, pytest.raises(Busy):
        mariadb_world.place(ticket)

    assert broken
    assert mariadb_world.count(Order) == 0
    assert held(mariadb_world, ticket) == 0


def test_a_database_error_that_is_no_outage_is_not_called_one(world: World) -> None:
    ticket = world.add_ticket()
    world.change(TicketStock, TicketStock.ticket_id == ticket, amount=5)
    with world.working():
        db.session.execute(sa.text("DROP TABLE jobs"))

    with pytest.raises(DBAPIError):
        world.place(ticket)

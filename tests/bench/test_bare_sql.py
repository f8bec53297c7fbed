"""The bare SQL that orders are compared with writes the very same orders."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask
from pymysql.cursors import Cursor

from app.extensions import db
from app.models import Job, Order, OrderItem, Payment, TicketStock, User
from app.services.running.invariants import find_violations
from bench.bare_sql import Recording, Replay
from bench.recorded_order import record_order
from bench.recording import COMMIT, ROLLBACK, Statement, queries
from bench.stage import add_key, connect, put_on_sale, quiet_settings
from tests.app_factory import running_app
from tests.harness.database import MariaDB

WRITTEN = (User, Order, OrderItem, Payment, Job)
RECORDED = 2  # orders that a recording makes


@dataclass(frozen=True)
class Shop:
    """A database in which an order was recorded; `first` is what the recording wrote."""

    app: Flask
    url: str
    recording: Recording
    first: dict[str, int]


@pytest.fixture(scope="module")
def shop(mariadb: MariaDB) -> Iterator[Shop]:
    url = mariadb.fresh_database()
    with running_app(quiet_settings(url)) as app:
        ticket_id, key = put_on_sale(url, "Hot", 1000), add_key(url, "orders:write")
        recording = record_order(url, ticket_id, key)
        yield Shop(app, url, recording, written(app))


def written(app: Flask) -> dict[str, int]:
    """Return how many rows each table has, and how many seats are held."""
    with app.app_context():
        rows = {
            model.__tablename__: db.session.scalar(sa.select(sa.func.count(model.id))) or 0
            for model in WRITTEN
        }
        return rows | {"held": db.session.scalar(sa.select(sa.func.sum(TicketStock.held))) or 0}


def repeat(shop: Shop, times: int = 1, kind: type[Cursor] = Cursor) -> None:
    with connect(shop.url) as connection, connection.cursor(kind) as cursor:
        for _ in range(times):
            Replay(shop.recording).send(cursor)


def test_a_repeat_writes_as_many_rows_as_an_order(shop: Shop) -> None:
    before = written(shop.app)
    repeat(shop, 3)
    after = written(shop.app)
    one = {name: count // RECORDED for name, count in shop.first.items()}
    assert {name: after[name] - before[name] for name in after} == {
        name: 3 * count for name, count in one.items()
    }
    assert min(one.values()) == 1
    with shop.app.app_context():
        assert find_violations() == []


def test_the_rows_of_a_repeat_belong_together(shop: Shop) -> None:
    repeat(shop, 2)
    with shop.app.app_context():
        orders = db.session.scalars(sa.select(Order)).all()
        assert {order.payment.external_id for order in orders} == {o.code for o in orders}
        assert all(len(order.items) == 1 for order in orders)
        assert len({order.user_id for order in orders}) == len(orders) >= RECORDED + 2
        payloads = db.session.scalars(sa.select(Job.payload)).all()
        assert {payload["order_id"] for payload in payloads} == {order.id for order in orders}


def test_a_repeat_sends_what_the_service_sends(shop: Shop) -> None:
    sent: list[str] = []

    class Noting(Cursor):  # type: ignore[misc]
        def execute(self, query: str, args: object = None) -> int:
            sent.append(query)
            return int(super().execute(query, args))

    repeat(shop, kind=Noting)
    assert sent == [statement.sql for statement in shop.recording.statements]
    filled = {sql.split()[2] for sql in sent if sql.startswith("INSERT")}
    assert filled == {model.__tablename__ for model in WRITTEN}


def test_only_the_transaction_is_cut_out_of_the_whole(shop: Shop) -> None:
    texts = [statement.sql for statement in shop.recording.transaction.statements]
    assert texts[-1] == COMMIT
    assert ROLLBACK not in texts
    assert texts.count(COMMIT) == 1
    for model in WRITTEN:
        assert any(text.startswith(f"INSERT INTO {model.__tablename__} ") for text in texts)
    assert any(text.startswith("UPDATE ticket_stock ") for text in texts)


def test_ends_of_transactions_are_no_queries() -> None:
    assert queries([Statement("SELECT 1"), Statement(COMMIT), Statement(ROLLBACK)]) == 1

"""Inspections: one worker looks, all who ask read what it kept, and that costs the same always."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import TicketStock
from app.services.running.inspections import (
    EVERY,
    LEASE,
    MOST_KEPT,
    REST,
    inspect_if_due,
    last_inspection,
)
from app.services.running.metrics import ServiceCollector
from app.services.running.transaction import transaction
from bench.seeding import seed_orders
from tests.app_factory import make_settings, running_app
from tests.harness.database import MariaDB
from tests.running.sales import add_ticket

NOW = datetime(2027, 1, 1, tzinfo=UTC)
SOON = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _working(sqlite_app: Flask, request: pytest.FixtureRequest) -> None:
    """Work inside the application, on SQLite."""
    context = sqlite_app.app_context()
    context.push()
    request.addfinalizer(context.pop)


def _break(count: int) -> None:
    """Make so many tickets whose stock says what no order does."""
    for number in range(count):
        add_ticket(f"Broken {number}", now=NOW)
    with transaction() as session:
        session.execute(sa.update(TicketStock).values(held=1))


def test_of_two_workers_one_looks_and_both_read_what_it_found() -> None:
    _break(1)

    first, second = inspect_if_due(NOW), inspect_if_due(NOW)

    found = last_inspection()
    assert second is None
    assert first == ["Broken 0: 1 held, but PENDING orders want 0"]
    assert found is not None
    assert (found.broken, list(found.violations)) == (1, first)
    assert found.age(NOW + SOON) == SOON


def test_the_next_look_is_due_a_minute_later() -> None:
    inspect_if_due(NOW)

    assert inspect_if_due(NOW + EVERY - SOON) is None
    assert inspect_if_due(NOW + EVERY) == []


def test_a_look_that_took_long_is_followed_by_a_long_rest() -> None:
    took = 30.0
    ticks = itertools.count(0.0, took)

    inspect_if_due(NOW, clock=lambda: next(ticks))

    rest = timedelta(seconds=REST * took)
    assert inspect_if_due(NOW + rest - SOON) is None
    assert inspect_if_due(NOW + rest) == []


def test_who_died_while_looking_is_followed_by_another() -> None:
    def die() -> float:
        raise SystemExit

    with pytest.raises(SystemExit):
        inspect_if_due(NOW, clock=die)

    assert last_inspection() is None
    assert inspect_if_due(NOW + LEASE - SOON) is None
    assert inspect_if_due(NOW + LEASE) == []


def test_all_that_is_wrong_is_counted_and_the_first_of_it_kept() -> None:
    _break(MOST_KEPT + 1)

    inspect_if_due(NOW)

    found = last_inspection()
    assert found is not None
    assert (found.broken, len(found.violations)) == (MOST_KEPT + 1, MOST_KEPT)


def test_a_scrape_reads_as_few_rows_of_many_orders_as_of_few(mariadb: MariaDB) -> None:
    read = {orders: _rows_a_scrape_reads(mariadb, orders) for orders in (5, 2_000)}

    assert read[2_000] == read[5]


def _rows_a_scrape_reads(mariadb: MariaDB, orders: int) -> int:
    """Return how many rows the database goes through for one scrape, after an inspection."""
    url = mariadb.fresh_database()
    with running_app(make_settings(url)) as app, app.app_context():
        seed_orders(url, orders)
        assert inspect_if_due(NOW) == []
        list(ServiceCollector(NOW).collect())
        before = _rows_read()
        families = {family.name: family for family in ServiceCollector(NOW).collect()}
        rows = _rows_read() - before
    paid = [each.value for each in families["tickets_orders"].samples if "PAID" in str(each.labels)]
    assert sum(paid) > 0
    return rows


def _rows_read() -> int:
    """Return how many rows were read over this thread's one connection."""
    rows = db.session.execute(sa.text("SHOW SESSION STATUS LIKE 'Handler_read_%'")).all()
    db.session.rollback()
    return sum(int(count) for _, count in rows)

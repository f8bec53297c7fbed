"""The database as the migrations make it: what it refuses, and what comes back as it went in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from app.extensions import db
from app.models import Base, Ticket, User, WorkerHeartbeat
from app.services.running.transaction import transaction
from tests.app_factory import make_settings, running_app
from tests.harness.processes import ROOT
from tests.running.sales import add_ticket, order

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)


def flask_db(app: Flask, *arguments: str) -> Result:
    """Run `flask db …` in this process."""
    command, *rest = arguments
    folder = str(ROOT / "migrations")
    return app.test_cli_runner().invoke(args=["db", command, "--directory", folder, *rest])


def test_the_migrations_make_what_the_models_say(app: Flask) -> None:
    result = flask_db(app, "check")

    assert result.exit_code == 0, result.output


def test_every_check_has_the_name_that_its_model_gives_it(app: Flask) -> None:
    """Alembic compares no CHECKs: what is missing or named otherwise would not be seen."""
    with app.app_context():
        reflected = sa.inspect(db.engine)
        for table in Base.metadata.sorted_tables:
            checks = [one for one in table.constraints if isinstance(one, sa.CheckConstraint)]
            found = {str(one["name"]) for one in reflected.get_check_constraints(table.name)}
            ours = {name for name in found if name.startswith("ck_")}  # MariaDB: JSON has its own

            assert ours == {str(check.name) for check in checks}, table.name


def test_a_column_that_no_migration_made_is_noticed(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_app(make_settings(database_url)) as app:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE tickets ADD COLUMN forgotten INTEGER"))

        result = flask_db(app, "check")

    assert result.exit_code != 0
    assert "forgotten" in capsys.readouterr().out, "the log names it"


def test_there_is_no_way_back_and_nothing_is_lost_by_trying(sqlite_app: Flask) -> None:
    """Dropping tables of paid orders must not be one command away."""
    with sqlite_app.app_context():
        add_ticket("Reguler", now=NOW)
        db.session.remove()

    assert flask_db(sqlite_app, "downgrade", "base").exit_code != 0

    with sqlite_app.app_context():
        assert db.session.scalars(sa.select(Ticket.type)).all() == ["Reguler"]


# --- what the database itself refuses -----------------------------------------------------------

ALL_IS_WELL: dict[str, dict[str, Any]] = {
    "tickets": {
        "type": "Another",
        "description": "",
        "price": 0,
        "max_per_order": 1,
        "valid_from": NOW,
        "valid_until": NOW + timedelta(microseconds=1),
        "position": 1,
    },
    "ticket_stock": {"amount": 10, "held": 4, "sold": 6},
    "order_items": {"quantity": 1, "price": 0},
    "orders": {"total": 0},
    "payments": {"amount": 0},
}
REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("ck_ticket_stock_held_not_negative", "ticket_stock", {"held": -1}),
    ("ck_ticket_stock_sold_not_negative", "ticket_stock", {"sold": -1}),
    ("ck_ticket_stock_not_oversold", "ticket_stock", {"held": 5, "sold": 6}),
    ("ck_ticket_stock_not_oversold", "ticket_stock", {"amount": 9, "held": 4, "sold": 6}),
    ("ck_tickets_price_not_negative", "tickets", {"price": -1}),
    ("ck_tickets_m(ax|in)_per_order", "tickets", {"max_per_order": 0}),
    ("ck_tickets_min_per_order_in_range", "tickets", {"min_per_order": 0}),
    ("ck_tickets_min_per_order_in_range", "tickets", {"min_per_order": 11}),
    ("ck_tickets_window_forward", "tickets", {"valid_from": NOW, "valid_until": NOW}),
    ("ck_order_items_quantity_positive", "order_items", {"quantity": 0}),
    ("ck_order_items_price_not_negative", "order_items", {"price": -1}),
    ("ck_orders_total_not_negative", "orders", {"total": -1}),
    ("ck_payments_amount_not_negative", "payments", {"amount": -1}),
]


@pytest.fixture
def ordered(app: Flask) -> Iterator[None]:
    """A database with one ticket and one order."""
    with app.app_context():
        ticket_id = add_ticket("Reguler", now=NOW)
        order(ticket_id, 1, now=NOW, settings=make_settings("sqlite://"))
        yield


@pytest.mark.usefixtures("ordered")
def test_the_database_refuses_what_must_never_be(subtests: pytest.Subtests) -> None:
    for table, values in ALL_IS_WELL.items():
        with subtests.test(f"{table}: the outermost values that make sense are taken"):
            change(table, values)
    for constraint, table, values in REFUSED:
        with subtests.test(constraint), pytest.raises(DBAPIError, match=constraint):
            change(table, values)


def change(table: str, values: dict[str, Any]) -> None:
    with transaction() as session:
        session.execute(sa.update(Base.metadata.tables[table]).values(values))


def test_what_must_be_unique_cannot_come_twice(app: Flask, subtests: pytest.Subtests) -> None:
    columns = [("orders", "code"), ("orders", "token"), ("payments", "order_id")]
    columns += [("payments", "external_id"), ("ticket_stock", "ticket_id"), ("tickets", "type")]
    with app.app_context():
        for name in ("A", "B"):
            order(add_ticket(name, now=NOW), 1, now=NOW, settings=make_settings("sqlite://"))
        for table, column in columns:
            one = db.session.scalar(sa.select(sa.func.min(Base.metadata.tables[table].c[column])))
            with subtests.test(f"{table}.{column}"), pytest.raises(IntegrityError):
                change(table, {column: one})


# --- what is stored comes back ------------------------------------------------------------------

NAMES = [
    "王小明",
    "محمد علي",
    "Zoë Ångström",
    "ᬅᬓ᭄ᬱᬭ",
    "👩🏽‍🚀 Ayu",
    "O'Brien; DROP TABLE",
    "é",
    "\\",
    "%s",
]


def test_names_in_any_script_come_back_as_they_were(app: Flask) -> None:
    with app.app_context():
        with transaction() as session:
            for name in NAMES:
                session.add(User(full_name=name, email="a@b.example", no_hp="+62", created_at=NOW))
        db.session.expunge_all()

        assert db.session.scalars(sa.select(User.full_name).order_by(User.id)).all() == NAMES


@pytest.mark.parametrize("hours", [0, 7, -9.5])
def test_a_moment_comes_back_to_the_microsecond_whatever_its_zone(app: Flask, hours: float) -> None:
    zone = timezone(timedelta(hours=hours))
    moment = datetime(2027, 3, 28, 1, 59, 59, 999_999, tzinfo=zone)
    with app.app_context():
        with transaction() as session:
            session.add(WorkerHeartbeat(worker="w", seen_at=moment))
        db.session.expunge_all()

        seen_at = db.session.scalars(sa.select(WorkerHeartbeat.seen_at)).one()
        assert seen_at == moment
        assert seen_at.tzinfo is UTC
        later = WorkerHeartbeat.seen_at > moment - timedelta(microseconds=1)
        assert db.session.scalar(sa.select(sa.func.count()).where(later)) == 1


def test_a_moment_without_zone_is_never_stored(sqlite_app: Flask) -> None:
    naive = datetime(2027, 1, 1)  # noqa: DTZ001 (that is the point)
    with (
        sqlite_app.app_context(),
        pytest.raises(StatementError, match="without zone"),
        transaction() as session,
    ):
        session.add(WorkerHeartbeat(worker="w", seen_at=naive))


def test_a_code_is_equal_only_to_itself_and_may_be_asked_for_in_any_script(app: Flask) -> None:
    others = ["abcdefgh", "ABCDEFGh", "ÀBCDEFGH", "ＡＢＣＤＥＦＧＨ", "🎉"]
    with app.app_context():
        with transaction() as session:
            session.add(WorkerHeartbeat(worker="ABCDEFGH", seen_at=NOW))

        for other in [*others, "ABCDEFGH"]:
            found = sa.select(WorkerHeartbeat.worker).where(WorkerHeartbeat.worker == other)
            assert db.session.scalar(found) == (None if other in others else other)


def test_an_order_page_of_any_address_is_answered(app: Flask) -> None:
    """Whatever strangers type, it is no order: never a mistake of ours."""
    for token in ("Ünknown", "王", "🎉", "x" * 5000):
        assert app.test_client().get(f"/orders/{token}").status_code == 404

"""SQLite behaves like the other databases: locks, time-outs, foreign keys."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.errors import Busy
from app.extensions import db
from app.models import TicketStock
from app.services.running.transaction import transaction, use_case
from tests.app_factory import make_settings, running_app
from tests.harness.database import fresh_sqlite
from tests.running.sales import add_ticket, held

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def test_a_locked_sqlite_file_is_busy_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.LOCK_WAIT_SECONDS", 0.1)
    url = fresh_sqlite(tmp_path)

    @use_case
    def hold(ticket_id: int) -> None:
        with transaction() as session:
            session.get_one(TicketStock, ticket_id).held += 1

    with running_app(make_settings(url)) as app, app.app_context():
        ticket_id = add_ticket("Reguler", now=NOW)
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Busy):
                hold(ticket_id)
            assert db.session.get_one(TicketStock, ticket_id).held == 0, "reading still works"

        hold(ticket_id)
        assert held(ticket_id) == 1


def test_a_transaction_on_sqlite_locks_before_it_reads(sqlite_app: Flask) -> None:
    """Or two that read first would both fail to upgrade their lock."""
    with sqlite_app.app_context(), transaction():
        other = sqlite3.connect(str(db.engine.url.database), timeout=0)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")


def test_sqlite_keeps_foreign_keys(sqlite_app: Flask) -> None:
    with (
        sqlite_app.app_context(),
        pytest.raises(IntegrityError, match="FOREIGN KEY"),
        transaction() as session,
    ):
        session.add(TicketStock(ticket_id=4711, amount=1))

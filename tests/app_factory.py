"""An application in the test's own process, on a migrated database of either kind."""

import functools
import logging
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import time
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade
from limits.storage import memory as counted_in_memory

from app import create_app
from app.config import Settings
from app.extensions import db
from tests.harness.patience import wait_for_the_database
from tests.harness.processes import ROOT
from tests.harness.thrift import compile_once, share_statements

compile_once()
wait_for_the_database(100)

CLOSED_PORT = 9  # nobody answers there
ENVIRONMENT = {
    "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
    "PUBLIC_URL": "http://localhost",
    "XENDIT_SECRET_KEY": "xnd_development_local",
    "XENDIT_CALLBACK_TOKEN": "local-callback-token",
    "XENDIT_API_URL": f"http://127.0.0.1:{CLOSED_PORT}",
    "MAIL_SERVER": "127.0.0.1",
    "MAIL_PORT": str(CLOSED_PORT),
    "MAIL_USE_TLS": "false",
    "MAIL_DEFAULT_SENDER": "tiket@tedxsenja.example",
    "EVENT_NAME": "TEDxSenja Jakarta",
    "EVENT_STARTS_AT": "2030-01-26T09:00:00+07:00",
    "EVENT_VENUE": "Gedung Kesenian Senja, Jakarta",
    "EVENT_CONTACT_EMAIL": "halo@tedxsenja.example",
    "RATE_LIMIT_ENABLED": "false",
}


def make_settings(database_url: str, **changes: Any) -> Settings:
    """Return settings of an invented event; `changes` are fields of Settings.

    Xendit and the mail server are ports nobody listens on until a test names its own.
    """
    settings = Settings.from_env(ENVIRONMENT | {"DATABASE_URL": database_url})
    return replace(settings, **changes)


def migrated_app(settings: Settings) -> Flask:
    """Build the application, and run the migrations when its database has no tables yet.

    Prefer `running_app`, which cleans up.
    """
    _copy_template(settings.database_url)
    _hold_the_minute_of_rate_limits()
    app = create_app(settings)
    app.testing = True
    with app.app_context():
        if not sa.inspect(db.engine).has_table("alembic_version"):
            upgrade(directory=str(ROOT / "migrations"))
        db.session.remove()
        share_statements(db.engine)
    return app


@contextmanager
def running_app(settings: Settings) -> Iterator[Flask]:
    """Give a migrated application; at the end its connections and its logging are gone."""
    with logging_restored():
        app = migrated_app(settings)
        try:
            yield app
        finally:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()


@contextmanager
def logging_restored() -> Iterator[None]:
    """Undo what `create_app` does to the logging and the hooks of the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook
    root.handlers = []  # or the application would close the handlers of pytest
    try:
        yield
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers = handlers
        root.setLevel(level)
        sys.excepthook, threading.excepthook = hooks


def _hold_the_minute_of_rate_limits() -> None:
    """Let the minute in which requests are counted last, however long a machine takes for them."""
    begins = time()
    vars(counted_in_memory)["time"] = SimpleNamespace(time=lambda: begins)


# They refuse a DELETE; emptying one whole takes more rights than changing it.
APPEND_ONLY = {"audit_entries", "ledger_postings", "ledger_entries", "day_closes"}
MADE_BY_MIGRATIONS = {"alembic_version", "ledger_state"}


def empty_tables(database_url: str) -> None:
    """Delete every row; a hundred times faster than migrating a new MariaDB database.

    The ledger's one row of state stays, as the migrations made it.
    """
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("SET FOREIGN_KEY_CHECKS = 0"))
        for table in _written_tables(connection):
            how = "TRUNCATE TABLE" if table in APPEND_ONLY else "DELETE FROM"
            connection.execute(sa.text(f"{how} {table}"))
        if sa.inspect(connection).has_table("ledger_state"):
            connection.execute(sa.text("UPDATE ledger_state SET closed_until = NULL, swept_to = 0"))
    engine.dispose()


def _written_tables(connection: sa.Connection) -> list[str]:
    """Return the tables with rows in them, by one question: most tests write few of fifty."""
    tables = set(sa.inspect(connection).get_table_names()) - MADE_BY_MIGRATIONS
    asked = (f"SELECT '{name}' FROM DUAL WHERE EXISTS (SELECT 1 FROM {name})" for name in tables)
    return list(connection.scalars(sa.text(" UNION ALL ".join(asked)))) if tables else []


def _copy_template(database_url: str) -> None:
    """Put a migrated file where an SQLite file is still empty."""
    url = sa.make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    file = Path(url.database)
    if not file.exists() or file.stat().st_size == 0:
        file.write_bytes(_migrated_file())


@functools.cache
def _migrated_file() -> bytes:
    """Run the migrations once, on a file that is copied for each test."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.db"
        app = create_app(make_settings(f"sqlite:///{file}"))
        with app.app_context():
            upgrade(directory=str(ROOT / "migrations"))
            db.session.remove()
            db.engine.dispose()  # the last connection folds the write-ahead log into the file
        return file.read_bytes()

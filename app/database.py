"""How each database engine is set up: isolation, time-outs, SQLite's locking."""

import logging
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_sqlalchemy.session import Session
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from app.lanes import AT_WORK

log = logging.getLogger(__name__)

LOCK_WAIT_SECONDS = 5
# Longer than any page may take; the client gives up a little later, and only on a dead line.
STATEMENT_SECONDS = 20


class EnduringSession(Session):
    """A session that ends quietly when the database has gone.

    It ends after the answer is written, or in a worker's loop: an error then would take an answer
    away from a buyer whose order is placed, or end the loop for good.
    """

    def close(self) -> None:
        """Give the connection back; one that was lost is dropped."""
        try:
            super().close()
        except DBAPIError as error:
            log.warning("the database went away under an open session: %r", error.orig)
            self.invalidate()


def engine_options(url: str) -> dict[str, Any]:
    """Return SQLAlchemy's engine options for this database URL."""
    if sa.make_url(url).get_backend_name() == "sqlite":
        return {"hide_parameters": True, "connect_args": {"timeout": LOCK_WAIT_SECONDS}}
    return {
        "hide_parameters": True,  # or an error's words, and so the log, would tell who buys
        "isolation_level": "READ COMMITTED",
        "pool_size": AT_WORK,  # opened when needed, and never waited for: see app/lanes.py
        "max_overflow": 0,
        "pool_timeout": 10,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
        "connect_args": {
            "charset": "utf8mb4",
            "connect_timeout": 5,
            "read_timeout": 30,
            "write_timeout": 30,
            # The part in the comment is read by MariaDB alone; MySQL bounds only SELECT.
            "init_command": f"SET SESSION innodb_lock_wait_timeout={LOCK_WAIT_SECONDS}"
            f" /*M! , max_statement_time={STATEMENT_SECONDS} */",
        },
    }


def prepare_engine(engine: Engine) -> None:
    """Give SQLite what the other databases have by themselves: real transactions and keys."""
    if engine.dialect.name != "sqlite":
        return
    if engine.url.database and engine.url.database != ":memory:":
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    event.listen(engine, "connect", _open_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _open_sqlite(connection: sqlite3.Connection, record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")

"""Transactions: where they begin, how they end, and which errors mean "try again"."""

import functools
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from app.errors import Busy
from app.extensions import db
from app.models import Base

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 5
_OPEN = "transaction_open"
# MariaDB and MySQL: deadlock, and "record has changed" under snapshot isolation.
_CONFLICTS = {1213, 1020}
# Lock wait time-out, statement time-out, server gone or going, too many connections.
_OUTAGES = {1205, 1969, 1040, 1053, 1203, 1927, 2002, 2003, 2006, 2013, 2055, 0}


class CommitUnknown(Exception):
    """The connection was lost while COMMIT was on its way: it may have happened or not."""


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one transaction of a use case: commit on success, roll back on any error.

    Never nested. On SQLite it takes the write lock at once (BEGIN IMMEDIATE), because a
    transaction that reads first and writes later would fail there. Raises CommitUnknown when the
    answer to COMMIT was lost.
    """
    session = leave_reading()
    session.info[_OPEN] = True
    try:
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        yield session
        session.flush()
        _commit(session)
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(_OPEN)


def leave_reading() -> Session:
    """Leave what was read before: a fresh view, no lock upgrade, no connection kept waiting."""
    session = db.session()
    if session.info.get(_OPEN):
        raise RuntimeError("transaction() is not reentrant")
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("changes were made outside transaction()")
    session.rollback()
    return session


@contextmanager
def reading() -> Iterator[Session]:
    """Give the session for reading, then return its connection to the pool.

    Used before calling anybody outside, so that no transaction is open meanwhile.
    """
    session = db.session()
    try:
        yield session
    finally:
        if not session.info.get(_OPEN):
            session.rollback()


def _commit(session: Session) -> None:
    try:
        session.commit()
    except DBAPIError as error:
        if is_outage(error):
            raise CommitUnknown from error
        raise


def affected(
    session: Session, statement: sa.Update | sa.Delete, values: Mapping[str, Any] | None = None
) -> int:
    """Execute `statement`, with these values for its parameters; return how many rows matched."""
    options = {"synchronize_session": False}
    result = session.execute(statement, values, execution_options=options)
    return cast("sa.CursorResult[Any]", result).rowcount


def insert(session: Session, model: type[Base], **values: Any) -> int:
    """Insert one row without making an object of it, and return its id.

    For the paths many take at once: an object's way through the unit of work costs more than the
    statement itself.
    """
    result = session.connection().execute(_into(model), values)
    return cast("sa.CursorResult[Any]", result).lastrowid


def insert_many(
    session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> list[int]:
    """Insert rows and return their ids in the same order; in one statement where that can be told.

    That is where the database has RETURNING (MariaDB, SQLite); MySQL gets a statement a row.
    """
    if len(rows) > 1 and session.connection().dialect.insert_executemany_returning:
        return list(session.connection().execute(_into_for_ids(model), rows).scalars())
    return [insert(session, model, **row) for row in rows]


def insert_all(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, at least one, whose ids nobody needs: the database need not tell them."""
    session.connection().execute(_into(model), rows)


@functools.cache
def _into(model: type[Base]) -> sa.Insert:
    """Return the INSERT into a table, built once: each group of orders sends five of them."""
    return sa.insert(cast(sa.Table, model.__table__))


@functools.cache
def _into_for_ids(model: type[Base]) -> ReturningInsert[int]:
    """Return the INSERT that tells the ids of its rows, in their order."""
    table = cast(sa.Table, model.__table__)
    return _into(model).returning(table.c.id, sort_by_parameter_order=True)


def use_case(function: Callable[P, R]) -> Callable[P, R]:
    """Repeat the whole function on a conflict, and turn an outage into Busy.

    Only whole use cases are repeated, a few times with jitter: a deadlock rolls back everything.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return function(*args, **kwargs)
            except (DBAPIError, PoolTimeout) as error:
                if is_conflict(error) and attempt < ATTEMPTS:
                    time.sleep(random.uniform(0, 0.02 * attempt))  # noqa: S311 (jitter)
                    continue
                if is_conflict(error) or is_outage(error):
                    raise Busy from error
                raise
            except CommitUnknown as error:
                raise Busy from error
        raise AssertionError("unreachable")

    return run


def is_conflict(error: Exception) -> bool:
    """Tell whether another transaction was in the way and repeating will help."""
    return _code(error) in _CONFLICTS


def is_outage(error: Exception) -> bool:
    """Tell whether the database is locked, away, or has no connection to give."""
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        if isinstance(error.orig, sqlite3.OperationalError):
            return "locked" in str(error.orig) or "busy" in str(error.orig)
        return _code(error) in _OUTAGES and isinstance(
            error, sa.exc.OperationalError | sa.exc.InterfaceError
        )
    return False


def violates(error: sa.exc.IntegrityError, constraint: str, *columns: str) -> bool:
    """Tell whether `error` is about this constraint.

    MariaDB names the constraint, SQLite only the columns (`table.column`).
    """
    words = str(error.orig)
    return constraint in words or bool(columns and all(column in words for column in columns))


def _code(error: Exception) -> int | None:
    if isinstance(error, DBAPIError) and error.orig is not None and error.orig.args:
        first = error.orig.args[0]
        return first if isinstance(first, int) else None
    return None

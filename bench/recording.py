"""Recording: what a request really sends to the database, statement by statement."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

COMMIT, ROLLBACK = "COMMIT", "ROLLBACK"


@dataclass(frozen=True)
class Statement:
    """One round trip: SQL in the driver's own notation, its parameters, the id an INSERT made."""

    sql: str
    parameters: Any = ()
    made_id: int | None = None


@contextmanager
def recorded(engine: sa.Engine) -> Iterator[list[Statement]]:
    """Give a list that fills with what is sent while the block runs; all threads count."""
    sent: list[Statement] = []

    def note(
        _connection: sa.Connection, cursor: Any, sql: str, parameters: Any, *_rest: object
    ) -> None:
        made_id = cursor.lastrowid if sql.startswith("INSERT") else None
        sent.append(Statement(sql, parameters, made_id))

    def note_commit(_connection: sa.Connection) -> None:
        sent.append(Statement(COMMIT))

    def note_rollback(_connection: sa.Connection) -> None:
        sent.append(Statement(ROLLBACK))

    listeners: list[tuple[str, Callable[..., Any]]] = [
        ("after_cursor_execute", note),
        ("commit", note_commit),
        ("rollback", note_rollback),
    ]
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        yield sent
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)


def queries(sent: list[Statement]) -> int:
    """Return how many statements were sent, ends of transactions not counted."""
    return sum(statement.sql not in (COMMIT, ROLLBACK) for statement in sent)

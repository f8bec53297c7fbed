"""What a piece of work says to its database: every statement, commit and rollback, in order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


class Spoken(list[str]):
    """What was said; each entry is about one round trip to a database server."""

    @property
    def statements(self) -> int:
        return len(self) - self.commits - self.count("ROLLBACK")

    @property
    def commits(self) -> int:
        return self.count("COMMIT")

    def __str__(self) -> str:
        return "\n".join(f"{number:3} {line}" for number, line in enumerate(self, start=1))


@contextmanager
def listening(engine: sa.Engine) -> Iterator[Spoken]:
    """Give a list that grows with what this engine says inside the block."""
    spoken = Spoken()

    def said(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith("BEGIN"):  # said to SQLite only: the others begin unasked
            spoken.append(" ".join(statement.split()))

    def committed(_connection: Any) -> None:
        spoken.append("COMMIT")

    def rolled_back(_connection: Any) -> None:
        spoken.append("ROLLBACK")

    hooks: dict[str, Callable[..., None]] = {
        "before_cursor_execute": said,
        "commit": committed,
        "rollback": rolled_back,
    }
    for name, hook in hooks.items():
        sa.event.listen(engine, name, hook)
    try:
        yield spoken
    finally:
        for name, hook in hooks.items():
            sa.event.remove(engine, name, hook)

"""Two pieces of work on one database that meet where a test says: no luck, no rush of threads.

One is held between two of its statements while the other one does all that it can. That is the
worst that a crowd of threads could do, and it happens every time: a guard that is missing is
found at once, and a test of one that is there never fails because a machine is slow.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.extensions import db
from tests.harness.waiting import eventually

T = TypeVar("T")

LONGEST_ACT = 300.0  # of all that a thread does, not of one step
MOMENT = "the moment"
# The server keeps its list of who waits until nobody has asked for a tenth of a second.
ASK_EVERY = 0.15


def at_once(acts: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Run all acts in threads that begin together; return what came of each, errors too."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        start.wait(LONGEST_ACT)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [outcome_of(each) for each in [pool.submit(run, act) for act in acts]]


def overlap(
    app: Flask, first: Callable[[], T], second: Callable[[], T], *, after: int | str
) -> tuple[T | Exception, T | Exception]:
    """Hold `first` after one of its statements until `second` is done, or is locked out by it.

    `after` is the number of the statement, from 1, or words of it. Both run in threads and
    contexts of their own, on MariaDB; return what came of each, errors too. Raises AssertionError
    when `first` ends without such a statement: then the test would say nothing.
    """

    def work(act: Callable[[], T]) -> T:
        with app.app_context():
            try:
                return act()
            finally:
                db.session.remove()

    with app.app_context():
        engine = db.engine
    with ThreadPoolExecutor(2) as pool, _watching(engine) as meeting:
        one = pool.submit(meeting.hold, after, lambda: work(first))
        try:
            eventually(
                lambda: meeting.is_reached.is_set() or one.done(), every=0.01, what="the statement"
            )
            assert meeting.is_reached.is_set(), f"not held: {outcome_of(one)!r}"
            two = pool.submit(meeting.follow, lambda: work(second))
            eventually(
                lambda: two.done() or meeting.is_locked_out(), every=0.01, what="the second one"
            )
        finally:
            meeting.may_go_on.set()
        return outcome_of(one), outcome_of(two)


def say_moment(session: Session) -> None:
    """Say a statement that `overlap` can be told by: `after=MOMENT`, where a test chooses."""
    session.execute(sa.text(f"SELECT '{MOMENT}'"))


def outcome_of(future: Future[Any]) -> Any:
    """Wait for a thread's work and return what came of it; what is no Exception is raised."""
    try:
        return future.result(LONGEST_ACT)
    except Exception as error:  # noqa: BLE001 (the caller looks at it)
        return error


class _Meeting:
    """Knows the two threads by their statements: one is held, the other one followed."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._after: int | str = 0
        self._said = 0
        self._held: threading.Thread | None = None
        self._followed: threading.Thread | None = None
        self._followed_on: set[int] = set()
        self._asked_at = 0.0
        self.is_reached = threading.Event()
        self.may_go_on = threading.Event()

    def hold(self, after: int | str, act: Callable[[], T]) -> T:
        """Do `act` in this thread, which waits once after that statement."""
        self._after, self._held = after, threading.current_thread()
        return act()

    def follow(self, act: Callable[[], T]) -> T:
        """Do `act` in this thread, and remember on which connections."""
        self._followed = threading.current_thread()
        return act()

    def before(self, connection: sa.Connection, *_statement: Any) -> None:
        if threading.current_thread() is self._followed:
            self._followed_on.add(connection.connection.dbapi_connection.thread_id())  # type: ignore[union-attr]

    def after(self, _connection: sa.Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if threading.current_thread() is not self._held or self.is_reached.is_set():
            return
        self._said += 1
        if self._after == self._said or (isinstance(self._after, str) and self._after in statement):
            self.is_reached.set()
            assert self.may_go_on.wait(LONGEST_ACT), "nobody let it go on"

    def is_locked_out(self) -> bool:
        """Tell whether the followed thread waits for a lock, as the server sees it."""
        if time.monotonic() - self._asked_at < ASK_EVERY:
            return False
        waiting = "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx"
        with self._engine.connect() as connection:
            found = connection.scalars(sa.text(f"{waiting} WHERE trx_state = 'LOCK WAIT'"))
            is_waiting = not self._followed_on.isdisjoint(found)
        self._asked_at = time.monotonic()
        return is_waiting


@contextmanager
def _watching(engine: sa.Engine) -> Iterator[_Meeting]:
    assert engine.dialect.name == "mysql", "only MariaDB tells who waits for whom"
    meeting = _Meeting(engine)
    sa.event.listen(engine, "before_cursor_execute", meeting.before)
    sa.event.listen(engine, "after_cursor_execute", meeting.after)
    try:
        yield meeting
    finally:
        sa.event.remove(engine, "before_cursor_execute", meeting.before)
        sa.event.remove(engine, "after_cursor_execute", meeting.after)

"""Closing a day while others close or post: one close, and nothing slips in."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import (
    LedgerState,
)
from app.services.money import postings
from app.services.office import day_look
from app.services.office.day_close import AlreadyClosed, DayChanged
from tests.office.day_books import Books, fill


def _at_once(*acts: Callable[[], None]) -> list[Exception | None]:
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], None]) -> Exception | None:
        start.wait(timeout=20)
        try:
            act()
        except Exception as error:  # noqa: BLE001 (the caller looks at it)
            return error
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_two_who_close_at_once_one_does(mariadb_app: Flask) -> None:
    books = fill(Books(mariadb_app))
    day = books.day(2)
    seen = books.look(day).seen

    outcomes = _at_once(*[lambda: books.close(day, seen=seen)] * 4)

    assert [type(each) for each in outcomes].count(type(None)) == 1
    assert all(isinstance(each, AlreadyClosed | type(None)) for each in outcomes)
    assert len(books.closes()) == 1


def test_no_posting_slips_into_a_day_while_it_is_closed(mariadb_app: Flask) -> None:
    books = fill(Books(mariadb_app))
    _race_of_posting_and_closing(books)

    assert _unsigned(books) == {}


def test_without_the_lock_a_posting_slips_in(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the state is read without its lock, and no trigger guards the day."""
    books = fill(Books(mariadb_app))
    monkeypatch.setattr(postings, "lock_state", lambda session: session.get_one(LedgerState, 1))
    with books.shop.working():
        for table in ("ledger_postings", "ledger_entries"):
            db.session.execute(sa.text(f"DROP TRIGGER {table}_closed_day"))
    try:
        _race_of_posting_and_closing(books)
        assert _unsigned(books) != {}
    finally:
        _guard_again(books)


def _race_of_posting_and_closing(books: Books) -> None:
    """Hold a posting open, after it looked which day is closed, until somebody tries to close."""
    late = books.change_the_fee()
    day, seen = books.day(2), books.look(books.day(2)).seen
    has_looked, may_write = threading.Event(), threading.Event()
    write = postings._write

    def slow(*arguments: object) -> None:
        has_looked.set()
        may_write.wait(timeout=2)
        write(*arguments)  # type: ignore[arg-type]

    def post() -> None:
        with books.app.app_context(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(postings, "_write", slow)
            postings.post_orders([late], now=datetime.now(UTC), zone=books.zone)

    def close() -> None:
        assert has_looked.wait(timeout=10)
        try:
            books.close(day, seen=seen)
        except DayChanged:
            books.close(day)
        finally:
            may_write.set()

    for outcome in _at_once(post, close):
        assert outcome is None, outcome


def _unsigned(books: Books) -> dict[str, int]:
    """Return what the closed day's entries say beyond what was signed."""
    [close] = books.closes()
    with books.app.app_context():
        now = day_look.add_up_entries(db.session(), close.day)
    return {key: now[key] for key in now if now[key] != close.sums.get(key)}


def _guard_again(books: Books) -> None:
    closed = "NEW.day <= (SELECT closed_until FROM ledger_state WHERE id = 1)"
    signal = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the day is closed'"
    with books.shop.working():
        for table in ("ledger_postings", "ledger_entries"):
            db.session.execute(
                sa.text(
                    f"CREATE TRIGGER {table}_closed_day BEFORE INSERT ON {table} "
                    f"FOR EACH ROW IF {closed} THEN {signal}; END IF"
                )
            )

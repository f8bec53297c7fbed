"""Closing a day while others close or post: one close, and nothing slips in."""

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
from tests.harness.interleaving import overlap
from tests.office.day_books import Books, fill


@pytest.mark.parametrize("moment", ["FROM ledger_state", "INSERT INTO day_closes"])
def test_of_two_who_close_at_once_one_does(mariadb_app: Flask, moment: str) -> None:
    books = fill(Books(mariadb_app))
    day = books.day(2)
    seen = books.look(day).seen

    outcomes = overlap(mariadb_app, *[lambda: books.close(day, seen=seen)] * 2, after=moment)

    assert {type(each) for each in outcomes} == {type(None), AlreadyClosed}
    assert len(books.closes()) == 1


def test_no_posting_slips_into_a_day_while_it_is_closed(mariadb_app: Flask) -> None:
    books = fill(Books(mariadb_app))
    _close_while_a_posting_is_held(books)

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
        _close_while_a_posting_is_held(books)
        assert _unsigned(books) != {}
    finally:
        _guard_again(books)


def _close_while_a_posting_is_held(books: Books) -> None:
    """Hold a posting after it looked which day is closed, until the day is or somebody waits."""
    late = books.change_the_fee()
    day, seen = books.day(2), books.look(books.day(2)).seen

    def post() -> None:
        postings.post_orders([late], now=datetime.now(UTC), zone=books.zone)

    def close() -> None:
        try:
            books.close(day, seen=seen)
        except DayChanged:
            books.close(day)

    outcomes = overlap(books.app, post, close, after="FROM ledger_state")
    assert outcomes == (None, None)


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

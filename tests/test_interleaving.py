"""The harness that lets two meet between statements: what it says is what happened."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from app.models import TicketStock
from app.services.running.transaction import reading, transaction
from tests.harness.interleaving import MOMENT, at_once, overlap, say_moment
from tests.running.sales import add_ticket

NOW = datetime(2027, 1, 1, tzinfo=UTC)
READ = sa.select(TicketStock.held)
HOLD = sa.update(TicketStock).values(held=TicketStock.held + 1)


@pytest.fixture
def app(mariadb_app: Flask) -> Flask:
    """The application with one ticket."""
    with mariadb_app.app_context():
        add_ticket("Reguler", now=NOW)
    return mariadb_app


def hold_and_look() -> int | None:
    with transaction() as session:
        session.execute(HOLD)
        say_moment(session)
        return session.scalar(READ)


def look_and_look_again() -> list[int | None]:
    with reading() as session:
        first = session.scalar(READ)
        session.rollback()
        return [first, session.scalar(READ)]


@pytest.mark.parametrize("after", [1, "ticket_stock"])
def test_the_second_does_all_while_the_first_is_held(app: Flask, after: int | str) -> None:
    assert overlap(app, look_and_look_again, lambda: [hold_and_look()], after=after) == (
        [0, 1],
        [1],
    )


def test_who_is_locked_out_waits_until_the_first_goes_on(app: Flask) -> None:
    assert overlap(app, hold_and_look, hold_and_look, after=MOMENT) == (1, 2)


def test_a_first_that_is_never_held_fails_the_test(app: Flask) -> None:
    with pytest.raises(AssertionError, match="not held"):
        overlap(app, hold_and_look, hold_and_look, after="words nobody says")


def test_errors_are_outcomes_and_none_is_lost(app: Flask) -> None:
    def fail() -> None:
        raise ValueError("said aloud")

    first, second = overlap(app, look_and_look_again, fail, after=1)
    assert first == [0, 0]
    assert isinstance(second, ValueError)
    assert [type(each) for each in at_once([fail, fail])] == [ValueError] * 2

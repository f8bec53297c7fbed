"""transaction() and use_case: all or nothing, repeated only when repeating helps."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.errors import Busy
from app.extensions import db
from app.models import TicketStock
from app.services.running.transaction import (
    affected,
    is_conflict,
    is_outage,
    reading,
    transaction,
    use_case,
)
from tests.harness.database import MariaDB
from tests.harness.interleaving import at_once
from tests.harness.waiting import PATIENCE
from tests.running.sales import add_ticket, held

NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def ticket(app: Flask) -> Iterator[int]:
    """A ticket in a database of either kind, inside the application's context."""
    with app.app_context():
        yield add_ticket("Reguler", now=NOW)


def hold_one(session: Session, ticket_id: int) -> None:
    mine = sa.update(TicketStock).where(TicketStock.ticket_id == ticket_id)
    assert affected(session, mine.values(held=TicketStock.held + 1)) == 1


def test_what_is_done_inside_is_kept(ticket: int) -> None:
    with transaction() as session:
        hold_one(session, ticket)

    assert held(ticket) == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_any_error_undoes_everything(ticket: int, error: type[BaseException]) -> None:
    with pytest.raises(error), transaction() as session:
        hold_one(session, ticket)
        db.session.get_one(TicketStock, ticket).amount = 99
        raise error

    assert held(ticket) == 0
    assert db.session.get_one(TicketStock, ticket).amount == 10


def test_it_is_not_reentrant_and_the_outer_one_is_undone(ticket: int) -> None:
    with pytest.raises(RuntimeError, match="not reentrant"), transaction() as session:
        hold_one(session, ticket)
        with transaction():
            pass

    assert held(ticket) == 0
    with transaction() as session:  # and the session is fit for use again
        hold_one(session, ticket)
    assert held(ticket) == 1


def test_changes_made_outside_are_refused(ticket: int) -> None:
    db.session.get_one(TicketStock, ticket).amount = 99

    with pytest.raises(RuntimeError, match="outside"), transaction():
        pass

    db.session.rollback()
    assert db.session.get_one(TicketStock, ticket).amount == 10


def test_it_sees_what_others_did_since_the_session_last_read(app: Flask, ticket: int) -> None:
    assert db.session.get_one(TicketStock, ticket).held == 0

    def hold_elsewhere() -> None:
        with app.app_context(), transaction() as session:
            hold_one(session, ticket)

    assert at_once([hold_elsewhere]) == [None]

    with transaction() as session:
        assert session.get_one(TicketStock, ticket).held == 1


def test_reading_leaves_no_transaction_open(ticket: int) -> None:
    with reading() as session:
        session.get_one(TicketStock, ticket)
        assert session.in_transaction()

    assert not db.session().in_transaction()


def test_reading_inside_a_transaction_leaves_it_open(ticket: int) -> None:
    with transaction() as session:
        hold_one(session, ticket)
        with reading() as inner:
            assert inner.get_one(TicketStock, ticket).held == 1

    assert held(ticket) == 1


def test_a_broken_check_is_neither_repeated_nor_called_busy(ticket: int) -> None:
    calls = []

    @use_case
    def oversell() -> None:
        calls.append(1)
        with transaction() as session:
            affected(session, sa.update(TicketStock).values(held=11))

    with pytest.raises(DBAPIError, match="not_oversold") as refusal:
        oversell()

    assert len(calls) == 1
    assert not is_conflict(refusal.value)
    assert not is_outage(refusal.value)
    assert held(ticket) == 0


# --- races and outages of MariaDB --------------------------------------------------------------


@pytest.fixture
def two_tickets(mariadb_app: Flask) -> tuple[int, int]:
    with mariadb_app.app_context():
        return add_ticket("A", now=NOW), add_ticket("B", now=NOW)


def _run_both(app: Flask, *actions: Callable[[], None]) -> list[Exception]:
    """Run the actions at once, each with a session of its own; return the errors."""

    def run(action: Callable[[], None]) -> None:
        with app.app_context():
            action()

    outcomes = at_once([partial(run, action) for action in actions])
    return [each for each in outcomes if each is not None]


def _crossing(first: int, second: int, both_hold_one: threading.Barrier) -> Callable[[], None]:
    """Return an action that holds `first`, waits for its twin to do the same, then `second`."""
    attempts: list[int] = []

    def action() -> None:
        attempts.append(1)
        with transaction() as session:
            hold_one(session, first)
            if len(attempts) == 1:
                both_hold_one.wait(PATIENCE)
            hold_one(session, second)

    return action


def test_a_deadlock_is_repeated_until_both_are_done(
    mariadb_app: Flask, two_tickets: tuple[int, int]
) -> None:
    a, b = two_tickets
    barrier = threading.Barrier(2)

    errors = _run_both(
        mariadb_app, use_case(_crossing(a, b, barrier)), use_case(_crossing(b, a, barrier))
    )

    assert errors == []
    with mariadb_app.app_context():
        assert (held(a), held(b)) == (2, 2)


def test_without_use_case_the_same_two_do_deadlock(
    mariadb_app: Flask, two_tickets: tuple[int, int]
) -> None:
    """The negative control of the test above."""
    a, b = two_tickets
    barrier = threading.Barrier(2)

    [error] = _run_both(mariadb_app, _crossing(a, b, barrier), _crossing(b, a, barrier))

    assert isinstance(error, DBAPIError)
    assert is_conflict(error)
    with mariadb_app.app_context():
        assert (held(a), held(b)) == (1, 1)


def test_waiting_too_long_for_a_lock_is_busy_and_keeps_nothing(
    mariadb_app: Flask, two_tickets: tuple[int, int]
) -> None:
    a, b = two_tickets
    calls = []

    @use_case
    def hold_both() -> None:
        calls.append(1)
        with transaction() as session:
            session.execute(sa.text("SET SESSION innodb_lock_wait_timeout = 1"))
            hold_one(session, a)
            hold_one(session, b)

    with mariadb_app.app_context():
        with db.engine.connect() as other, other.begin():
            other.execute(sa.update(TicketStock).where(TicketStock.ticket_id == b).values(sold=1))
            with pytest.raises(Busy):
                hold_both()

        assert len(calls) == 1, "waiting again would only double the wait"
        assert (held(a), held(b)) == (0, 0)


@pytest.mark.parametrize("is_killed_at_commit", [False, True])
def test_a_lost_connection_is_busy_keeps_nothing_and_heals(
    mariadb: MariaDB, mariadb_app: Flask, two_tickets: tuple[int, int], is_killed_at_commit: bool
) -> None:
    a, b = two_tickets
    calls = []

    @use_case
    def hold_both() -> None:
        calls.append(1)
        with transaction() as session:
            hold_one(session, a)
            mariadb.execute(f"KILL CONNECTION {session.scalar(sa.text('SELECT CONNECTION_ID()'))}")
            if not is_killed_at_commit:
                hold_one(session, b)

    with mariadb_app.app_context():
        with pytest.raises(Busy):
            hold_both()

        assert len(calls) == 1, "a COMMIT whose answer was lost is never repeated"
        assert (held(a), held(b)) == (0, 0)
        with transaction() as session:
            hold_one(session, a)
        assert held(a) == 1

"""The daily close: a day is signed once, as it was shown; later changes become corrections."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from app.extensions import db
from app.models import (
    AuditEntry,
    DayClose,
    Reconciliation,
    Verdict,
)
from app.services.money import postings
from app.services.money.daily_reconciliation import midnight
from app.services.office import day_close
from app.services.office.day_close import DayChanged, ExplanationNeeded, NotClosable
from app.services.office.day_look import Blocker
from tests.office.day_books import ONE_DAY, Books, fill
from tests.staff.office import Office


@pytest.fixture
def books(sqlite_app: Flask) -> Books:
    """Two orders paid yesterday and one the day before, compared with Xendit."""
    return fill(Books(sqlite_app))


def test_the_figures_of_a_day_add_up(books: Books) -> None:
    look = books.look(books.day(1))

    figures = look.figures
    assert (figures.orders, figures.seats, figures.gross) == (2, 3, 450_000)
    assert (figures.received, figures.payments) == (450_000, 2)
    assert (figures.fee, figures.vat, figures.net) == (4_000, 440, 445_560)
    assert (look.pay_out.unknown, look.pay_out.waiting) == (1, 300_000 - 4_440)
    assert look.pay_out.waiting + look.pay_out.unknown_amount == figures.net
    assert [(line.name, line.seats, line.amount) for line in look.tickets] == [
        ("Reguler", 3, 450_000)
    ]
    assert look.blockers == {Blocker.EARLIER_OPEN: books.day(2)}


def test_what_was_received_and_is_not_for_seats_is_a_line_of_its_own(books: Books) -> None:
    came = books.come_late(books.ticket)
    books.post()
    figures = books.look(books.day(0)).figures

    assert (figures.gross, figures.beyond, figures.received) == (0, came, came)
    assert figures.gross - figures.short + figures.beyond == figures.received


def test_days_are_closed_one_after_the_other_in_a_chain_of_seals(books: Books) -> None:
    with pytest.raises(NotClosable):
        books.close(books.day(1))
    books.close(books.day(2))
    books.close(books.day(1))

    first, second = books.closes()
    assert second.previous_seal == first.seal
    assert second.sums["received.receivable"] == 450_000
    with books.app.app_context():
        assert day_close.find_broken_seal() is None
        assert day_close.is_as_signed(second)
        noted = db.session.scalars(sa.select(AuditEntry.action)).all()
    assert noted.count("day.closed") == 2


def test_an_altered_close_breaks_the_chain(books: Books) -> None:
    books.close(books.day(2))
    books.close(books.day(1))
    with books.shop.working():
        db.session.execute(sa.text("DROP TRIGGER day_closes_no_update"))
        db.session.execute(sa.update(DayClose).where(DayClose.id == 1).values(closed_by="somebody"))

    with books.app.app_context():
        assert day_close.find_broken_seal() == books.day(2)


@pytest.mark.parametrize("statement", ["UPDATE day_closes SET day = day", "DELETE FROM day_closes"])
def test_the_database_refuses_to_change_a_close(office: Office, statement: str) -> None:
    books = fill(Books(office.app))
    books.close(books.day(2))

    with pytest.raises(DBAPIError, match="never changed"), books.shop.working():
        db.session.execute(sa.text(statement))


def test_what_comes_after_the_close_is_a_correction_on_the_next_day(books: Books) -> None:
    books.close(books.day(2))
    before = books.look(books.day(2)).figures
    late = books.sell(books.ticket, 1, ago=2 * ONE_DAY)
    with books.app.app_context():
        postings.post_orders([late], now=datetime.now(UTC), zone=books.zone)

    assert books.look(books.day(2)).figures == before
    next_day = books.look(books.day(1))
    assert {line.corrects for line in next_day.corrections} == {books.day(2)}
    assert next_day.figures.gross == 600_000


def test_a_running_day_cannot_be_closed(books: Books) -> None:
    today = books.day(0)
    books.compare(today, today)

    with pytest.raises(NotClosable) as refused:
        books.close(today)
    assert refused.value.blockers == {Blocker.RUNNING: None}


def test_a_day_that_was_not_wholly_compared_cannot_be_closed(sqlite_app: Flask) -> None:
    books = Books(sqlite_app)
    books.sell(books.shop.add_ticket("Reguler"), ago=ONE_DAY)
    books.post()
    day = books.day(1)
    with books.shop.working():
        noon = midnight(day, books.zone) + timedelta(hours=12)
        after = midnight(day + ONE_DAY, books.zone) + timedelta(hours=4)
        half = Reconciliation(
            from_at=midnight(day, books.zone), until_at=noon, ran_at=after, invoices=0
        )
        half.differences = 0
        db.session.add(half)

    with pytest.raises(NotClosable) as refused:
        books.close(day)
    assert Blocker.NOT_RECONCILED in refused.value.blockers

    with books.shop.working():
        rest = Reconciliation(from_at=noon, until_at=after, ran_at=after, invoices=0, differences=0)
        db.session.add(rest)
    books.close(day)


def test_differences_want_an_explanation_that_is_kept(books: Books) -> None:
    day = books.day(2)
    books.compare(day, day, (Verdict.NOT_HERE, "TX99999999"))

    with pytest.raises(ExplanationNeeded):
        books.close(day, "   ")
    books.close(day, "From the rehearsal, on the same account.")

    [close] = books.closes()
    assert (close.differences, close.explanation) == (1, "From the rehearsal, on the same account.")


def test_a_difference_that_was_healed_since_needs_none(books: Books) -> None:
    day = books.day(2)
    books.compare(day, day, (Verdict.NOT_HERE, "TX99999999"))
    books.compare(day, day, (Verdict.MATCH, "TX99999999"))

    assert books.look(day).differences == []


def test_figures_that_changed_since_they_were_shown_are_not_signed(books: Books) -> None:
    shown = books.look(books.day(2)).seen
    books.sell(books.ticket, 1, ago=2 * ONE_DAY)
    books.post()

    with pytest.raises(DayChanged):
        books.close(books.day(2), seen=shown)
    assert books.closes() == []

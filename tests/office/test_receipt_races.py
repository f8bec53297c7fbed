"""Receipts asked for at the same moment: no number twice, none left out."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Receipt, ReceiptCounter, ReceiptKind
from app.services.office import receipts
from tests.harness.interleaving import overlap
from tests.office.money_history import History

MOMENTS = (
    "FROM receipts",  # the look whether there is one
    "SELECT receipt_counters.year",
    "INSERT INTO receipt_counters",
    "UPDATE receipt_counters",
    "INSERT INTO receipts",
)


def race(app: Flask, *, after: str, of_one_order: bool = False) -> tuple[list[int], list[object]]:
    """Let two buyers ask, one while the other is held; return the numbers kept, and the errors."""
    history = History(app)
    ticket_id = history.shop.add_ticket()
    first = history.sell(ticket_id)
    second = first if of_one_order else history.sell(ticket_id)
    event = app.extensions["settings"].event

    def ask(order_id: int) -> None:
        receipts.get_receipt(order_id, event=event, now=datetime.now(UTC))

    results = overlap(app, lambda: ask(first), lambda: ask(second), after=after)
    with app.app_context():
        numbers = db.session.scalars(sa.select(Receipt.number).order_by(Receipt.number)).all()
    return list(numbers), [each for each in results if each is not None]


@pytest.mark.parametrize("moment", MOMENTS)
def test_two_at_once_get_the_numbers_one_and_two(mariadb_app: Flask, moment: str) -> None:
    assert race(mariadb_app, after=moment) == ([1, 2], [])


@pytest.mark.parametrize("moment", MOMENTS)
def test_one_order_asked_for_twice_at_once_has_one_receipt(mariadb_app: Flask, moment: str) -> None:
    assert race(mariadb_app, after=moment, of_one_order=True) == ([1], [])


def test_without_the_counters_lock_a_number_is_taken_twice(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: who read first and writes last fails on the unique key."""

    def read_then_write(session: Session, kind: ReceiptKind, year: int) -> int:
        last = session.scalars(sa.select(ReceiptCounter.last)).one()
        session.execute(sa.update(ReceiptCounter).values(last=last + 1))
        return last + 1

    monkeypatch.setattr(receipts, "_next_number", read_then_write)
    numbers, [error] = race(mariadb_app, after="SELECT receipt_counters.last")
    assert numbers == [1]
    assert isinstance(error, IntegrityError)

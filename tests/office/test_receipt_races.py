"""Receipts asked for at the same moment: no number twice, none left out."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Receipt, ReceiptCounter, ReceiptKind
from app.services.office import receipts
from tests.office.money_history import History

BUYERS = 8


def ask_at_once(app: Flask, order_ids: list[int], asked: Callable[[int], object]) -> list[object]:
    """Ask for the receipts of these orders at the same moment; errors are results."""
    start = threading.Barrier(len(order_ids))

    def ask(order_id: int) -> object:
        with app.app_context():
            start.wait(timeout=20)
            try:
                return asked(order_id)
            except Exception as error:  # noqa: BLE001 (the caller looks at it)
                return error

    with ThreadPoolExecutor(len(order_ids)) as pool:
        return list(pool.map(ask, order_ids))


def race(app: Flask, *, of_one_order: bool = False) -> list[int]:
    """Let eight buyers ask at once, and return the numbers that were kept, in order."""
    history = History(app)
    ticket_id = history.shop.add_ticket()
    order_ids = [history.sell(ticket_id) for _ in range(1 if of_one_order else BUYERS)]
    event = app.extensions["settings"].event
    ask_at_once(
        app,
        order_ids * (BUYERS // len(order_ids)),
        lambda order_id: receipts.get_receipt(order_id, event=event, now=datetime.now(UTC)),
    )
    with app.app_context():
        return list(db.session.scalars(sa.select(Receipt.number).order_by(Receipt.number)))


def test_eight_at_once_get_the_numbers_one_to_eight(mariadb_app: Flask) -> None:
    assert race(mariadb_app) == list(range(1, BUYERS + 1))


def test_one_order_asked_for_eight_times_at_once_has_one_receipt(mariadb_app: Flask) -> None:
    assert race(mariadb_app, of_one_order=True) == [1]


def test_without_the_counters_lock_numbers_are_taken_twice(
    mariadb_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: read, wait for all, then write; seven of eight fail."""
    together = threading.Barrier(BUYERS)

    def read_then_write(session: Session, kind: ReceiptKind, year: int) -> int:
        last = session.scalars(sa.select(ReceiptCounter.last)).one()
        together.wait(timeout=20)
        session.execute(sa.update(ReceiptCounter).values(last=last + 1))
        return last + 1

    monkeypatch.setattr(receipts, "_next_number", read_then_write)
    assert race(mariadb_app) == [1]

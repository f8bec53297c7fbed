"""What many look at is read once a second, and is never older than that."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from app.extensions import db
from app.models import SaleStatus, Ticket, TicketStock
from app.services.selling import shop_window
from app.services.selling.catalogue import TicketOnSale
from app.services.selling.shop_window import ShopWindow, look_at_tickets
from tests.harness.waiting import PATIENCE

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MOMENT = timedelta(milliseconds=1)
TICKET = TicketOnSale(
    id=1,
    type="Reguler",
    description="",
    price=1,
    amount=9,
    available=9,
    max_per_order=5,
    valid_from=NOW - timedelta(days=1),
    valid_until=NOW + timedelta(days=1),
    status=SaleStatus.ON_SALE,
)


class Shelf:
    """Counts how often it is read; each reading finds one seat fewer."""

    def __init__(self) -> None:
        self.readings = 0

    def read(self, _now: datetime) -> list[TicketOnSale]:
        self.readings += 1
        return [replace(TICKET, available=9 - self.readings)]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def window(shelf: Shelf) -> ShopWindow:
    return ShopWindow(shelf.read)


def left(window: ShopWindow, now: datetime) -> int:
    [ticket] = window.tickets(now)
    return ticket.available


def test_all_who_come_within_a_second_share_one_reading(shelf: Shelf, window: ShopWindow) -> None:
    assert [left(window, NOW + n * SECOND / 10) for n in range(10)] == [8] * 10
    assert shelf.readings == 1


def test_nothing_older_than_a_second_is_shown(window: ShopWindow) -> None:
    assert left(window, NOW) == 8
    assert left(window, NOW + SECOND - MOMENT) == 8
    assert left(window, NOW + SECOND) == 7
    assert left(window, NOW + SECOND * 2 - MOMENT) == 7


def test_a_clock_set_back_makes_nothing_live_longer(window: ShopWindow) -> None:
    assert left(window, NOW) == 8
    assert left(window, NOW - timedelta(hours=1)) == 7


def test_an_empty_catalogue_is_remembered_too() -> None:
    readings: list[datetime] = []

    def read(now: datetime) -> list[TicketOnSale]:
        readings.append(now)
        return []

    window = ShopWindow(read)
    assert [window.tickets(NOW), window.tickets(NOW)] == [[], []]
    assert len(readings) == 1


def test_a_caller_who_changes_the_list_changes_only_theirs(window: ShopWindow) -> None:
    window.tickets(NOW).clear()
    assert left(window, NOW) == 8


def test_a_reading_that_failed_is_not_remembered() -> None:
    is_away = True

    def read(_now: datetime) -> list[TicketOnSale]:
        if is_away:
            raise ConnectionError
        return [TICKET]

    window = ShopWindow(read)
    with pytest.raises(ConnectionError):
        window.tickets(NOW)
    is_away = False
    assert window.tickets(NOW) == [TICKET]


def test_a_crowd_at_the_same_moment_waits_for_one_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shop_window, "PATIENCE_SECONDS", PATIENCE)
    crowd = 8
    is_complete = threading.Barrier(crowd + 1)
    readings = []

    def read(now: datetime) -> list[TicketOnSale]:
        readings.append(now)
        if len(readings) == 1:
            is_complete.wait(PATIENCE)
        return [TICKET]

    window = ShopWindow(read)

    def come(_number: int) -> list[TicketOnSale]:
        is_complete.wait(PATIENCE)
        return window.tickets(NOW)

    with ThreadPoolExecutor(crowd + 1) as pool:
        first = pool.submit(window.tickets, NOW)
        assert list(pool.map(come, range(crowd))) == [[TICKET]] * crowd
        assert first.result() == [TICKET]
    assert len(readings) == 1


def test_a_reader_that_hangs_holds_up_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_window, "PATIENCE_SECONDS", 0.05)
    is_reading, let_go = threading.Event(), threading.Event()

    def read(_now: datetime) -> list[TicketOnSale]:
        if is_reading.is_set():
            return [TICKET]
        is_reading.set()
        assert let_go.wait(PATIENCE)
        return []

    window = ShopWindow(read)
    hanging = threading.Thread(target=window.tickets, args=(NOW,))
    hanging.start()
    assert is_reading.wait(PATIENCE)
    assert window.tickets(NOW) == [TICKET]
    let_go.set()
    hanging.join()


def add_ticket(amount: int) -> TicketStock:
    stock = TicketStock(amount=amount)
    period = {"valid_from": NOW - timedelta(days=1), "valid_until": NOW + timedelta(days=1)}
    db.session.add(
        Ticket(
            type="Reguler",
            description="",
            price=1,
            max_per_order=5,
            position=1,
            stock=stock,
            **period,
        )
    )
    db.session.commit()
    return stock


@pytest.fixture
def stock(sqlite_app: Flask) -> Iterator[TicketStock]:
    with sqlite_app.app_context():
        yield add_ticket(9)


def available(now: datetime = NOW) -> int:
    [ticket] = look_at_tickets(now)
    return ticket.available


def test_what_this_process_sold_is_seen_at_once(stock: TicketStock) -> None:
    assert available() == 9
    stock.held = 2
    db.session.commit()
    assert available() == 7


def test_what_another_process_sold_is_seen_after_a_second(stock: TicketStock) -> None:
    assert available() == 9
    with db.engine.connect() as other:  # no session of ours commits
        other.exec_driver_sql("UPDATE ticket_stock SET held = 4")
        other.commit()
    assert available(NOW + SECOND - MOMENT) == 9
    db.session.rollback()
    assert available(NOW + SECOND) == 5


def test_a_sale_commits_during_the_reading_and_is_not_missed() -> None:
    sold = False

    def read(_now: datetime) -> list[TicketOnSale]:
        nonlocal sold
        found = [replace(TICKET, available=0 if sold else 1)]
        if not sold:  # the seat goes after it was read
            sold = True
            shop_window._commits.note(None)
        return found

    window = ShopWindow(read)
    assert left(window, NOW) == 1
    assert left(window, NOW) == 0


def test_a_rush_reads_some_times_a_second_and_shows_nothing_older(
    shelf: Shelf, window: ShopWindow
) -> None:
    for n in range(100):  # somebody buys before each look
        shop_window._commits.note(None)
        left(window, NOW + n * MOMENT)
    assert shelf.readings == shop_window.MOST_READINGS
    seen = left(window, NOW + 99 * MOMENT)
    assert left(window, NOW + SECOND + 9 * MOMENT) == seen - 1

"""Orders that come at the same moment share a transaction, and nothing else."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from app.errors import (
    Busy,
    IdempotencyKeyReused,
    QuantityOutOfRange,
    SoldOut,
    TicketNotFound,
)
from app.extensions import db
from app.models import Job, Order, OrderStatus, TicketStock, User
from app.services.selling import inventory
from app.services.selling.order_counter import counter_of
from app.services.selling.ordering import Buyer, IdempotencyRef, PlacedOrder
from tests.harness.waiting import eventually
from tests.money.world import World, request_for
from tests.selling.test_idempotency import commit_breaks

REF = IdempotencyRef("form", "key-1")


class Counter:
    """The world's counter, with its first customer stuck at a row that the test holds."""

    def __init__(self, world: World, pool: ThreadPoolExecutor) -> None:
        self.world = world
        self._pool = pool
        self.commits = 0
        self._asked: list[Future[Any]] = []
        with world.app.app_context():
            self._waiting = counter_of(db.engine)._waiting
            event.listen(db.engine, "commit", self._count)

    def _count(self, connection: object) -> None:
        self.commits += 1

    def ask(self, *wanted: tuple[int, int], **options: Any) -> None:
        """Order so many seats of these tickets, behind whoever came before."""
        before = len(self._waiting)
        buyer = Buyer(f"Guest {len(self._asked)}", f"g{len(self._asked)}@example.com", "+62812")
        request = request_for(dict(wanted), options.pop("buyer", buyer))
        self._asked.append(self._pool.submit(self.world.place_request, request, **options))
        eventually(lambda: len(self._waiting) > before)

    def outcomes(self) -> list[PlacedOrder | BaseException]:
        """Return what came of each, in the order of coming."""
        return [each.exception(60) or each.result() for each in self._asked]


@contextmanager
def counter(world: World) -> Iterator[Counter]:
    """Give a counter that is kept busy inside the block; those who ask there form one group."""
    blocked = world.add_ticket("Blocked")
    row = sa.select(TicketStock).where(TicketStock.ticket_id == blocked).with_for_update()
    other = sa.create_engine(world.settings.database_url)
    with ThreadPoolExecutor(20) as pool:
        with other.connect() as connection:
            connection.execute(row)
            busy = pool.submit(world.place, blocked)
            found = Counter(world, pool)
            eventually(lambda: _is_held_up(connection))
            yield found
        busy.result(60)
    other.dispose()


def _is_held_up(connection: sa.Connection) -> bool:
    updating = (
        "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE ticket%'"
    )
    return bool(connection.scalar(sa.text(updating)))


def test_orders_that_come_at_once_are_one_commit_with_each_its_own_rows(
    mariadb_world: World,
) -> None:
    one, two = (mariadb_world.add_ticket(name, amount=100) for name in "AB")
    with counter(mariadb_world) as busy:
        for number in range(1, 9):
            busy.ask((one, number), (two, 1))

    placed = busy.outcomes()

    assert busy.commits == 2  # the one that was held up, and the eight
    with mariadb_world.app.app_context():
        for number, each in enumerate(placed, start=1):
            assert isinstance(each, PlacedOrder)
            order = db.session.get_one(Order, each.order_id)
            assert (order.code, order.user.full_name) == (each.code, f"Guest {number - 1}")
            assert order.quantities == {one: number, two: 1}
            assert order.payment.external_id == order.code
            assert order.payment.amount == order.total == each.total
            assert _jobs_of(order.id) == {"expire_order", "open_invoice"}
            job = db.session.get_one(Job, each.invoice_job_id)
            assert (job.kind, job.payload) == ("open_invoice", {"order_id": order.id})
    assert mariadb_world.violations() == []


def _jobs_of(order_id: int) -> set[str]:
    jobs = db.session.scalars(sa.select(Job))
    return {job.kind for job in jobs if job.payload == {"order_id": order_id}}


def test_a_refusal_is_felt_by_nobody_else(mariadb_world: World) -> None:
    ticket = mariadb_world.add_ticket(amount=5, most=4)
    free = mariadb_world.add_ticket("Free", price=0)
    with counter(mariadb_world) as busy:
        busy.ask((ticket, 2))
        busy.ask((9999, 1))
        busy.ask((ticket, 5))
        busy.ask((free, 1))
        busy.ask((ticket, 4))
        busy.ask((ticket, 3))

    first, unknown, too_many, gift, too_late, last = busy.outcomes()

    assert isinstance(unknown, TicketNotFound)
    assert isinstance(too_many, QuantityOutOfRange)
    assert isinstance(too_late, SoldOut)
    assert too_late.available == {ticket: 3}
    assert isinstance(first, PlacedOrder)
    assert isinstance(last, PlacedOrder)
    assert isinstance(gift, PlacedOrder)
    assert mariadb_world.standing(gift).order == OrderStatus.PAID.value
    assert busy.commits == 2
    assert mariadb_world.violations() == []


def test_twins_in_one_group_are_one_order(mariadb_world: World) -> None:
    ticket = mariadb_world.add_ticket(amount=100)
    sari = Buyer("Sari Dewi", "sari@example.com", "+6281234567890")
    with counter(mariadb_world) as busy:
        busy.ask((ticket, 1), idempotency=REF, buyer=sari)
        busy.ask((ticket, 2))
        busy.ask((ticket, 1), idempotency=REF, buyer=sari)
        busy.ask((ticket, 3), idempotency=REF, buyer=sari)

    first, other, again, changed = busy.outcomes()

    assert isinstance(first, PlacedOrder)
    assert isinstance(again, PlacedOrder)
    assert isinstance(other, PlacedOrder)
    assert again.code == first.code != other.code
    assert {first.is_repeat, again.is_repeat} == {True, False}
    assert isinstance(changed, IdempotencyKeyReused)
    assert mariadb_world.count(Order) == 3  # with the one that was held up
    assert mariadb_world.violations() == []


def test_seats_that_another_process_takes_meanwhile_go_to_the_first_in_line(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = mariadb_world.add_ticket(amount=4)
    hold = inventory.hold

    def overtaken(session: Any, *seats: Any) -> None:
        monkeypatch.setattr(inventory, "hold", hold)
        mariadb_world.change(TicketStock, TicketStock.ticket_id == ticket, amount=3)
        hold(session, *seats)

    with counter(mariadb_world) as busy:
        busy.ask((ticket, 2))
        busy.ask((ticket, 2))
        busy.ask((ticket, 1))
        monkeypatch.setattr(inventory, "hold", overtaken)

    first, second, third = busy.outcomes()

    assert isinstance(first, PlacedOrder)
    assert isinstance(second, SoldOut)
    assert second.available == {ticket: 1}
    assert isinstance(third, PlacedOrder)
    assert mariadb_world.count(User) == 3
    assert mariadb_world.violations() == []


def test_twins_whose_seats_go_meanwhile_both_hear_so(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = mariadb_world.add_ticket(amount=2)
    sari = Buyer("Sari Dewi", "sari@example.com", "+6281234567890")
    hold = inventory.hold

    def overtaken(session: Any, *seats: Any) -> None:
        mariadb_world.change(TicketStock, TicketStock.ticket_id == ticket, amount=0)
        hold(session, *seats)

    with counter(mariadb_world) as busy:
        for _ in range(2):
            busy.ask((ticket, 1), idempotency=REF, buyer=sari)
        monkeypatch.setattr(inventory, "hold", overtaken)

    assert [type(each) for each in busy.outcomes()] == [SoldOut, SoldOut]
    assert mariadb_world.violations() == []


@pytest.mark.parametrize("arrived", [True, False])
def test_a_commit_without_answer_is_looked_up_for_each(mariadb_world: World, arrived: bool) -> None:
    ticket = mariadb_world.add_ticket(amount=3)
    others = 2  # the ticket's that the counter is kept busy with, and its order's
    with commit_breaks(mariadb_world, after=arrived, skip=others), counter(mariadb_world) as busy:
        for _ in range(4):
            busy.ask((ticket, 1))

    *placed, too_late = busy.outcomes()

    assert isinstance(too_late, SoldOut)
    kinds = {type(each) for each in placed}
    assert kinds == {PlacedOrder if arrived else Busy}
    assert mariadb_world.count(Order) == (4 if arrived else 1)
    assert mariadb_world.violations() == []

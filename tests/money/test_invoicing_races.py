"""What happens while a call to create an invoice is under way."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from app.extensions import db
from app.integrations.xendit import Invoice
from app.services.money import expiry, invoicing
from app.services.money.payments import CONFIRM
from app.services.running.jobs import RetryLater
from app.services.selling.ordering import OPEN_INVOICE, PlacedOrder
from tests.harness.waiting import PATIENCE
from tests.money.world import Standing, World

PAID = Standing("PAID", "PAID", held=0, sold=1, e_tickets=1)
EXPIRED = Standing("EXPIRED", "EXPIRED", held=0, sold=0, e_tickets=0)


def creates(world: World) -> int:
    return len(world.standin.requests("POST", "/v2/invoices"))


@contextmanager
def creating(world: World, placed: PlacedOrder) -> Iterator[str]:
    """Run the block while Xendit has made the invoice and its answer is under way; give its id."""
    create, is_made, may_arrive = invoicing._create, threading.Event(), threading.Event()

    def answer_late(*call: Any) -> Invoice:
        invoice = create(*call)
        if not is_made.is_set():
            is_made.set()
            assert may_arrive.wait(2 * PATIENCE)
        return invoice

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(invoicing, "_create", answer_late)
        trying = pool.submit(world.try_open_invoice, placed)
        try:
            assert is_made.wait(PATIENCE)
            yield str(world.standin.invoices(placed.code)[0]["id"])
        finally:
            may_arrive.set()
        trying.result(PATIENCE)


def do_the_job(world: World, placed: PlacedOrder) -> str | None:
    with world.app.app_context():
        return invoicing.open_invoice(
            placed.order_id, now=world.now(), gateway=world.gateway, settings=world.settings
        )


def test_the_buyers_try_and_the_job_make_one_call_between_them(each_world: World) -> None:
    placed = each_world.place(each_world.add_ticket())
    each_world.standin.set_fault("list_empty")  # the look-up does not see the new one yet

    with creating(each_world, placed) as invoice:
        assert each_world.try_open_invoice(placed) is None
        with pytest.raises(RetryLater):
            do_the_job(each_world, placed)

    assert creates(each_world) == 1
    assert each_world.payable(placed) == [each_world.invoice_id(placed)] == [invoice]
    assert do_the_job(each_world, placed) == each_world.payment(placed).invoice_url


@pytest.mark.parametrize("statements", [1, 2, 3])
def test_two_tries_that_begin_at_once_make_one_call(mariadb_world: World, statements: int) -> None:
    placed = mariadb_world.place(mariadb_world.add_ticket())

    urls = mariadb_world.overlap(
        *[lambda: mariadb_world.try_open_invoice(placed)] * 2, after=statements
    )

    assert creates(mariadb_world) == 1
    assert mariadb_world.payment(placed).invoice_url in urls


def test_without_the_claim_they_would_make_several(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoicing, "_claim_creation", lambda *_: True)
    placed = mariadb_world.place(mariadb_world.add_ticket())

    with creating(mariadb_world, placed):
        mariadb_world.try_open_invoice(placed)

    assert creates(mariadb_world) == 2


def test_money_that_comes_before_the_answer_is_not_lost(each_world: World) -> None:
    placed = each_world.place(each_world.add_ticket())

    with creating(each_world, placed) as invoice:
        each_world.standin.pay(invoice, "QRIS")
        each_world.callback(placed, "PAID", id=invoice)
        each_world.work(CONFIRM)
        assert each_world.standing(placed) == PAID

    assert each_world.standing(placed) == PAID
    assert each_world.invoice_id(placed) == invoice
    each_world.advance(seconds=20)
    each_world.work(OPEN_INVOICE)
    assert creates(each_world) == 1


def expire(world: World, placed: PlacedOrder, **later: float) -> None:
    with world.app.app_context():
        now = world.now() + timedelta(**later)
        expiry.expire_order(placed.order_id, now=now, gateway=world.gateway)


def test_an_order_is_not_expired_while_its_invoice_may_be_born(world: World) -> None:
    world.clock.stop()
    placed = world.place(world.add_ticket(), now=world.now() - timedelta(minutes=29, seconds=50))

    with creating(world, placed), pytest.raises(RetryLater):
        expire(world, placed, seconds=20)

    assert world.standing(placed).order == "PENDING"


@pytest.mark.parametrize("is_listed", [True, False])
def test_an_invoice_born_after_its_order_expired_is_closed(world: World, is_listed: bool) -> None:
    placed = world.place(world.add_ticket())
    if not is_listed:
        world.standin.set_fault("list_empty", times=1)

    with creating(world, placed) as invoice:
        expire(world, placed, hours=1)
        assert world.standing(placed) == EXPIRED
    world.work()

    assert world.standin.invoice(invoice)["status"] == "EXPIRED"
    assert world.standing(placed) == EXPIRED


def test_an_invoice_paid_before_it_could_be_closed_is_fulfilled(world: World) -> None:
    placed = world.place(world.add_ticket())
    world.standin.set_fault("list_empty", times=1)

    with creating(world, placed) as invoice:
        expire(world, placed, hours=1)
        world.standin.pay(invoice, "QRIS")
    world.work("close_invoice")

    assert world.standing(placed) == PAID
    assert world.violations() == []


class Watching(HTTPAdapter):
    """Notes how many database connections are in use when a call leaves and when it is back."""

    def __init__(self, world: World) -> None:
        super().__init__()
        with world.app.app_context():
            self._pool: Any = db.engine.pool
        self.seen: list[tuple[str, int, int]] = []

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        before = self._pool.checkedout()
        try:
            return super().send(request, *args, **kwargs)
        finally:
            call = f"{request.method} {request.path_url.partition('?')[0]}"
            self.seen.append((call, before, self._pool.checkedout()))


def test_no_database_connection_waits_for_xendit(mariadb_world: World) -> None:
    world = mariadb_world
    watch = Watching(world)
    world.gateway._session.mount(world.standin.base_url, watch)
    ticket = world.add_ticket()
    body = {
        "user": {"full_name": "Sari", "email": "sari@example.com", "no_hp": "081234567890"},
        "items": [{"ticketId": ticket, "quantity": 1}],
    }

    assert world.app.test_client().post("/api/orders", json=body).status_code == 201
    world.standin.set_fault("create_answer_lost", how="502", times=1)
    unheard = world.place(ticket)
    world.try_open_invoice(unheard)
    world.work()  # looks it up
    paid = world.order(ticket)
    world.standin.pay(world.invoice_id(paid))
    world.callback(paid)
    world.work()  # reads it
    world.advance_ours(hours=1)
    world.work()  # closes the others

    assert {world.standing(order).order for order in (paid, unheard)} == {"PAID", "EXPIRED"}
    assert {re.sub("[0-9a-f]{24}", "ID", call) for call, _, _ in watch.seen} == {
        "POST /v2/invoices",
        "GET /v2/invoices",
        "GET /v2/invoices/ID",
        "POST /invoices/ID/expire!",
    }
    assert [seen for seen in watch.seen if seen[1:] != (0, 0)] == []
    watch.close()


def test_a_connection_that_is_kept_would_be_noticed(mariadb_world: World) -> None:
    watch = Watching(mariadb_world)
    mariadb_world.gateway._session.mount(mariadb_world.standin.base_url, watch)

    with mariadb_world.app.app_context(), db.engine.connect():
        mariadb_world.gateway.list_invoices("TX")

    assert [seen[1:] for seen in watch.seen] == [(1, 1)]
    watch.close()


class Killed(BaseException):
    """Stands for SIGKILL: nothing that comes after it happens."""


@pytest.mark.parametrize("died_in", ["_create", "_attach"])
def test_a_worker_killed_around_its_call_leaves_one_invoice_in_the_end(
    each_world: World, monkeypatch: pytest.MonkeyPatch, died_in: str
) -> None:
    placed = each_world.place(each_world.add_ticket())
    each_world.advance_ours(seconds=16)

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(invoicing, died_in, die)
        each_world.work(OPEN_INVOICE)
    assert each_world.payment(placed).invoice_id is None
    each_world.advance_ours(minutes=3)
    each_world.work(OPEN_INVOICE)

    assert creates(each_world) == 1
    assert each_world.payable(placed) == [each_world.invoice_id(placed)]

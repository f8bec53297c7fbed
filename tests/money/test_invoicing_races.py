"""What happens while a call to create an invoice is under way."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from app.extensions import db
from app.services.money import expiry, invoicing
from app.services.money.payments import CONFIRM
from app.services.running.jobs import RetryLater
from app.services.selling.ordering import OPEN_INVOICE, PlacedOrder
from tests.harness.waiting import eventually
from tests.money.world import Standing, World

PAID = Standing("PAID", "PAID", held=0, sold=1, e_tickets=1)
EXPIRED = Standing("EXPIRED", "EXPIRED", held=0, sold=0, e_tickets=0)


def creates(world: World) -> int:
    return len(world.standin.requests("POST", "/v2/invoices"))


@contextmanager
def creating(world: World, placed: PlacedOrder) -> Iterator[str]:
    """Run the block while Xendit has made the invoice and not answered yet; give its id."""
    world.standin.set_fault("create_slow", seconds=0.7, times=1)
    answers: list[str | None] = []
    thread = threading.Thread(target=lambda: answers.append(world.try_open_invoice(placed)))
    thread.start()
    try:
        found = eventually(lambda: world.standin.invoices(placed.code), every=0.01)
        yield str(found[0]["id"])
        assert not answers, "the answer came too soon for this test to say anything"
    finally:
        thread.join(timeout=10)


def test_the_buyers_try_and_the_job_make_one_call_between_them(each_world: World) -> None:
    each_world.standin.set_fault("create_slow", seconds=0.3)
    placed = each_world.place(each_world.add_ticket())

    def job(_: int) -> str | None:
        with each_world.app.app_context():
            return invoicing.open_invoice(
                placed.order_id,
                now=each_world.now(),
                gateway=each_world.gateway,
                settings=each_world.settings,
            )

    ways = (lambda _: each_world.try_open_invoice(placed), job)
    results = each_world.in_threads(6, lambda n: ways[n % 2](n))

    assert creates(each_world) == 1
    assert each_world.payable(placed) == [each_world.invoice_id(placed)]
    assert {type(r) for r in results if isinstance(r, Exception)} <= {RetryLater}
    assert each_world.payment(placed).invoice_url in results


def test_without_the_claim_they_would_make_several(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoicing, "_claim_creation", lambda *_: True)
    mariadb_world.standin.set_fault("create_slow", seconds=0.3)
    placed = mariadb_world.place(mariadb_world.add_ticket())

    mariadb_world.in_threads(3, lambda _: mariadb_world.try_open_invoice(placed))

    assert creates(mariadb_world) > 1


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

"""A world to sell in: the application, Xendit's stand-in, and a clock that can be moved."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app import worker
from app.config import Settings
from app.extensions import db
from app.gateways import Gateways
from app.integrations.xendit import Invoice, XenditClient
from app.models import ETicket, Job, JobStatus, Order, Payment, Ticket, TicketStock
from app.services.money import invoicing, pacing
from app.services.running import jobs
from app.services.running.invariants import find_violations
from app.services.selling.ordering import Buyer, OrderRequest, PlacedOrder, WantedItem, place_order
from sandbox.client import StandIn
from tests.harness.interleaving import at_once, overlap

T = TypeVar("T")

CALLBACK_TOKEN = "local-callback-token"
SARI = Buyer("Sari Dewi", "sari@example.com", "+6281234567890")
PRICE = 150_000
UNHURRIED = 100_000  # calls a minute, as the stand-in of the tests allows
# How long who waits for an invoice waits for Xendit: a slow machine is no slow Xendit.
INLINE = (60.0, 60.0)
A_MONTH = timedelta(days=30)


class Clock:
    """The time of the application under test: the real one, moved forward, until it is stopped."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._stopped_at: datetime | None = None

    def now(self) -> datetime:
        return (self._stopped_at or datetime.now(UTC)) + self._ahead

    def stop(self) -> None:
        """Move on only when told to, where it matters how long a slow machine takes."""
        self._stopped_at = datetime.now(UTC)

    def advance(self, time: timedelta) -> None:
        self._ahead += time


@dataclass(frozen=True)
class Standing:
    """Where an order stands; states as the contract writes them."""

    order: str
    payment: str
    held: int
    sold: int
    e_tickets: int


class World:
    """Places orders, does the worker's jobs, and tells how things stand."""

    def __init__(self, app: Flask, settings: Settings, standin: StandIn) -> None:
        self.app = app
        self.settings = settings
        self.standin = standin
        self.clock = Clock()

    @property
    def gateway(self) -> XenditClient:
        gateways: Gateways = self.app.extensions["gateways"]
        return gateways.xendit

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, **time: float) -> None:
        """Move both clocks, ours and the stand-in's."""
        passed = timedelta(**time)
        self.clock.advance(passed)
        self.standin.advance(passed.total_seconds())

    def advance_ours(self, **time: float) -> None:
        """Move only the application's clock."""
        self.clock.advance(timedelta(**time))

    def wait_for_noon(self) -> date:
        """Move both clocks to the next noon at the event, and return its day.

        What a test calls today is still today at its end, at whatever hour it began.
        """
        here = self.now().astimezone(self.settings.event.timezone)
        noon = here.replace(hour=12, minute=0, second=0, microsecond=0)
        if noon < here:
            noon += timedelta(days=1)
        self.advance(seconds=(noon - here).total_seconds())
        return noon.date()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Give an application context with a session of its own, and commit at the end."""
        with self.app.app_context():
            yield
            db.session.commit()

    def add_ticket(
        self, name: str = "Reguler", *, amount: int = 10, price: int = PRICE, most: int = 10
    ) -> int:
        """Put a ticket on sale and return its id."""
        with self.working():
            ticket = Ticket(
                type=name,
                description=f"Keterangan {name}",
                price=price,
                max_per_order=most,
                valid_from=self.now() - A_MONTH,
                valid_until=self.now() + 12 * A_MONTH,
                position=1,
                stock=TicketStock(amount=amount),
            )
            db.session.add(ticket)
            db.session.flush()
            return ticket.id

    def change(self, model: type[Any], condition: sa.ColumnElement[bool], **values: Any) -> None:
        """Change rows behind the service's back."""
        with self.working():
            db.session.execute(sa.update(model).where(condition).values(**values))

    def place(self, ticket_id: int, quantity: int = 1, **options: Any) -> PlacedOrder:
        """Place an order for one kind of ticket, without asking Xendit for an invoice."""
        return self.place_request(request_for({ticket_id: quantity}), **options)

    def place_request(self, request: OrderRequest, **options: Any) -> PlacedOrder:
        with self.app.app_context():
            now = options.pop("now", None) or self.now()
            return place_order(request, now=now, settings=self.settings, **options)

    def try_open_invoice(self, placed: PlacedOrder) -> str | None:
        """Make the inline try of the web process."""
        with self.app.app_context():
            return invoicing.try_open_invoice(
                placed, now=self.now(), gateway=self.gateway, settings=self.settings
            )

    def order(self, ticket_id: int, quantity: int = 1) -> PlacedOrder:
        """Place an order and open its invoice, as the checkout does."""
        placed = self.place(ticket_id, quantity)
        assert self.try_open_invoice(placed)
        return placed

    def invoice_id(self, placed: PlacedOrder) -> str:
        """Return the invoice id the payment has."""
        found = self.payment(placed).invoice_id
        assert found
        return found

    def payment(self, placed: PlacedOrder) -> Payment:
        """Return the payment, detached."""
        with self.app.app_context():
            payment = db.session.scalar(
                sa.select(Payment).where(Payment.order_id == placed.order_id)
            )
            assert payment
            db.session.expunge(payment)
            return payment

    def payable(self, placed: PlacedOrder) -> list[str]:
        """Return the ids of the invoices at Xendit that a buyer could still pay."""
        mine = self.standin.invoices(placed.code)
        return [invoice["id"] for invoice in mine if invoice["status"] == "PENDING"]

    def read(self, placed: PlacedOrder) -> Invoice:
        """Read the order's invoice at Xendit."""
        return self.gateway.read_invoice(self.invoice_id(placed))

    def deliver(self, body: Mapping[str, Any] | str, token: str = CALLBACK_TOKEN) -> TestResponse:
        """Send a body to the webhook."""
        text = body if isinstance(body, str) else json.dumps(body)
        return self.app.test_client().post(
            "/api/payment-callback",
            data=text,
            headers={"x-callback-token": token, "Content-Type": "application/json"},
        )

    def callback(self, placed: PlacedOrder, status: str = "PAID", **fields: Any) -> TestResponse:
        """Send the webhook a status would send, whatever the invoice really is."""
        known = self.standin.invoices(placed.code)
        body = {"id": known[-1]["id"] if known else "0" * 24, "external_id": placed.code}
        return self.deliver({**body, "status": status, **fields})

    def work(self, *kinds: str, most: int = 200) -> int:
        """Do every job that is due (of these kinds), as a worker does; return how many."""
        done = 0
        with self.app.app_context():
            while done < most and self.step(kinds):
                done += 1
        assert done < most, "the jobs do not come to an end"
        return done

    def step(self, kinds: tuple[str, ...] = ()) -> bool:
        """Do one job that is due (of these kinds); tell whether there was any."""
        if not kinds:
            return worker._step() == 0.0
        job = jobs.claim(self.now(), kinds)
        if job is not None:
            worker._do(job)
            db.session.remove()
        return job is not None

    def jobs(self, kind: str, status: JobStatus | None = JobStatus.OPEN) -> list[Job]:
        """Return the jobs of a kind, the oldest first, detached."""
        with self.app.app_context():
            query = sa.select(Job).where(Job.kind == kind).order_by(Job.id)
            if status is not None:
                query = query.where(Job.status == status)
            found = list(db.session.scalars(query))
            db.session.expunge_all()
            return found

    def standing(self, placed: PlacedOrder) -> Standing:
        """Tell where an order and the stock of its first ticket stand."""
        with self.app.app_context():
            order = db.session.get_one(Order, placed.order_id)
            stock = db.session.get_one(TicketStock, order.items[0].ticket_id)
            made = sa.select(sa.func.count(ETicket.id)).where(ETicket.order_id == order.id)
            return Standing(
                order.status.value,
                order.payment.status.value,
                stock.held,
                stock.sold,
                db.session.scalar(made) or 0,
            )

    def count(self, model: type[Any]) -> int:
        """Return how many rows a table has."""
        with self.app.app_context():
            return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0

    def violations(self) -> list[str]:
        with self.app.app_context():
            return find_violations()

    def overlap(
        self, first: Callable[[], T], second: Callable[[], T], *, after: int | str
    ) -> tuple[T | Exception, T | Exception]:
        """Do `second` while `first` is held after that statement; see `interleaving`."""
        return overlap(self.app, first, second, after=after)

    def in_threads(self, count: int, act: Callable[[int], T]) -> list[T | Exception]:
        """Run `act(0)` … `act(count - 1)` at the same moment; exceptions are results."""
        return at_once([partial(act, number) for number in range(count)])


def request_for(quantities: Mapping[int, int], buyer: Buyer = SARI) -> OrderRequest:
    """Return a request for so many of these ticket ids, in the given order."""
    return OrderRequest(buyer, tuple(WantedItem(k, v) for k, v in quantities.items()))


@contextmanager
def wound(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Let the worker and the webhook see the world's clock; give back what it holds at the end."""
    for module in ("invoicing", "extending", "cancelling"):
        monkeypatch.setattr(f"app.services.money.{module}.INLINE", INLINE)
    monkeypatch.setattr("app.worker.utcnow", world.now)
    monkeypatch.setattr("app.job_handlers.utcnow", world.now)
    monkeypatch.setattr("app.mail_jobs.utcnow", world.now)
    monkeypatch.setattr("app.routes.callback.utcnow", world.now)
    with world.working():
        pacing.take(world.now())
        pacing.learn(UNHURRIED)  # as if Xendit had told: no test waits in line unasked
    try:
        yield world
    finally:
        world.gateway._session.close()

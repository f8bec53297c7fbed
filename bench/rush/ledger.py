"""The ledger of an ended drill: what buyers were told, and what is true, side by side."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.models import ETicket, Order, OrderItem, OrderStatus, Payment, User
from app.services.running.invariants import find_violations
from bench.rush.book import Answer, Book, No, Yes
from bench.rush.plan import Plan
from bench.rush.samples import Line, Samples, Stock
from tests.harness.service import Service
from tests.torture.desk import Desk
from tests.torture.ledger import confirmations, find_lost_money

ORDER_ROUTES = ("/checkout", "/api/orders")
CREATE = ("POST", "/v2/invoices")
Times = dict[str, float]  # seconds since the opening, by order code


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as the database has it in the end; `ended` is when an unpaid one gave up."""

    code: str
    email: str
    token: str
    external_id: str
    invoice_id: str
    status: OrderStatus
    created: float
    promised_until: float
    seats: int
    e_tickets: int
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call that reached Xendit; `external_id` is set for those that create an invoice."""

    at: float
    what: str
    status: int
    external_id: str = ""


@dataclass
class Ledger:
    """Everything the audit asks; times are seconds since the opening."""

    seats: int
    calls_per_minute: int
    answers: list[Answer] = field(default_factory=list)
    yes: list[Yes] = field(default_factory=list)
    no: list[No] = field(default_factory=list)
    paid: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    orders: list[OrderRow] = field(default_factory=list)
    stock: list[Stock] = field(default_factory=list)
    line: list[Line] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    mails: dict[str, list[str]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    lost_money: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    deadlocks: int = 0
    busy_orders: int = 0  # that were let in and answered 503 all the same

    def creates(self) -> list[Call]:
        """Return the calls that create invoices, as they came."""
        return [call for call in self.calls if call.external_id]


def close_books(
    plan: Plan,
    book: Book,
    samples: Samples,
    service: Service,
    desk: Desk,
    *,
    created: Times,
    deadlocks: int,
) -> Ledger:
    """Read everything once all is quiet; `deadlocks` is how many the database broke up."""
    invoices = service.standin.invoices()
    with desk.app.app_context():
        violations, lost_money = find_violations(), find_lost_money(invoices)
    return Ledger(
        seats=plan.seats,
        calls_per_minute=plan.calls_per_minute,
        answers=book.answers,
        yes=book.yes,
        no=book.no,
        paid=book.paid,
        surprises=book.surprises,
        orders=_read_orders(plan, desk, book, created, _read_ends(service, book)),
        stock=samples.stock,
        line=samples.line,
        calls=[_read_call(each, book) for each in service.standin.requests()],
        invoices=invoices,
        mails=confirmations(service.mailbox.mails()),
        violations=violations,
        lost_money=lost_money,
        unfinished=[f"still to be done: {job}" for job in desk.busy()] + desk.given_up(),
        deadlocks=deadlocks,
        busy_orders=_count_busy_orders(service),
    )


def read_created(desk: Desk, book: Book) -> Times:
    """Return when each order was made; to be read before time is wound forward."""
    rows = desk.rows(sa.select(Order.code, Order.created_at))
    return {code: book.when(moment) for code, moment in rows}


def _read_orders(plan: Plan, desk: Desk, book: Book, created: Times, ends: Times) -> list[OrderRow]:
    seats = _count(sa.func.sum(OrderItem.quantity), OrderItem.order_id)
    e_tickets = _count(sa.func.count(ETicket.id), ETicket.order_id)
    query = (
        sa.select(Order, Payment, User.email, seats, e_tickets)
        .join(Payment, Payment.order_id == Order.id)
        .join(User, User.id == Order.user_id)
        .order_by(Order.id)
    )
    return [
        OrderRow(
            order.code,
            email,
            order.token,
            payment.external_id,
            payment.invoice_id or "",
            order.status,
            # Placed for one of those who were sent away: it was under way when they were.
            created.get(order.code, plan.deadline),
            book.when(payment.invoice_expires_at or order.expires_at),
            int(wanted or 0),
            int(made or 0),
            ends.get(order.code),
        )
        for order, payment, email, wanted, made in desk.rows(query)
    ]


def _count(what: sa.ColumnElement[Any], of: Any) -> sa.ScalarSelect[Any]:
    return sa.select(what).where(of == Order.id).correlate(Order).scalar_subquery()


def _read_ends(service: Service, book: Book) -> Times:
    """Return when orders ended unpaid, from the log: the database does not keep it."""
    ends: dict[str, float] = {}
    for name in [name for name in service.processes if name.startswith(("web", "worker"))]:
        for line in _lines_with("order ended unpaid", service.log(name)):
            ends[line["order"]] = book.when(datetime.fromisoformat(line["time"]))
    return ends


def _count_busy_orders(service: Service) -> int:
    """Return how many orders the database made busy: who is refused at the lane met no route."""
    lines = _lines_with('"status": 503', service.log("web"))
    return sum(line["method"] == "POST" and line["route"] in ORDER_ROUTES for line in lines)


def _lines_with(words: str, log: str) -> Iterable[dict[str, Any]]:
    return (json.loads(line) for line in log.splitlines() if words in line)


def _read_call(entry: dict[str, Any], book: Book) -> Call:
    path = entry["path"].rstrip("/")
    is_create = (entry["method"], path) == CREATE
    return Call(
        book.when(datetime.fromisoformat(entry["at"])),
        "create" if is_create else ("expire" if path.endswith("expire!") else "read"),
        entry["status"] or 0,
        entry["body"]["external_id"] if is_create else "",
    )

"""Writing orders: their rows and the jobs that must follow, by plain inserts.

At the height of a rush hundreds are written a second: objects that go through the unit of work
would cost more than twice as much.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy.orm import Session

from app.models import (
    Job,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentStatus,
    UsedVoucher,
    User,
)
from app.models.codes import new_order_code, new_order_token
from app.models.user import join_names
from app.models.voucher import seats_by_voucher
from app.services.running import jobs
from app.services.running.transaction import insert_all, insert_many
from app.services.selling.offers import Offer
from app.services.selling.order_request import OrderRequest
from app.services.selling.vouchers import VoucherTerms
from app.tracing import current_request_id

Row = dict[str, Any]

OPEN_INVOICE = "open_invoice"
EXPIRE_ORDER = "expire_order"
# The web process tries the invoice at once; the job only steps in when that did not work.
INLINE_HEAD_START = timedelta(seconds=15)


@dataclass(frozen=True)
class PlacedItem:
    """A line of an order that was placed; `ticket` is what it was ordered as.

    `price` is what each seat really costs; it may be lower with a voucher.
    """

    ticket: Offer
    quantity: int
    price: int
    voucher_id: int | None = None

    @classmethod
    def of(cls, ticket: Offer, quantity: int, voucher: VoucherTerms | None) -> "PlacedItem":
        """Return the line at today's price, and with the voucher if it counts for this ticket."""
        if voucher is None or not voucher.counts_for(ticket.id, is_hidden=ticket.is_hidden):
            return cls(ticket, quantity, ticket.price)
        return cls(ticket, quantity, voucher.price_of(ticket.price), voucher.id)

    @property
    def ticket_id(self) -> int:
        return self.ticket.id

    @property
    def list_price(self) -> int | None:
        """Return the price without the voucher; None when there is none."""
        return None if self.voucher_id is None else self.ticket.price

    @property
    def subtotal(self) -> int:
        return self.quantity * self.price

    @property
    def discount(self) -> int:
        """Return what the voucher takes off these seats."""
        return self.quantity * (self.ticket.price - self.price)


@dataclass(frozen=True)
class PlacedOrder:
    """An order that now exists. `is_repeat` when an earlier identical request had made it.

    With `has_head_start` its invoice is to be tried at once, before the job does it. `items` and
    `used_voucher` are known only when it was placed just now: it can be told without a reading.
    """

    order_id: int
    code: str
    token: str
    is_paid: bool
    is_repeat: bool
    invoice_job_id: int | None
    has_head_start: bool
    total: int
    expires_at: datetime
    items: tuple[PlacedItem, ...] = ()
    used_voucher: UsedVoucher | None = None

    @property
    def status(self) -> OrderStatus:
        """Return the state it was placed in."""
        return OrderStatus.PAID if self.is_paid else OrderStatus.PENDING


@dataclass(frozen=True)
class IdempotencyRef:
    """A caller's key for a request, within that caller's `scope`."""

    scope: str
    key: str


@dataclass(frozen=True)
class Draft:
    """An order that is about to be written; with `has_head_start` the caller tries its invoice."""

    request: OrderRequest
    now: datetime
    expires_at: datetime
    api_key_id: int | None
    has_head_start: bool
    idempotency: IdempotencyRef | None
    request_id: str = field(default_factory=current_request_id)
    code: str = field(default_factory=new_order_code)
    token: str = field(default_factory=new_order_token)


@dataclass(frozen=True)
class PricedDraft:
    """A draft with its lines at today's prices, ticket ids ascending."""

    draft: Draft
    items: tuple[PlacedItem, ...]

    @property
    def total(self) -> int:
        return sum(item.subtotal for item in self.items)

    @property
    def voucher_seats(self) -> dict[int, int]:
        """Return how many of its seats are ordered with which voucher id."""
        return seats_by_voucher((item.voucher_id, item.quantity) for item in self.items)

    @property
    def used_voucher(self) -> UsedVoucher | None:
        """Return the request's code, which is one that counts, and what it takes off."""
        code = self.draft.request.voucher
        if code is None:
            return None
        return UsedVoucher(code, sum(item.discount for item in self.items))

    def placed(self, order_id: int, invoice_job_id: int | None) -> PlacedOrder:
        """Return the order once it is written."""
        return PlacedOrder(
            order_id=order_id,
            code=self.draft.code,
            token=self.draft.token,
            is_paid=not self.total,
            is_repeat=False,
            invoice_job_id=invoice_job_id,
            has_head_start=self.draft.has_head_start,
            total=self.total,
            expires_at=self.draft.expires_at,
            items=self.items,
            used_voucher=self.used_voucher,
        )


def write_orders(session: Session, orders: Sequence[PricedDraft]) -> list[PlacedOrder]:
    """Insert orders with their buyers, items, payments and jobs; one statement for each table."""
    user_ids = insert_many(session, User, [_user_row(each.draft) for each in orders])
    heads = [_order_row(each, user_id) for each, user_id in zip(orders, user_ids, strict=True)]
    order_ids = insert_many(session, Order, heads)
    written = list(zip(order_ids, orders, strict=True))
    insert_all(session, OrderItem, [row for each in written for row in _item_rows(*each)])
    insert_all(session, Payment, [_payment_row(*each) for each in written])
    invoice_jobs = _write_jobs(session, [each for each in written if each[1].total])
    return [order.placed(order_id, invoice_jobs.get(order_id)) for order_id, order in written]


def _user_row(draft: Draft) -> Row:
    buyer, guests = draft.request.buyer, draft.request.names_by_ticket().values()
    names = join_names(buyer.full_name, chain.from_iterable(guests))
    return {**vars(buyer), "names": names, "created_at": draft.now}


def _order_row(order: PricedDraft, user_id: int) -> Row:
    draft = order.draft
    return {
        "code": draft.code,
        "token": draft.token,
        "user_id": user_id,
        "api_key_id": draft.api_key_id,
        "status": OrderStatus.PENDING,
        "total": order.total,
        "locale": draft.request.locale,
        "request_id": draft.request_id,
        "created_at": draft.now,
        "expires_at": draft.expires_at,
    }


def _item_rows(order_id: int, order: PricedDraft) -> Iterator[Row]:
    names = order.draft.request.names_by_ticket()
    for item in order.items:
        yield {
            "order_id": order_id,
            "ticket_id": item.ticket_id,
            "quantity": item.quantity,
            "price": item.price,
            "list_price": item.list_price,
            "voucher_id": item.voucher_id,
            "attendees": names[item.ticket_id],
        }


def _payment_row(order_id: int, order: PricedDraft) -> Row:
    return {
        "order_id": order_id,
        "status": PaymentStatus.PENDING,
        "amount": order.total,
        "external_id": order.draft.code,
    }


def _write_jobs(session: Session, orders: Sequence[tuple[int, PricedDraft]]) -> dict[int, int]:
    """Have each hold ended and each invoice opened; return the latter jobs' ids by order id."""
    rows = [_job_row(EXPIRE_ORDER, *each) for each in orders]
    rows += [_job_row(OPEN_INVOICE, *each) for each in orders]
    job_ids = insert_many(session, Job, rows)
    return dict(zip((order_id for order_id, _ in orders), job_ids[len(orders) :], strict=True))


def _job_row(kind: str, order_id: int, order: PricedDraft) -> Row:
    draft = order.draft
    opens_at = draft.now + INLINE_HEAD_START if draft.has_head_start else draft.now
    return jobs.row(
        kind,
        {"order_id": order_id},
        now=draft.now,
        due_at=draft.expires_at if kind == EXPIRE_ORDER else opens_at,
        request_id=draft.request_id,
    )

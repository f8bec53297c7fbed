"""Writing an order: its rows and the jobs that must follow, by plain inserts.

At the height of a rush hundreds are written a second: objects that go through the unit of work
would cost more than twice as much.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.models import Order, OrderItem, OrderStatus, Payment, PaymentStatus, User
from app.models.codes import new_order_code, new_order_token
from app.services.running import jobs
from app.services.running.transaction import insert
from app.services.selling.order_request import Offer, OrderRequest
from app.tracing import current_request_id

OPEN_INVOICE = "open_invoice"
EXPIRE_ORDER = "expire_order"
# The web process tries the invoice at once; the job only steps in when that did not work.
INLINE_HEAD_START = timedelta(seconds=15)


@dataclass(frozen=True)
class PlacedItem:
    """A line of an order that was placed; `ticket` is what it was ordered as."""

    ticket: Offer
    quantity: int

    @property
    def ticket_id(self) -> int:
        return self.ticket.id

    @property
    def price(self) -> int:
        return self.ticket.price

    @property
    def subtotal(self) -> int:
        return self.quantity * self.price


@dataclass(frozen=True)
class PlacedOrder:
    """An order that now exists. `is_repeat` when an earlier identical request had made it.

    With `has_head_start` its invoice is to be tried at once, before the job does it. `items` are
    known only when it was placed just now, so that it can be told without a reading.
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

    @property
    def status(self) -> OrderStatus:
        """Return the state it was placed in."""
        return OrderStatus.PAID if self.is_paid else OrderStatus.PENDING


@dataclass(frozen=True)
class Draft:
    """An order that is about to be written."""

    request: OrderRequest
    items: tuple[PlacedItem, ...]
    now: datetime
    expires_at: datetime
    api_key_id: int | None
    code: str = field(default_factory=new_order_code)
    token: str = field(default_factory=new_order_token)

    @property
    def total(self) -> int:
        return sum(item.subtotal for item in self.items)

    def placed(self, order_id: int, job_id: int | None, has_head_start: bool) -> PlacedOrder:
        """Return the order once it is written."""
        return PlacedOrder(
            order_id=order_id,
            code=self.code,
            token=self.token,
            is_paid=not self.total,
            is_repeat=False,
            invoice_job_id=job_id,
            has_head_start=has_head_start,
            total=self.total,
            expires_at=self.expires_at,
            items=self.items,
        )


def write_order(session: Session, draft: Draft) -> int:
    """Insert the order with its buyer, items and payment; return its id."""
    user_id = insert(session, User, **vars(draft.request.buyer), created_at=draft.now)
    order_id = insert(
        session,
        Order,
        code=draft.code,
        token=draft.token,
        user_id=user_id,
        api_key_id=draft.api_key_id,
        status=OrderStatus.PENDING,
        total=draft.total,
        locale=draft.request.locale,
        request_id=current_request_id(),
        created_at=draft.now,
        expires_at=draft.expires_at,
    )
    names = draft.request.names_by_ticket()
    for item in draft.items:
        insert(
            session,
            OrderItem,
            order_id=order_id,
            ticket_id=item.ticket_id,
            quantity=item.quantity,
            price=item.price,
            attendees=names[item.ticket_id],
        )
    insert(
        session,
        Payment,
        order_id=order_id,
        status=PaymentStatus.PENDING,
        amount=draft.total,
        external_id=draft.code,
    )
    return order_id


def write_jobs(session: Session, order_id: int, draft: Draft, has_head_start: bool) -> int:
    """Have the hold ended and the invoice opened; return the id of the latter's job."""
    payload, now = {"order_id": order_id}, draft.now
    jobs.enqueue(session, EXPIRE_ORDER, payload, now=now, due_at=draft.expires_at)
    due_at = now + INLINE_HEAD_START if has_head_start else now
    return jobs.enqueue(session, OPEN_INVOICE, payload, now=now, due_at=due_at)

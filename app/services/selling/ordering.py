"""Ordering: hold the seats and write the order, all or nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import (
    IdempotencyInProgress,
    IdempotencyKeyReused,
)
from app.extensions import db
from app.models import (
    IdempotencyKey,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentStatus,
    User,
)
from app.models.codes import new_order_code, new_order_token
from app.services.running import jobs
from app.services.running.transaction import (
    CommitUnknown,
    insert,
    reading,
    transaction,
    use_case,
    violates,
)
from app.services.selling import eticketing, inventory
from app.services.selling.order_request import (
    Buyer,
    Offer,
    OrderRequest,
    WantedItem,
    check_request,
)
from app.tracing import current_request_id

__all__ = [
    "Buyer",
    "IdempotencyRef",
    "OrderRequest",
    "PlacedOrder",
    "WantedItem",
    "find_order_by_code",
    "find_order_by_token",
    "place_order",
]

OPEN_INVOICE = "open_invoice"
EXPIRE_ORDER = "expire_order"
# The web process tries the invoice at once; the job only steps in when that did not work.
INLINE_HEAD_START = timedelta(seconds=15)
LOCK_WAIT_TIMEOUT = 1205


@dataclass(frozen=True)
class IdempotencyRef:
    """A caller's key for a request, within that caller's `scope`."""

    scope: str
    key: str


@dataclass(frozen=True)
class PlacedItem:
    """A line of an order that was placed."""

    ticket_id: int
    type: str
    quantity: int
    price: int

    @property
    def subtotal(self) -> int:
        return self.quantity * self.price


@dataclass(frozen=True)
class PlacedOrder:
    """An order that now exists. `is_repeat` when an earlier identical request had made it.

    `items` are known only when it was placed just now, so that it can be told without a reading.
    """

    order_id: int
    code: str
    token: str
    is_paid: bool
    is_repeat: bool
    invoice_job_id: int | None
    total: int
    expires_at: datetime
    items: tuple[PlacedItem, ...] = ()


@use_case
def place_order(
    request: OrderRequest,
    *,
    now: datetime,
    settings: Settings,
    idempotency: IdempotencyRef | None = None,
    api_key_id: int | None = None,
) -> PlacedOrder:
    """Hold the seats and write the order, its payment and what must follow, in one transaction.

    A total of 0 is PAID at once. Raises ValidationFailed, TicketNotFound, QuantityOutOfRange,
    SaleNotOpen, SaleClosed, SoldOut, IdempotencyKeyReused, IdempotencyInProgress, Busy; nothing
    is kept then.
    """
    if idempotency and (earlier := _find_earlier(request, idempotency)):
        return earlier
    items = _price(request, check_request(request, now))
    code = new_order_code()
    try:
        with transaction() as session:
            placed = _write_order(session, request, items, code, now, settings, api_key_id)
            if idempotency:
                _insert_key(session, idempotency, request, placed.order_id, now)
            inventory.hold(session, request.quantities())
            if placed.is_paid:
                _settle_free(session, placed.order_id, now)
            return placed
    except CommitUnknown:
        if found := _find_placed(Order.code == code):
            return found
        raise
    except IntegrityError as error:
        if idempotency and violates(error, "uq_idempotency_keys_scope_key", "idempotency_keys.key"):
            earlier = _find_earlier(request, idempotency)
            if earlier:
                return earlier
        raise


def find_order_by_token(token: str) -> Order | None:
    """Return the order with this unguessable token, with what its page shows."""
    return db.session.scalar(sa.select(Order).where(Order.token == token))


def find_order_by_code(code: str, *, api_key_id: int | None) -> Order | None:
    """Return the order with this code when this partner made it (None: keys are not required)."""
    query = sa.select(Order).where(Order.code == code)
    if api_key_id is not None:
        query = query.where(Order.api_key_id == api_key_id)
    return db.session.scalar(query)


def _find_earlier(request: OrderRequest, idempotency: IdempotencyRef) -> PlacedOrder | None:
    """Return the order an identical request made before. Raises IdempotencyKeyReused."""
    with reading() as session:
        seen = session.scalar(
            sa.select(IdempotencyKey).where(
                IdempotencyKey.scope == idempotency.scope, IdempotencyKey.key == idempotency.key
            )
        )
        if seen is None:
            return None
        if seen.fingerprint != request.fingerprint():
            raise IdempotencyKeyReused
        order_id = seen.order_id
    return _find_placed(Order.id == order_id)


def _find_placed(condition: sa.ColumnElement[bool]) -> PlacedOrder | None:
    with reading() as session:
        order = session.scalar(sa.select(Order).where(condition))
        if order is None:
            return None
        return PlacedOrder(
            order.id,
            order.code,
            order.token,
            order.is_paid,
            is_repeat=True,
            invoice_job_id=None,
            total=order.total,
            expires_at=order.expires_at,
        )


def _price(request: OrderRequest, offers: dict[int, Offer]) -> tuple[PlacedItem, ...]:
    """Return the lines of the order at today's prices, ticket ids ascending."""
    return tuple(
        PlacedItem(ticket_id, offers[ticket_id].type, quantity, offers[ticket_id].price)
        for ticket_id, quantity in sorted(request.quantities().items())
    )


def _write_order(
    session: Session,
    request: OrderRequest,
    items: tuple[PlacedItem, ...],
    code: str,
    now: datetime,
    settings: Settings,
    api_key_id: int | None,
) -> PlacedOrder:
    """Insert the order, its buyer, items, payment and jobs."""
    total = sum(item.subtotal for item in items)
    token, expires_at = new_order_token(), now + settings.order_hold
    user_id = insert(session, User, **vars(request.buyer), created_at=now)
    order_id = insert(
        session,
        Order,
        code=code,
        token=token,
        user_id=user_id,
        api_key_id=api_key_id,
        status=OrderStatus.PENDING,
        total=total,
        locale=request.locale,
        request_id=current_request_id(),
        created_at=now,
        expires_at=expires_at,
    )
    names = request.names_by_ticket()
    for item in items:
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
        amount=total,
        external_id=code,
    )
    job_id = _insert_jobs(session, order_id, now, expires_at) if total else None
    return PlacedOrder(order_id, code, token, total == 0, False, job_id, total, expires_at, items)


def _insert_key(
    session: Session, ref: IdempotencyRef, request: OrderRequest, order_id: int, now: datetime
) -> None:
    """Claim the key. A twin still at work makes this wait for its end, and then fail."""
    try:
        insert(
            session,
            IdempotencyKey,
            scope=ref.scope,
            key=ref.key,
            fingerprint=request.fingerprint(),
            order_id=order_id,
            created_at=now,
        )
    except OperationalError as error:
        if error.orig is not None and error.orig.args[0] == LOCK_WAIT_TIMEOUT:
            raise IdempotencyInProgress from error
        raise


def _insert_jobs(session: Session, order_id: int, now: datetime, expires_at: datetime) -> int:
    """Have the invoice opened and the hold ended; return the id of the first job."""
    payload = {"order_id": order_id}
    jobs.enqueue(session, EXPIRE_ORDER, payload, now=now, due_at=expires_at)
    return jobs.enqueue(session, OPEN_INVOICE, payload, now=now, due_at=now + INLINE_HEAD_START)


def _settle_free(session: Session, order_id: int, now: datetime) -> None:
    order = session.get_one(Order, order_id)
    inventory.sell(session, order.quantities)
    order.move_to(OrderStatus.PAID)
    order.paid_at = now
    order.payment.move_to(PaymentStatus.PAID)
    order.payment.paid_at = now
    order.payment.paid_amount = 0
    eticketing.issue(session, order, now)

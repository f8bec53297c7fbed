"""Ordering: hold the seats and write the order, all or nothing."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

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
    Ticket,
    User,
)
from app.models.codes import new_order_code, new_order_token
from app.services.running import jobs
from app.services.running.transaction import (
    CommitUnknown,
    reading,
    transaction,
    use_case,
    violates,
)
from app.services.selling import eticketing, inventory
from app.services.selling.order_request import Buyer, OrderRequest, WantedItem, check_request
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
class PlacedOrder:
    """An order that now exists. `is_repeat` when an earlier identical request had made it."""

    order_id: int
    code: str
    token: str
    is_paid: bool
    is_repeat: bool
    invoice_job_id: int | None


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
    tickets = check_request(request, now)
    code = new_order_code()
    try:
        with transaction() as session:
            order = _insert_order(session, request, tickets, code, now, settings, api_key_id)
            if idempotency:
                _insert_key(session, idempotency, request, order.id, now)
            job_id = _insert_jobs(session, order, now)
            inventory.hold(session, request.quantities())
            if order.total == 0:
                _settle_free(session, order, now)
            return PlacedOrder(
                order.id, code, order.token, order.is_paid, is_repeat=False, invoice_job_id=job_id
            )
    except CommitUnknown:
        if placed := _find_placed(Order.code == code):
            return placed
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
            order.id, order.code, order.token, order.is_paid, is_repeat=True, invoice_job_id=None
        )


def _insert_order(
    session: Session,
    request: OrderRequest,
    tickets: dict[int, Ticket],
    code: str,
    now: datetime,
    settings: Settings,
    api_key_id: int | None,
) -> Order:
    attendees = request.names_by_ticket()
    user = User(**asdict(request.buyer), created_at=now)
    total = sum(len(names) * tickets[ticket_id].price for ticket_id, names in attendees.items())
    order = Order(
        code=code,
        token=new_order_token(),
        user=user,
        api_key_id=api_key_id,
        status=OrderStatus.PENDING,
        total=total,
        locale=request.locale,
        request_id=current_request_id(),
        created_at=now,
        expires_at=now + settings.order_hold,
        items=[
            OrderItem(
                ticket_id=ticket_id,
                quantity=len(names),
                price=tickets[ticket_id].price,
                attendees=names,
            )
            for ticket_id, names in sorted(attendees.items())
        ],
        payment=Payment(status=PaymentStatus.PENDING, amount=total, external_id=code),
    )
    session.add(order)
    session.flush()
    return order


def _insert_key(
    session: Session, ref: IdempotencyRef, request: OrderRequest, order_id: int, now: datetime
) -> None:
    """Claim the key. A twin still at work makes this wait for its end, and then fail."""
    row: dict[str, Any] = {
        "scope": ref.scope,
        "key": ref.key,
        "fingerprint": request.fingerprint(),
        "order_id": order_id,
        "created_at": now,
    }
    try:
        session.execute(sa.insert(IdempotencyKey).values(row))
    except OperationalError as error:
        if error.orig is not None and error.orig.args[0] == LOCK_WAIT_TIMEOUT:
            raise IdempotencyInProgress from error
        raise


def _insert_jobs(session: Session, order: Order, now: datetime) -> int | None:
    """Have the invoice opened and the hold ended; nothing of that for a free order."""
    if order.total == 0:
        return None
    payload = {"order_id": order.id}
    return jobs.enqueue_all(
        session,
        [
            (OPEN_INVOICE, payload, now + INLINE_HEAD_START),
            (EXPIRE_ORDER, payload, order.expires_at),
        ],
        now=now,
    )[0]


def _settle_free(session: Session, order: Order, now: datetime) -> None:
    inventory.sell(session, order.quantities)
    order.move_to(OrderStatus.PAID)
    order.paid_at = now
    order.payment.move_to(PaymentStatus.PAID)
    order.payment.paid_at = now
    order.payment.paid_amount = 0
    eticketing.issue(session, order, now)

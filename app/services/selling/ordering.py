"""Ordering: hold the seats and write the order, all or nothing."""

from dataclasses import dataclass
from datetime import datetime

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
    OrderStatus,
    PaymentStatus,
)
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
from app.services.selling.order_writing import (
    EXPIRE_ORDER,
    INLINE_HEAD_START,
    OPEN_INVOICE,
    Draft,
    PlacedItem,
    PlacedOrder,
    write_jobs,
    write_order,
)

__all__ = [
    "EXPIRE_ORDER",
    "INLINE_HEAD_START",
    "OPEN_INVOICE",
    "Buyer",
    "IdempotencyRef",
    "OrderRequest",
    "PlacedOrder",
    "WantedItem",
    "find_order_by_code",
    "find_order_by_token",
    "place_order",
]

LOCK_WAIT_TIMEOUT = 1205


@dataclass(frozen=True)
class IdempotencyRef:
    """A caller's key for a request, within that caller's `scope`."""

    scope: str
    key: str


@use_case
def place_order(
    request: OrderRequest,
    *,
    now: datetime,
    settings: Settings,
    idempotency: IdempotencyRef | None = None,
    api_key_id: int | None = None,
    has_head_start: bool = True,
) -> PlacedOrder:
    """Hold the seats and write the order, its payment and what must follow, in one transaction.

    The invoice is left to a job: at once, or, with `has_head_start`, after the caller has tried.
    A total of 0 is PAID at once. Raises ValidationFailed, TicketNotFound, QuantityOutOfRange,
    SaleNotOpen, SaleClosed, SoldOut, IdempotencyKeyReused, IdempotencyInProgress, Busy; nothing
    is kept then.
    """
    if idempotency and (earlier := _find_earlier(request, idempotency)):
        return earlier
    items = _price(request, check_request(request, now))
    draft = Draft(request, items, now, now + settings.order_hold, api_key_id)
    try:
        with transaction() as session:
            order_id = write_order(session, draft)
            job_id = None
            if draft.total:
                job_id = write_jobs(session, order_id, draft, has_head_start)
            if idempotency:
                _insert_key(session, idempotency, request, order_id, now)
            inventory.hold(session, request.quantities())
            if not draft.total:
                _settle_free(session, order_id, now)
            return draft.placed(order_id, job_id, has_head_start)
    except CommitUnknown:
        if found := _find_placed(Order.code == draft.code):
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
            has_head_start=True,
            total=order.total,
            expires_at=order.expires_at,
        )


def _price(request: OrderRequest, offers: dict[int, Offer]) -> tuple[PlacedItem, ...]:
    """Return the lines of the order at today's prices, ticket ids ascending."""
    return tuple(
        PlacedItem(offers[ticket_id], quantity)
        for ticket_id, quantity in sorted(request.quantities().items())
    )


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


def _settle_free(session: Session, order_id: int, now: datetime) -> None:
    order = session.get_one(Order, order_id)
    inventory.sell(session, order.quantities)
    order.move_to(OrderStatus.PAID)
    order.paid_at = now
    order.payment.move_to(PaymentStatus.PAID)
    order.payment.paid_at = now
    order.payment.paid_amount = 0
    eticketing.issue(session, order, now)

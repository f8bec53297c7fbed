"""Ordering: hold the seats and write the order, all or nothing."""

from datetime import datetime

import sqlalchemy as sa

from app.config import Settings
from app.extensions import db
from app.models import Order
from app.services.running.transaction import leave_reading, use_case
from app.services.selling.order_counter import counter_of
from app.services.selling.order_request import Buyer, OrderRequest, WantedItem
from app.services.selling.order_writing import (
    EXPIRE_ORDER,
    INLINE_HEAD_START,
    OPEN_INVOICE,
    Draft,
    IdempotencyRef,
    PlacedOrder,
)
from app.services.selling.placed_orders import find_earlier
from app.services.selling.sold_out import refuse_if_gone

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

    Orders that come at the same moment share that transaction (`GroupCommit`), first come first
    served. The invoice is left to a job: at once, or, with `has_head_start`, after the caller has
    tried. A total of 0 is PAID at once. Raises ValidationFailed, TicketNotFound,
    QuantityOutOfRange, SaleNotOpen, SaleClosed, SoldOut, IdempotencyKeyReused,
    IdempotencyInProgress, Busy; nothing is kept then.
    """
    if idempotency and (earlier := find_earlier(request, idempotency)):
        return earlier
    refuse_if_gone(request.quantities(), now)
    expires_at = now + settings.order_hold
    draft = Draft(request, now, expires_at, api_key_id, has_head_start, idempotency)
    leave_reading()  # nobody may wait with a connection in hand
    return counter_of(db.engine).ask(draft)


def find_order_by_token(token: str) -> Order | None:
    """Return the order with this unguessable token, with what its page shows."""
    return db.session.scalar(sa.select(Order).where(Order.token == token))


def find_order_by_code(code: str, *, api_key_id: int | None) -> Order | None:
    """Return the order with this code when this partner made it (None: keys are not required)."""
    query = sa.select(Order).where(Order.code == code)
    if api_key_id is not None:
        query = query.where(Order.api_key_id == api_key_id)
    return db.session.scalar(query)

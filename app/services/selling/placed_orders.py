"""Orders that were placed before: found by a caller's key, or by their own code."""

import sqlalchemy as sa

from app.errors import IdempotencyKeyReused
from app.models import IdempotencyKey, Order
from app.services.running.transaction import reading, use_case
from app.services.selling.order_request import OrderRequest
from app.services.selling.order_writing import IdempotencyRef, PlacedOrder


@use_case
def find_earlier(request: OrderRequest, idempotency: IdempotencyRef) -> PlacedOrder | None:
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
    return find_placed(Order.id == order_id)


def is_used(idempotency: IdempotencyRef) -> bool:
    """Tell whether an order was made under this key."""
    mine = IdempotencyKey.scope == idempotency.scope, IdempotencyKey.key == idempotency.key
    with reading() as session:
        return session.scalar(sa.select(IdempotencyKey.id).where(*mine)) is not None


def find_placed(condition: sa.ColumnElement[bool]) -> PlacedOrder | None:
    """Return the one order of which this is true, as if it had been placed just now."""
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

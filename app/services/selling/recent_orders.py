"""Recent orders: what a buyer may be about to order a second time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.models import Order, OrderStatus, User
from app.services.running.transaction import reading, use_case

FRESH = timedelta(days=1)


@dataclass(frozen=True)
class RecentOrder:
    """An order that still waits for its payment, or was paid a moment ago; `total` in rupiah."""

    code: str
    token: str
    total: int
    seats: int
    is_paid: bool


@use_case
def list_recent_orders(tokens: Sequence[str], email: str, now: datetime) -> list[RecentOrder]:
    """Return those of these orders that this address placed and that are open or fresh.

    The oldest first. Open: PENDING, its hold not over. Fresh: paid in the last day. Who asks must
    know the orders' tokens: an address alone tells nobody anything. Raises Busy.
    """
    is_open = sa.and_(
        Order.status == OrderStatus.PENDING,
        Order.expires_at > now,
        Order.cancel_requested_at.is_(None),
    )
    is_fresh = sa.and_(Order.status == OrderStatus.PAID, Order.paid_at > now - FRESH)
    mine = (
        sa.select(Order)
        .join(Order.user)
        .where(Order.token.in_(tokens), sa.func.lower(User.email) == email.lower())
        .where(sa.or_(is_open, is_fresh))
        .order_by(Order.id)
    )
    with reading() as session:
        return [
            RecentOrder(o.code, o.token, o.total, sum(o.quantities.values()), o.is_paid)
            for o in session.scalars(mine)
        ]

"""Invariants of shared quotas and of vouchers."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    Order,
    OrderItem,
    OrderStatus,
    Quota,
    TicketStock,
    Voucher,
    VoucherUse,
)

TAKEN = (OrderStatus.PENDING, OrderStatus.PAID)


def find_stock_violations(session: Session) -> Iterator[str]:
    """Yield a sentence for every quota or voucher that does not count what it should."""
    for name, amount, held, sold, own_held, own_sold in session.execute(_quotas()):
        if held + sold > amount:
            yield f"quota {name}: {held} held + {sold} sold of {amount}"
        if (held, sold) != (own_held, own_sold):
            yield (
                f"quota {name}: {held} held and {sold} sold, "
                f"but its tickets have {own_held} and {own_sold}"
            )
    for code, max_seats, used, ordered in session.execute(_vouchers()):
        if max_seats is not None and used > max_seats:
            yield f"voucher {code}: used for {used} seats of {max_seats}"
        if used != ordered:
            yield f"voucher {code}: used for {used} seats, but orders have {ordered} with it"


def _quotas() -> sa.Select[str, int, int, int, int, int]:
    def total(counter: sa.orm.InstrumentedAttribute[int]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(counter), 0)

    return (
        sa.select(
            Quota.name,
            Quota.amount,
            Quota.held,
            Quota.sold,
            total(TicketStock.held),
            total(TicketStock.sold),
        )
        .outerjoin(TicketStock, TicketStock.quota_id == Quota.id)
        .group_by(Quota.id)
    )


def _vouchers() -> sa.Select[str, int | None, int, int]:
    ordered = (
        sa.select(sa.func.coalesce(sa.func.sum(OrderItem.quantity), 0))
        .join(Order, Order.id == OrderItem.order_id)
        .where(OrderItem.voucher_id == Voucher.id, Order.status.in_(TAKEN))
        .correlate(Voucher)
        .scalar_subquery()
    )
    return sa.select(Voucher.code, VoucherUse.max_seats, VoucherUse.used, ordered).join(VoucherUse)

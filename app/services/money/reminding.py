"""Reminding: a letter while there is still time to pay, and one when it has run out.

Both are decided from the order's state at the moment they go: a buyer who has paid, cancelled or
extended meanwhile is never told anything else.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.models import MoneyCase, Order, OrderStatus, PaymentStatus
from app.services.money import letters
from app.services.running.jobs import RetryLater

Words = dict[str, object]

# The reminder goes when a third of the hold is left: long enough after the order to be no nuisance,
# long enough before the end to find the banking app. Holds too short for both have none.
SHARE_LEFT = 3
LEAST_LEFT = timedelta(minutes=10)
# Mail itself takes a while: with less time than this, a reminder only alarms.
TOO_LATE = timedelta(minutes=5)
# Whoever came back from Xendit's page this long ago may have paid; the callback is on its way.
JUST_BACK = timedelta(minutes=2)
NEWS_FOR = timedelta(days=1)


def schedule_reminder(session: Session, order: Order, *, now: datetime, hold: timedelta) -> None:
    """Have the buyer reminded of an invoice that was just opened, if the hold is long enough.

    Part of the caller's transaction. The one job follows the hold wherever it is extended to.
    """
    if hold >= 2 * LEAST_LEFT:
        due_at = _remind_at(order, hold)
        letters.enqueue(session, order.id, letters.REMINDER, now=now, due_at=due_at)


def reminder_words(
    session: Session, order: Order, *, now: datetime, settings: Settings
) -> Words | None:
    """Return what the reminder says; None when there is nothing left to remind of.

    Raises RetryLater when it is not due yet, or the buyer may be paying at this moment.
    """
    payment = order.payment
    is_open = order.status is OrderStatus.PENDING and payment.status is PaymentStatus.PENDING
    if not is_open or order.cancel_requested_at is not None or _has_case(session, order):
        return None
    wait = _remind_at(order, settings.order_hold) - now
    if wait > timedelta():
        raise RetryLater("not due yet", wait)
    if payment.invoice_id is None or now > order.pay_until - TOO_LATE:
        return None
    if payment.hinted_at is not None and now < payment.hinted_at + JUST_BACK:
        raise RetryLater("may have paid just now", payment.hinted_at + JUST_BACK - now)
    words = {"items": order.items, "voucher": order.used_voucher}
    return words | {"pay_until": order.pay_until}


def expired_words(session: Session, order: Order, *, now: datetime) -> Words | None:
    """Return what an expired order's letter says; None unless it is true that nothing was paid."""
    is_unpaid = order.status is OrderStatus.EXPIRED and order.payment.status is not (
        PaymentStatus.PAID
    )
    if not is_unpaid or _has_case(session, order) or now > order.expires_at + NEWS_FOR:
        return None
    return {"items": order.items, "voucher": order.used_voucher}


def _remind_at(order: Order, hold: timedelta) -> datetime:
    return order.pay_until - max(hold / SHARE_LEFT, LEAST_LEFT)


def _has_case(session: Session, order: Order) -> bool:
    """Tell whether money of another kind is known: too little, too late, or twice."""
    mine = sa.select(MoneyCase.id).where(MoneyCase.order_id == order.id)
    return session.scalar(mine.limit(1)) is not None

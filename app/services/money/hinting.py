"""Hints: somebody came back from paying, so the invoice is read soon."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from app.models import Payment, PaymentStatus
from app.services.money.payments import CONFIRM
from app.services.running import jobs
from app.services.running.transaction import affected, transaction, use_case

HINT_EVERY = timedelta(seconds=10)


@use_case
def hint_payment(order_id: int, *, now: datetime) -> None:
    """Have the invoice read soon, because somebody came back from paying it.

    At most once in HINT_EVERY for each payment: a reloading visitor must not use up the calls
    Xendit allows.
    """
    with transaction() as session:
        fresh = Payment.hinted_at.is_(None) | (Payment.hinted_at < now - HINT_EVERY)
        open_ones = sa.update(Payment).where(
            Payment.order_id == order_id, Payment.status != PaymentStatus.PAID, fresh
        )
        if affected(session, open_ones.values(hinted_at=now)) == 1:
            payment_id = session.scalar(sa.select(Payment.id).where(Payment.order_id == order_id))
            jobs.enqueue(session, CONFIRM, {"payment_id": payment_id}, now=now, due_at=now)

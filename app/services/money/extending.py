"""More time: a hold can be extended, with a new invoice in place of the old one (WCAG 2.2.1)."""

import logging
from datetime import datetime

from app.config import Settings
from app.errors import Busy, OrderNotExtendable
from app.integrations.xendit import INLINE, XenditClient, XenditError
from app.models import Order, OrderStatus, PastInvoice
from app.services.money.invoicing import close_unwanted, try_open_invoice
from app.services.money.payments import enqueue_closing, lock_order
from app.services.running import jobs
from app.services.running.jobs import RetryLater
from app.services.running.transaction import transaction, use_case
from app.services.selling.ordering import INLINE_HEAD_START, OPEN_INVOICE, PlacedOrder

log = logging.getLogger(__name__)

MOST_EXTENSIONS = 10  # WCAG 2.2.1: a time limit can be extended at least ten times


def can_extend(order: Order, now: datetime) -> bool:
    """Tell whether the buyer may ask for more time: while the invoice or its wait is running."""
    return (
        order.status is OrderStatus.PENDING
        and order.cancel_requested_at is None
        and order.extensions < MOST_EXTENSIONS
        and now < order.expires_at
        and order.payment.invoice_id is not None
    )


def extend_hold(
    order_id: int,
    *,
    now: datetime,
    gateway: XenditClient,
    settings: Settings,
    seen: int | None = None,
) -> str | None:
    """Start the hold anew and return the new invoice's URL, None when it follows by itself.

    `seen` is how many extensions the buyer's page showed: the same form sent twice extends once.

    The old invoice is put aside first, so that its end is not taken for the order's; then it is
    closed at Xendit, then the new one is opened. Money that still reaches the old one counts.
    Raises OrderNotExtendable.
    """
    replaced = _put_aside(order_id, now, settings, seen)
    if replaced is None:
        return None
    old_invoice_id, placed = replaced
    try:
        close_unwanted(old_invoice_id, now=now, gateway=gateway, timeout=INLINE)
    except (XenditError, RetryLater, Busy) as error:  # the hold is extended: jobs do the rest
        log.warning("old invoice closes later", extra={"order": placed.code, "why": repr(error)})
        return None
    return try_open_invoice(placed, now=now, gateway=gateway, settings=settings)


@use_case
def _put_aside(
    order_id: int, now: datetime, settings: Settings, seen: int | None
) -> tuple[str, PlacedOrder] | None:
    with transaction() as session:
        order = lock_order(session, order_id)
        payment = order.payment
        if seen is not None and seen < order.extensions:
            return None
        if not can_extend(order, now) or payment.invoice_id is None:
            raise OrderNotExtendable
        old = payment.invoice_id
        session.add(
            PastInvoice(
                payment_id=payment.id,
                external_id=payment.external_id,
                invoice_id=old,
                replaced_at=now,
            )
        )
        order.extensions += 1
        order.expires_at = now + settings.order_hold
        payment.external_id = f"{order.code}-{order.extensions + 1}"
        payment.invoice_id = payment.invoice_url = payment.invoice_expires_at = None
        payment.create_attempts = 0
        enqueue_closing(session, old, now)
        due_at = now + INLINE_HEAD_START
        job_id = jobs.enqueue(session, OPEN_INVOICE, {"order_id": order_id}, now=now, due_at=due_at)
        return old, PlacedOrder(
            order.id,
            order.code,
            order.token,
            is_paid=False,
            is_repeat=False,
            invoice_job_id=job_id,
            has_head_start=True,
            total=order.total,
            expires_at=order.expires_at,
        )

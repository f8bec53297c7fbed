"""Expiry: seats are released only when no money can come for them any more."""

from datetime import datetime, timedelta

from app.integrations.xendit import PATIENT, Invoice, InvoiceStatus, Timeout, XenditClient
from app.models import Order, OrderStatus
from app.services.money import readings
from app.services.money.invoicing import close_invoice
from app.services.money.payments import (
    PaymentView,
    close_unpaid,
    enqueue_search,
    find_invoices,
    lock_order,
    settle,
    view_payment,
)
from app.services.running.jobs import RetryLater
from app.services.running.transaction import reading, transaction, use_case

UNCLEAR = timedelta(minutes=5)


def expire_order(
    order_id: int, *, now: datetime, gateway: XenditClient, timeout: Timeout = PATIENT
) -> datetime | None:
    """End the hold of an unpaid order that is due or to be cancelled: read, close, then release.

    Returns when to come back if it is not due yet (holds can be extended), else None. Raises
    XenditError when reading or closing fails: the seats stay held then.
    """
    with reading() as session:
        order = session.get_one(Order, order_id)
        if order.status is not OrderStatus.PENDING:
            return None
        if not _is_due(order, now):
            return order.expires_at
    payment = view_payment(Order.id == order_id)
    if payment is None:
        return None
    if _close_all(payment, now=now, gateway=gateway, timeout=timeout):
        _release(payment, now=now)
    return None


def _close_all(
    payment: PaymentView, *, now: datetime, gateway: XenditClient, timeout: Timeout
) -> bool:
    """Close every invoice of the payment; False when one of them turns out to be paid.

    All are closed before any ends the order, or a failure in between would leave one open that
    nobody comes back for. Raises RetryLater while any is in a state that is not known to be final.
    """
    if payment.create_claimed_until and payment.create_claimed_until > now:
        raise RetryLater("an answer to create may still come", timedelta(seconds=3))
    if payment.invoice_id is None and payment.create_attempts == 0 and not payment.past:
        return True  # Xendit was never asked
    closed: list[Invoice] = []
    with readings.noting_failure(payment.id, now=now):
        invoices = find_invoices(gateway, payment, timeout=timeout)
    for found in invoices:  # those already paid come first
        is_open = found.status is InvoiceStatus.PENDING and not found.is_paid
        invoice = found
        if is_open:
            invoice = close_invoice(found.id, gateway=gateway, timeout=timeout)
        closed.append(invoice)
        if invoice.is_paid:
            settle(payment.order_id, invoice, now=now)
        elif invoice.status is not InvoiceStatus.EXPIRED:
            raise RetryLater(f"invoice {invoice.id} may still be paid", UNCLEAR)
    for invoice in closed:
        if not invoice.is_paid:
            settle(payment.order_id, invoice, now=now)
    return not any(invoice.is_paid for invoice in closed)


@use_case
def _release(seen: PaymentView, *, now: datetime) -> None:
    """Release the seats, unless an invoice was begun or a hold extended since `seen`."""
    with transaction() as session:
        order = lock_order(session, seen.order_id)
        payment = order.payment
        is_new = payment.invoice_id != seen.invoice_id
        if is_new or payment.create_attempts != seen.create_attempts:
            raise RetryLater("an invoice was opened meanwhile", timedelta(seconds=3))
        if _is_due(order, now):
            close_unpaid(session, order, now)
            enqueue_search(session, order, now)


def _is_due(order: Order, now: datetime) -> bool:
    return now >= order.expires_at or order.cancel_requested_at is not None

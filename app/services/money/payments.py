"""Payments: read Xendit's invoice and make order, stock and e-tickets follow it."""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.integrations.xendit import PATIENT, Invoice, InvoiceStatus, Timeout, XenditClient
from app.models import (
    CaseKind,
    CaseResolution,
    Order,
    OrderStatus,
    PastInvoice,
    Payment,
    PaymentStatus,
    RefundReason,
)
from app.services.money import cases, letters, postings, readings, refunds
from app.services.running import jobs
from app.services.running.transaction import reading, transaction, use_case
from app.services.selling import eticketing, seats

log = logging.getLogger(__name__)

CONFIRM = "confirm_payment"
READ_BACK = "read_back"
CLOSE_INVOICE = "close_invoice"
SEARCH_AFTER = timedelta(minutes=1)
# A QRIS code lives 48 hours and may be paid after the invoice ended: facts 2.8, 5.8.
READ_BACK_AFTER_EXPIRY = timedelta(days=3)
LONGEST_READ_BACK = timedelta(hours=24)


class PaymentView(NamedTuple):
    """What a reading needs to know of a payment, free of any session."""

    id: int
    order_id: int
    status: PaymentStatus
    external_id: str
    invoice_id: str | None
    create_attempts: int
    create_claimed_until: datetime | None
    created_at: datetime
    expires_at: datetime
    past: tuple[tuple[str, str | None], ...] = ()

    @property
    def external_ids(self) -> set[str]:
        """Return every reference under which Xendit may have an invoice of this payment."""
        return {self.external_id, *(external_id for external_id, _ in self.past)}


# Built once: every reading of an invoice begins with it.
_VIEW = (
    sa.select(
        Payment.id,
        Payment.order_id,
        Payment.status,
        Payment.external_id,
        Payment.invoice_id,
        Payment.create_attempts,
        Payment.create_claimed_until,
        Order.created_at,
        Order.expires_at,
        PastInvoice.external_id,
        PastInvoice.invoice_id,
    )
    .join(Order, Order.id == Payment.order_id)
    .outerjoin(PastInvoice, PastInvoice.payment_id == Payment.id)
    .order_by(PastInvoice.id)
)


def view_payment(condition: sa.ColumnElement[bool]) -> PaymentView | None:
    """Return the payment that meets `condition`, and give the connection back."""
    with reading() as session:
        rows = session.execute(_VIEW.where(condition)).all()
    if not rows:
        return None
    past = tuple((external_id, old) for *_, external_id, old in rows if external_id is not None)
    *payment, _, _ = rows[0]
    return PaymentView._make([*payment, past])


def find_payment_id(session: Session, external_id: str) -> int | None:
    """Return the payment this reference belongs, or belonged, to."""
    current = sa.select(Payment.id).where(Payment.external_id == external_id)
    past = sa.select(PastInvoice.payment_id).where(PastInvoice.external_id == external_id)
    return session.scalar(current) or session.scalar(past)


def confirm_payment(
    payment_id: int, *, now: datetime, gateway: XenditClient, invoice_id: str | None = None
) -> None:
    """Read the invoice and act on what it says. Safe to call any number of times, at once.

    `invoice_id` names the invoice a callback was about; it may be one whose creation was never
    answered. Raises XenditError when it cannot be read: nothing was changed then.
    """
    payment = view_payment(Payment.id == payment_id)
    if payment is None:
        return
    if payment.status is PaymentStatus.PAID and invoice_id in (None, payment.invoice_id):
        return
    with readings.noting_failure(payment.id, now=now):
        invoices = find_invoices(gateway, payment, invoice_id)
    for invoice in invoices:
        settle(payment.order_id, invoice, now=now)


def find_invoices(
    gateway: XenditClient,
    payment: PaymentView,
    invoice_id: str | None = None,
    timeout: Timeout = PATIENT,
) -> list[Invoice]:
    """Return the invoices of a payment as Xendit has them, paid ones first.

    Where a create call was repeated, a second invoice may exist that no answer ever named: all are
    looked up then. Without `invoice_id` those from before the hold was extended are read too, by
    their reference, since they may have had such a twin.
    """
    known = invoice_id or payment.invoice_id
    found: list[Invoice] = []
    if known is None or (invoice_id is None and payment.create_attempts > 1):
        found = gateway.list_invoices(payment.external_id, timeout)
    wanted = [known]
    if invoice_id is None:
        for external_id, old in payment.past:
            found += gateway.list_invoices(external_id, timeout)
            wanted.append(old)  # read below should the list lag behind
    for one in wanted:
        if one is not None and one not in {invoice.id for invoice in found}:
            found.append(gateway.read_invoice(one, timeout))
    mine = [invoice for invoice in found if invoice.external_id in payment.external_ids]
    return sorted(mine, key=lambda invoice: not invoice.is_paid)


@use_case
def settle(order_id: int, invoice: Invoice, *, now: datetime) -> None:
    """Make order, payment, stock and e-tickets agree with an invoice that was just read."""
    with transaction() as session:
        order = lock_order(session, order_id)
        readings.note(session, order.payment, invoice, now=now)
        if invoice.is_paid:
            _settle_paid(session, order, invoice, now)
            postings.mark(session, order.id)
        elif invoice.status is InvoiceStatus.EXPIRED and order.payment.invoice_id == invoice.id:
            close_unpaid(session, order, now)
        elif invoice.status is InvoiceStatus.PENDING and _is_unwanted(order, invoice):
            enqueue_closing(session, invoice.id, now)  # or somebody could pay it


def _is_unwanted(order: Order, invoice: Invoice) -> bool:
    """Tell whether an open invoice is not the one this order waits for."""
    is_wanted = order.payment.invoice_id in (None, invoice.id)
    return not (is_wanted and order.status is OrderStatus.PENDING)


def lock_order(session: Session, order_id: int) -> Order:
    """Return the order with its row locked and its values fresh; the payment goes with it.

    `populate_existing` matters: without it a session shows what it had read before the lock.
    """
    return session.get_one(
        Order,
        order_id,
        options=[joinedload(Order.payment, innerjoin=True)],
        with_for_update=True,
        populate_existing=True,
    )


def close_unpaid(session: Session, order: Order, now: datetime) -> None:
    """End an order nobody paid and release its seats; anything else stays as it is."""
    if order.status is OrderStatus.PENDING and order.payment.status is PaymentStatus.PENDING:
        is_cancelled = order.cancel_requested_at is not None
        order.move_to(OrderStatus.CANCELLED if is_cancelled else OrderStatus.EXPIRED)
        order.payment.move_to(PaymentStatus.EXPIRED)
        seats.release(session, order)
        cases.enqueue_waiting(session, now)
        if not is_cancelled:
            letters.enqueue(session, order.id, letters.EXPIRED, now=now)
        log.info("order ended unpaid", extra={"order": order.code, "status": order.status.value})


def enqueue_search(session: Session, order: Order, now: datetime) -> None:
    """Go on looking for invoices of an order that ended while an answer to create was missing.

    Xendit's list may lag behind: what it shows later is closed, and money that came for it counts.
    """
    payment = order.payment
    if payment.create_attempts > 0 and payment.invoice_id is None:
        due_at = now + SEARCH_AFTER
        jobs.enqueue(session, READ_BACK, {"payment_id": payment.id}, now=now, due_at=due_at)


def enqueue_closing(session: Session, invoice_id: str, now: datetime) -> None:
    """Have an invoice closed that must not be paid any more, by the caller's transaction."""
    jobs.enqueue(session, CLOSE_INVOICE, {"invoice_id": invoice_id}, now=now, due_at=now)


def _settle_paid(session: Session, order: Order, invoice: Invoice, now: datetime) -> None:
    payment = order.payment
    paid = invoice.paid_amount if invoice.paid_amount is not None else invoice.amount
    if payment.status is PaymentStatus.PAID:
        if payment.invoice_id != invoice.id:
            _return_second(session, order, invoice, paid, now)
        return
    if invoice.currency != "IDR" or paid < payment.amount:
        cases.open_case(session, order, CaseKind.UNDERPAID, invoice.id, paid, now=now)
        return
    if paid > payment.amount:
        rest = paid - payment.amount
        cases.open_case(session, order, CaseKind.OVERPAID, invoice.id, rest, now=now)
    _record_money(session, payment, invoice, paid, now)
    _fulfil(session, order, now)


def accept(session: Session, order: Order, invoice: Invoice, now: datetime) -> None:
    """Fulfil an order with what its invoice brought, though it is less than was asked.

    Staff's decision, in the caller's transaction, which holds the order's lock.
    """
    if order.payment.status is not PaymentStatus.PAID:
        paid = invoice.paid_amount if invoice.paid_amount is not None else invoice.amount
        _record_money(session, order.payment, invoice, paid, now)
        _fulfil(session, order, now)
        postings.mark(session, order.id)


def _return_second(
    session: Session, order: Order, invoice: Invoice, paid: int, now: datetime
) -> None:
    """Send back what was paid on a second invoice of an order that is paid already."""
    kind = CaseKind.DOUBLE_PAYMENT
    case = cases.open_case(session, order, kind, invoice.id, paid, now=now)
    if case is None:
        return  # known since an earlier reading
    money = refunds.Money(invoice.id, paid, invoice.channel)
    refunds.open_refund(session, order, money, paid, RefundReason.DOUBLE_PAYMENT, now=now)
    cases.resolve(case, CaseResolution.REFUNDED, by="system", now=now)


def _record_money(
    session: Session, payment: Payment, invoice: Invoice, paid: int, now: datetime
) -> None:
    payment.move_to(PaymentStatus.PAID)
    if payment.invoice_id is not None and payment.invoice_id != invoice.id:
        enqueue_closing(session, payment.invoice_id, now)
    payment.invoice_id = invoice.id
    payment.invoice_url = invoice.url or payment.invoice_url
    payment.paid_at = invoice.paid_at or now
    payment.paid_amount = paid
    payment.method = invoice.method
    payment.channel = invoice.channel
    payment.xendit_payment_id = invoice.payment_id


def _fulfil(session: Session, order: Order, now: datetime) -> None:
    """Give the paid order its seats; late money only where all of them can be had again."""
    if order.status is OrderStatus.PENDING:
        seats.sell(session, order)
    elif not seats.sell_again(session, order):
        cases.open_seats_gone(session, order, now=now)
        return
    order.move_to(OrderStatus.PAID)
    order.paid_at = now
    eticketing.issue(session, order, now)
    log.info("order paid", extra={"order": order.code, "channel": order.payment.channel})


def read_back(
    payment_id: int, *, now: datetime, gateway: XenditClient, poll: timedelta
) -> datetime | None:
    """Read an invoice nobody told us about, and return when to do so again.

    The pause grows with the payment's age. None when it is paid, or three days after expiry.
    """
    confirm_payment(payment_id, now=now, gateway=gateway)
    payment = view_payment(Payment.id == payment_id)
    if payment is None or payment.status is PaymentStatus.PAID:
        return None
    if now > payment.expires_at + READ_BACK_AFTER_EXPIRY:
        return None
    return now + min(max(now - payment.created_at, poll), LONGEST_READ_BACK)

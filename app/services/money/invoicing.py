"""Invoicing: exactly one payable Xendit invoice for an order, whatever answers get lost."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from app.config import Settings
from app.errors import Busy
from app.integrations.xendit import (
    INLINE,
    PATIENT,
    Invoice,
    InvoiceItem,
    InvoiceRequest,
    InvoiceStatus,
    Timeout,
    XenditClient,
    XenditError,
    XenditRefused,
    XenditThrottled,
    XenditUnknown,
    XenditUnreachable,
)
from app.models import Order, OrderStatus, Payment, PaymentStatus
from app.services.money import cases, pacing
from app.services.money.budget import Share
from app.services.money.pacing import PacedMeter
from app.services.money.payments import (
    READ_BACK,
    enqueue_closing,
    enqueue_search,
    find_payment_id,
    lock_order,
    settle,
    view_payment,
)
from app.services.money.reminding import schedule_reminder
from app.services.running import jobs
from app.services.running.jobs import OutOfTurn, RetryLater
from app.services.running.transaction import affected, reading, transaction, use_case
from app.services.selling import seats
from app.services.selling.ordering import PlacedOrder

log = logging.getLogger(__name__)

# A create call can be under way for as long as its time-outs allow; only then may another begin.
CLAIM = timedelta(seconds=45)
SHORTEST_INVOICE = 10


def try_open_invoice(
    placed: PlacedOrder, *, now: datetime, gateway: XenditClient, settings: Settings
) -> str | None:
    """Try once, while the buyer waits, and return the invoice's URL.

    None when it follows by itself: others wait already, or it did not work. The job that was
    written with the order is then due at once.
    """
    if placed.is_paid or not placed.has_head_start:
        return None
    paced = gateway.metered(PacedMeter(Share.WAITED_FOR, lambda: now))
    try:
        return open_invoice(
            placed.order_id, now=now, gateway=paced, settings=settings, timeout=INLINE
        )
    except (XenditError, RetryLater, Busy, SQLAlchemyError) as error:
        # The order is placed: even without a database this is no refusal of it any more.
        log.warning("invoice follows later", extra={"order": placed.code, "why": repr(error)})
        if placed.invoice_job_id is not None and isinstance(error, XenditError | OutOfTurn):
            _get_in_line(placed.invoice_job_id, error, now)
        return None


def _get_in_line(job_id: int, error: Exception, now: datetime) -> None:
    with suppress(Busy):
        if isinstance(error, XenditThrottled):
            pacing.hold_back(now, timedelta(seconds=error.pause))
        jobs.hurry(job_id, now)


def make_invoice_in_turn(
    order_id: int, *, clock: Callable[[], datetime], gateway: XenditClient, settings: Settings
) -> None:
    """Give the first order in line its invoice, as a worker does. Raises OutOfTurn.

    When Xendit has had enough calls, nobody calls for as long as it says; the order stays first.
    """
    paced = gateway.metered(PacedMeter(Share.WAITED_FOR, clock))
    try:
        open_invoice(order_id, now=clock(), gateway=paced, settings=settings)
    except XenditThrottled as error:
        pause = timedelta(seconds=error.pause)
        pacing.hold_back(clock(), pause)
        raise OutOfTurn("Xendit has had enough calls", pause) from error
    except XenditRefused as error:
        give_up_invoice(order_id, str(error), now=clock())


def open_invoice(
    order_id: int,
    *,
    now: datetime,
    gateway: XenditClient,
    settings: Settings,
    timeout: Timeout = PATIENT,
) -> str | None:
    """Give a PENDING order its invoice and return the URL; None when it needs none any more.

    Raises XenditError, or RetryLater while another call for the same order may be under way. A
    repeat looks the order up at Xendit before it creates anything.
    """
    with reading() as session:
        order = session.get_one(Order, order_id)
        if order.status is not OrderStatus.PENDING or order.payment.invoice_id:
            return order.payment.invoice_url if order.status is OrderStatus.PENDING else None
        was_tried = order.payment.create_attempts > 0
        request = build_request(order, now=now, settings=settings)
    invoice = _find_lost(gateway, request, now=now) if was_tried else None
    if invoice is None:
        if not _claim_creation(order_id, now):
            raise RetryLater("an answer to create may still come", timedelta(seconds=3))
        invoice = _create(order_id, gateway, request, timeout)
    if _attach(order_id, invoice, now=now, settings=settings):
        return invoice.url
    return None


def build_request(order: Order, *, now: datetime, settings: Settings) -> InvoiceRequest:
    """Return what Xendit needs; the invoice ends a little before the seats are released."""
    page = f"{settings.public_url}/orders/{order.token}"
    left = int((order.expires_at - now).total_seconds())
    with force_locale(order.locale):
        description = _(
            "Tickets for %(event)s, order %(code)s", event=settings.event.name, code=order.code
        )
    return InvoiceRequest(
        external_id=order.payment.external_id,
        amount=order.payment.amount,
        description=description,
        duration_seconds=max(left - margin(settings.order_hold), SHORTEST_INVOICE),
        buyer_name=order.user.full_name,
        buyer_email=order.user.email,
        buyer_phone=order.user.no_hp,
        items=tuple(
            InvoiceItem(f"{settings.event.name} – {item.ticket.type}", item.quantity, item.price)
            for item in order.items
        ),
        success_url=f"{page}?from=xendit",
        failure_url=page,
        locale=order.locale,
    )


def margin(order_hold: timedelta) -> int:
    """Return how many seconds the invoice ends before the hold: a twentieth, 5 to 120."""
    return int(min(max(order_hold.total_seconds() / 20, 5), 120))


def _find_lost(gateway: XenditClient, request: InvoiceRequest, *, now: datetime) -> Invoice | None:
    """Return the invoice an earlier call made unheard; have any further one closed.

    A refused look-up is no refusal of the invoice, which may exist: it is tried again.
    """
    try:
        found = gateway.list_invoices(request.external_id)
    except XenditRefused as error:
        raise RetryLater(f"look-up refused: {error}") from error
    usable = [
        invoice
        for invoice in found
        if invoice.is_paid
        or (invoice.status is InvoiceStatus.PENDING and invoice.amount == request.amount)
    ]
    usable.sort(key=lambda invoice: (not invoice.is_paid, invoice.id))  # ids begin with the time
    for extra in usable[1:]:
        request_closing(extra.id, now=now)
    return usable[0] if usable else None


@use_case
def _claim_creation(order_id: int, now: datetime) -> bool:
    """Take the right to create; False while another call may be under way.

    Committed before the call, so that an answer that gets lost leaves a trace.
    """
    with transaction() as session:
        free = Payment.create_claimed_until.is_(None) | (Payment.create_claimed_until < now)
        mine = sa.update(Payment).where(
            Payment.order_id == order_id,
            Payment.status == PaymentStatus.PENDING,
            Payment.invoice_id.is_(None),
            free,
        )
        taken = {
            "create_attempts": Payment.create_attempts + 1,
            "create_claimed_until": now + CLAIM,
        }
        return affected(session, mine.values(**taken)) == 1


@use_case
def _unclaim_creation(order_id: int) -> None:
    """Take back a claim whose call did not happen, so that the next may start at once."""
    with transaction() as session:
        mine = sa.update(Payment).where(Payment.order_id == order_id)
        undone = {"create_attempts": Payment.create_attempts - 1, "create_claimed_until": None}
        affected(session, mine.values(**undone))


def _create(
    order_id: int, gateway: XenditClient, request: InvoiceRequest, timeout: Timeout
) -> Invoice:
    try:
        return gateway.create_invoice(request, timeout)
    except (XenditRefused, XenditThrottled, XenditUnreachable, OutOfTurn):
        _unclaim_creation(order_id)
        raise


@use_case
def _attach(order_id: int, invoice: Invoice, *, now: datetime, settings: Settings) -> bool:
    with transaction() as session:
        order = lock_order(session, order_id)
        payment = order.payment
        if payment.invoice_id == invoice.id:
            return True
        is_late = invoice.external_id != payment.external_id  # the hold was extended meanwhile
        if is_late or order.status is not OrderStatus.PENDING or payment.invoice_id is not None:
            enqueue_closing(session, invoice.id, now)
            return False
        payment.invoice_id = invoice.id
        payment.invoice_url = invoice.url
        payment.invoice_expires_at = invoice.expires_at
        payment.create_claimed_until = None
        if order.extensions == 0:  # the jobs that began then go on for later invoices
            due_at = now + settings.payment_poll
            jobs.enqueue(session, READ_BACK, {"payment_id": payment.id}, now=now, due_at=due_at)
            schedule_reminder(session, order, now=now, hold=settings.order_hold)
    return True


@use_case
def request_closing(invoice_id: str, *, now: datetime) -> None:
    """Have an invoice closed that must not be paid any more."""
    with transaction() as session:
        enqueue_closing(session, invoice_id, now)


def close_invoice(invoice_id: str, *, gateway: XenditClient, timeout: Timeout = PATIENT) -> Invoice:
    """Close an invoice at Xendit and return what it is then.

    Xendit refuses to expire one that is not PENDING any more; reading tells why. Raises
    XenditError when that is not known: it may still be payable.
    """
    try:
        return gateway.expire_invoice(invoice_id, timeout)
    except (XenditRefused, XenditUnknown):
        invoice = gateway.read_invoice(invoice_id, timeout)
        if invoice.status is InvoiceStatus.PENDING and not invoice.is_paid:
            raise
        return invoice


def close_unwanted(
    invoice_id: str, *, now: datetime, gateway: XenditClient, timeout: Timeout = PATIENT
) -> None:
    """Close an invoice that must not be paid; one that was paid all the same is settled.

    Raises XenditError while it is not known to be closed.
    """
    invoice = close_invoice(invoice_id, gateway=gateway, timeout=timeout)
    with reading() as session:
        payment_id = find_payment_id(session, invoice.external_id)
    payment = view_payment(Payment.id == payment_id)
    if invoice.is_paid and payment is not None:
        settle(payment.order_id, invoice, now=now)


@use_case
def give_up_invoice(order_id: int, why: str, *, now: datetime) -> None:
    """Cancel an order that Xendit refuses an invoice for, and release its seats.

    The payment becomes FAILED; the buyer's page says that nothing was charged.
    """
    with transaction() as session:
        order = lock_order(session, order_id)
        if order.status is not OrderStatus.PENDING or order.payment.invoice_id is not None:
            return
        log.error("Xendit refuses the invoice", extra={"order": order.code, "why": why})
        order.move_to(OrderStatus.CANCELLED)
        order.payment.move_to(PaymentStatus.FAILED)
        seats.release(session, order)
        cases.enqueue_waiting(session, now)
        enqueue_search(session, order, now)

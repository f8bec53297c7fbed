"""Deciding: what staff do about money that no rule settles. Who decided stays with it."""

import enum
import logging
from datetime import datetime

from sqlalchemy.orm import Session

from app.errors import CaseClosed
from app.integrations.xendit import Invoice, InvoiceStatus, XenditClient
from app.models import (
    CaseKind,
    CaseResolution,
    CaseStatus,
    MoneyCase,
    Order,
    OrderStatus,
    Refund,
    RefundReason,
    RefundStatus,
    RefundWay,
)
from app.services.money import cases, late_money, payments, postings, refunds
from app.services.money.invoicing import close_invoice
from app.services.money.payments import PaymentView, lock_order
from app.services.money.refunds import Money, lock_refund
from app.services.running import audit, jobs
from app.services.running.audit import Actor, By, Subject
from app.services.running.transaction import reading, transaction, use_case

log = logging.getLogger(__name__)

NOTE_LENGTH = 500


class Decision(enum.Enum):
    ACCEPT = "accept"
    REFUND = "refund"


class NotPossible(Exception):
    """This cannot be done as things stand; its words say why, and what to do instead."""


def decide_case(
    case_id: int, decision: Decision, *, by: By, now: datetime, gateway: XenditClient
) -> None:
    """Decide a case: accept the money as it is, or send back what the case is about.

    UNDERPAID: fulfil all the same, or end the order and refund all that was paid. OVERPAID: keep
    the rest, or refund it. SEATS_GONE: refund only. Raises CaseClosed when it was decided before,
    NotPossible, or XenditError when the invoice cannot be read or closed: nothing was decided then.
    """
    with reading() as session:
        case = session.get(MoneyCase, case_id)
        if case is None:
            raise NotPossible(f"there is no case {case_id}: see `cases list`")
        kind, status, order_id, invoice_id = case.kind, case.status, case.order_id, case.invoice_id
    if status is CaseStatus.RESOLVED:
        raise CaseClosed
    if kind is CaseKind.UNDERPAID:
        _decide_underpaid(case_id, order_id, invoice_id, decision, by, now, gateway)
    elif kind is CaseKind.OVERPAID:
        _decide_overpaid(case_id, decision, by=by, now=now)
    elif decision is Decision.REFUND:
        late_money.take_money_back(order_id, now=now, by=Actor.of(by))
    else:
        raise NotPossible("the seats are gone: only --refund is left, the buyer may still choose")


def _decide_underpaid(
    case_id: int,
    order_id: int,
    invoice_id: str,
    decision: Decision,
    by: By,
    now: datetime,
    gateway: XenditClient,
) -> None:
    invoice = gateway.read_invoice(invoice_id)
    if invoice.currency != "IDR":
        raise NotPossible(
            f"invoice {invoice_id} was paid in {invoice.currency}: settle it in Xendit's dashboard"
        )
    if decision is Decision.ACCEPT:
        _accept_less(case_id, invoice, by=by, now=now)
        return
    seen = payments.view_payment(Order.id == order_id)
    if seen is not None:
        _close_others(seen, invoice_id, now=now, gateway=gateway)
        _refund_less(case_id, seen, invoice, by=by, now=now)


@use_case
def _accept_less(case_id: int, invoice: Invoice, *, by: By, now: datetime) -> None:
    with transaction() as session:
        case, order = _lock_case(session, case_id)
        payments.accept(session, order, invoice, now)
        cases.resolve(case, CaseResolution.ACCEPTED, by=by, now=now)
        cases.note_decision(session, case, Decision.ACCEPT.value, by=by, now=now)
        log.warning(
            "paid too little, accepted", extra={"order": order.code, "by": Actor.of(by).name}
        )


def _close_others(
    seen: PaymentView, invoice_id: str, *, now: datetime, gateway: XenditClient
) -> None:
    """Close every other invoice of the order, before its seats are released."""
    if seen.create_claimed_until and seen.create_claimed_until > now:
        raise NotPossible("an invoice is being opened at this moment: try again in a minute")
    for found in payments.find_invoices(gateway, seen):
        if found.id == invoice_id:
            continue
        is_open = found.status is InvoiceStatus.PENDING and not found.is_paid
        other = close_invoice(found.id, gateway=gateway) if is_open else found
        if other.is_paid:
            payments.settle(seen.order_id, other, now=now)
        elif other.status is not InvoiceStatus.EXPIRED:
            raise NotPossible(f"invoice {other.id} may still be paid: try again in a few minutes")


@use_case
def _refund_less(
    case_id: int, seen: PaymentView, invoice: Invoice, *, by: By, now: datetime
) -> None:
    """Send back what was too little; end the order unless another invoice has paid it."""
    with transaction() as session:
        case, order = _lock_case(session, case_id)
        payment = order.payment
        is_new = payment.invoice_id != seen.invoice_id
        is_changed = is_new or payment.create_attempts != seen.create_attempts
        if order.status is OrderStatus.PENDING and is_changed:
            raise NotPossible("the order changed at this moment: try again")
        paid = invoice.paid_amount if invoice.paid_amount is not None else case.amount
        money = Money(invoice.id, paid, invoice.channel)
        refunds.open_refund(session, order, money, paid, RefundReason.UNDERPAID, now=now)
        if order.status is OrderStatus.PENDING:
            order.cancel_requested_at = order.cancel_requested_at or now
            payments.close_unpaid(session, order, now)
        cases.resolve(case, CaseResolution.REFUNDED, by=by, now=now)
        cases.note_decision(session, case, Decision.REFUND.value, by=by, now=now)


@use_case
def _decide_overpaid(case_id: int, decision: Decision, *, by: By, now: datetime) -> None:
    with transaction() as session:
        case, order = _lock_case(session, case_id)
        if decision is Decision.ACCEPT:
            cases.resolve(case, CaseResolution.ACCEPTED, by=by, now=now)
            cases.note_decision(session, case, decision.value, by=by, now=now)
            postings.mark(session, order.id)
            return
        gone = cases.find_open(session, order.id, CaseKind.SEATS_GONE)
        if gone is not None:
            raise NotPossible(f"the rest goes back with the whole: decide case {gone.id}")
        money = refunds.money_of(order)
        earned = order.total if order.is_paid else 0
        left = money.paid - refunds.sum_of(session, money.invoice_id) - earned
        rest = min(case.amount, left)
        if rest > 0:
            refunds.open_refund(session, order, money, rest, RefundReason.OVERPAID, now=now)
        cases.resolve(case, CaseResolution.REFUNDED, by=by, now=now)
        cases.note_decision(session, case, Decision.REFUND.value, by=by, now=now)


def _lock_case(session: Session, case_id: int) -> tuple[MoneyCase, Order]:
    """Return a case that is still open, under its order's lock. Raises CaseClosed."""
    order_id = session.get_one(MoneyCase, case_id).order_id
    order = lock_order(session, order_id)
    case = session.get_one(MoneyCase, case_id, populate_existing=True)
    if case.is_resolved:
        raise CaseClosed
    return case, order


@use_case
def mark_refund_done(refund_id: int, *, by: By, note: str, now: datetime) -> None:
    """Note that a person sent the money: the bank account is erased and the buyer told.

    Raises NotPossible while Xendit has the refund or is to get it, or once it is done.
    """
    with transaction() as session:
        refund = lock_refund(session, refund_id)
        if refund.is_finished:
            raise NotPossible("this refund is done: do not transfer again")
        if refund.status is RefundStatus.SENT:
            raise NotPossible("Xendit has this refund: wait until it succeeded or failed")
        if refund.status is RefundStatus.DUE and refund.way is RefundWay.XENDIT:
            raise NotPossible("this refund goes through Xendit by itself: do not transfer")
        refund.note = note[:NOTE_LENGTH]
        refunds.finish(session, refund, RefundStatus.DONE_BY_HAND, by=by, now=now)
        _note_refund(session, "refund.done_by_hand", refund, by, now, reason=refund.note)


@use_case
def retry_refund(refund_id: int, *, by: By, now: datetime) -> None:
    """Try a refund through Xendit once more, now; a bank account given for it is erased.

    Raises NotPossible while Xendit has it, once it is done, and for channels without refunds.
    """
    with transaction() as session:
        refund = lock_refund(session, refund_id)
        if refund.is_finished:
            raise NotPossible("this refund is done")
        if refund.status is RefundStatus.SENT:
            raise NotPossible("Xendit has this refund: wait until it succeeded or failed")
        if refund.channel not in refunds.REFUNDED_BY_XENDIT:
            raise NotPossible("Xendit refunds no such payment: transfer, then `refunds done`")
        if refund.status is RefundStatus.FAILED:
            refund.move_to(RefundStatus.DUE)
        refund.way = RefundWay.XENDIT  # and `sent_at` stays: it is looked up before it is sent
        refunds.erase_account(refund)
        payload = {"refund_id": refund.id}
        jobs.enqueue(session, refunds.SEND_REFUND, payload, now=now, due_at=now)
        _note_refund(session, "refund.retried", refund, by, now)


def _note_refund(
    session: Session,
    action: str,
    refund: Refund,
    by: By,
    now: datetime,
    *,
    reason: str | None = None,
) -> None:
    audit.record(
        session,
        actor=by,
        action=action,
        subject=Subject("refund", refund.reference_id),
        after={"refunded": refund.amount},
        reason=reason,
        now=now,
    )

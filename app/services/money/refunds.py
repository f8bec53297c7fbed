"""Refunds: what goes back to a buyer, and how: through Xendit, or by hand to a bank account."""

import logging
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Order, Refund, RefundReason, RefundStatus, RefundWay
from app.services.money import letters, postings
from app.services.running import jobs
from app.services.running.audit import Actor, By

log = logging.getLogger(__name__)

SEND_REFUND = "send_refund"

# What Xendit gives back through its API (facts 2.8 and 6.3). Virtual accounts, retail outlets, OVO
# and AstraPay are not among them: that money goes back by bank transfer.
REFUNDED_BY_XENDIT = frozenset(
    {
        "CREDIT_CARD",
        "DANA",
        "SHOPEEPAY",
        "QRIS",
        "JENIUSPAY",
        "AKULAKU",
        "LINKAJA",
        "KREDIVO",
        "DD_BRI",
    }
)
ONLY_IN_FULL = frozenset({"LINKAJA", "KREDIVO", "DD_BRI"})


@dataclass(frozen=True)
class Money:
    """What was paid on one invoice, in rupiah, and through which channel."""

    invoice_id: str
    paid: int
    channel: str | None


def way_back(money: Money, amount: int) -> RefundWay:
    """Return how `amount` of this money can go back."""
    is_refundable = money.channel in REFUNDED_BY_XENDIT
    if is_refundable and (amount == money.paid or money.channel not in ONLY_IN_FULL):
        return RefundWay.XENDIT
    return RefundWay.BY_HAND


def open_refund(
    session: Session,
    order: Order,
    money: Money,
    amount: int,
    reason: RefundReason,
    *,
    now: datetime,
    part: int = 1,
) -> Refund | None:
    """Note that `amount` is due back, once for each invoice, reason and part; else None.

    A reason that can come again, such as a person's decision, counts its parts (`next_part`).
    All refunds of an invoice together never exceed what was paid on it: a larger `amount` is cut,
    and None is returned when nothing is left. Part of the caller's transaction, which holds the
    order's lock. The job that follows sends it, or asks the buyer for a bank account.
    """
    same = sa.select(Refund.id).where(
        Refund.order_id == order.id,
        Refund.reason == reason,
        Refund.invoice_id == money.invoice_id,
        Refund.part == part,
    )
    if session.scalar(same) is not None:
        return None
    amount = min(amount, money.paid - sum_of(session, money.invoice_id))
    if amount <= 0:
        log.warning("nothing is left to refund", extra={"order": order.code, "why": reason.value})
        return None
    refund = Refund(
        order_id=order.id,
        invoice_id=money.invoice_id,
        reason=reason,
        part=part,
        way=way_back(money, amount),
        status=RefundStatus.DUE,
        amount=amount,
        channel=money.channel,
        reference_id=_reference(order, money, reason, part),
        created_at=now,
    )
    session.add(refund)
    session.flush()
    jobs.enqueue(session, SEND_REFUND, {"refund_id": refund.id}, now=now, due_at=now)
    postings.mark(session, order.id)
    log.warning("refund due", extra={"order": order.code, "amount": amount, "why": reason.value})
    return refund


def next_part(session: Session, money: Money, reason: RefundReason) -> int:
    """Return the number of one more refund of this money for this reason, from 1.

    The caller holds the order's lock until it is opened: nobody else takes the number.
    """
    mine = (Refund.invoice_id == money.invoice_id, Refund.reason == reason)
    return (session.scalar(sa.select(sa.func.max(Refund.part)).where(*mine)) or 0) + 1


def _reference(order: Order, money: Money, reason: RefundReason, part: int) -> str:
    reference = f"{order.code}-{reason.value}-{money.invoice_id[-8:]}"
    return reference if part == 1 else f"{reference}-{part}"


def money_of(order: Order) -> Money:
    """Return what was paid on the invoice its payment is settled by."""
    payment = order.payment
    paid = payment.paid_amount if payment.paid_amount is not None else payment.amount
    return Money(payment.invoice_id or "", paid, payment.channel)


def sum_of(session: Session, invoice_id: str) -> int:
    """Return how much of an invoice's money is refunded or due back; a failed one is still due."""
    total = sa.select(sa.func.sum(Refund.amount)).where(Refund.invoice_id == invoice_id)
    return int(session.scalar(total) or 0)


def lock_refund(session: Session, refund_id: int) -> Refund:
    """Return the refund with its row locked and its values fresh, as `lock_order` does."""
    return session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)


def ask_for_account(session: Session, refund: Refund, *, now: datetime) -> None:
    """Have a refund done by hand from now on: the buyer is asked for a bank account."""
    refund.way = RefundWay.BY_HAND
    refund.sent_at = now
    reference = refund.reference_id
    letters.enqueue(session, refund.order_id, letters.BANK_DETAILS, now=now, about=reference)


def finish(
    session: Session, refund: Refund, status: RefundStatus, *, by: By, now: datetime
) -> None:
    """End a refund: who did it stays, the bank account is erased, the buyer is told."""
    refund.move_to(status)
    refund.finished_at = now
    refund.finished_by = Actor.of(by).name[:100]
    erase_account(refund)
    postings.mark(session, refund.order_id)
    reference = refund.reference_id
    letters.enqueue(session, refund.order_id, letters.REFUND_SENT, now=now, about=reference)
    log.info("refund done", extra={"refund": reference, "status": status.value, "by": by})


def erase_account(refund: Refund) -> None:
    """Forget where the money goes: kept only while somebody is to transfer it."""
    refund.bank_name = refund.account_number = refund.account_holder = None

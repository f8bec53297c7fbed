"""Refunds: what goes back to a buyer, and how: through Xendit, or by hand to a bank account."""

import logging
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Order, Refund, RefundReason, RefundStatus, RefundWay
from app.services.running import jobs

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
) -> Refund | None:
    """Note that `amount` is due back, once for each invoice and reason; None when it was known.

    Part of the caller's transaction, which holds the order's lock. The job that follows sends it,
    or asks the buyer for a bank account.
    """
    same = sa.select(Refund.id).where(
        Refund.order_id == order.id,
        Refund.reason == reason,
        Refund.invoice_id == money.invoice_id,
    )
    if session.scalar(same) is not None:
        return None
    refund = Refund(
        order_id=order.id,
        invoice_id=money.invoice_id,
        reason=reason,
        way=way_back(money, amount),
        status=RefundStatus.DUE,
        amount=amount,
        channel=money.channel,
        reference_id=f"{order.code}-{reason.value}-{money.invoice_id[-8:]}",
        created_at=now,
    )
    session.add(refund)
    session.flush()
    jobs.enqueue(session, SEND_REFUND, {"refund_id": refund.id}, now=now, due_at=now)
    log.warning("refund due", extra={"order": order.code, "amount": amount, "why": reason.value})
    return refund


def money_of(order: Order) -> Money:
    """Return what was paid on the invoice its payment is settled by."""
    payment = order.payment
    paid = payment.paid_amount if payment.paid_amount is not None else payment.amount
    return Money(payment.invoice_id or "", paid, payment.channel)

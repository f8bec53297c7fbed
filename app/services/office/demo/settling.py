"""What Xendit takes of a made-up sale's money, when it settles the rest, and pays it out."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Order, Refund, RefundStatus, Transaction, Withdrawal
from app.services.money.settling import EVERY, LONGEST_LOOK_BACK
from app.services.office.demo.telling import Stage, Tale, Teller

VAT_PERCENT = 11
MONDAY = 0
NINE = time(9)
THOUSAND = 1000
KEPT_TENTHS = 1  # of the balance, for refunds


class Terms(NamedTuple):
    """What a way of paying costs (in ten thousandths, and rupiah), and days until it is settled."""

    share: int
    flat: int
    days: int


TERMS = {
    "QR_CODE": Terms(63, 0, 2),
    "EWALLET": Terms(150, 0, 2),
    "BANK_TRANSFER": Terms(0, 4_000, 1),
    "CREDIT_CARD": Terms(290, 2_000, 5),
    "RETAIL_OUTLET": Terms(0, 5_000, 5),
}


def add_settlement(
    teller: Teller, tale: Tale, paid_at: datetime, amount: int, invoice_id: str | None = None
) -> None:
    """Add what Xendit says of a payment: its fee, the VAT on it, and when it is settled.

    The first one of a sale that is old enough is forgotten by Xendit: somebody has to ask.
    """
    terms, now = TERMS[tale.channel.method], teller.stage.now
    fee = round(amount * terms.share / 10_000) + terms.flat
    vat = round(fee * VAT_PERCENT / 100)
    expected_at = paid_at + timedelta(days=terms.days)
    read_at = expected_at + EVERY * teller.rng.random()
    is_forgotten = not teller.has_forgotten and paid_at < now - LONGEST_LOOK_BACK
    is_settled = read_at <= now and not is_forgotten
    teller.has_forgotten = teller.has_forgotten or is_forgotten
    teller.rows.add(
        Transaction,
        xendit_id=f"txn_{invoice_id or tale.invoice_id}",
        order_id=tale.id,
        invoice_id=invoice_id or tale.invoice_id,
        channel=tale.channel.name,
        amount=amount,
        net=amount - fee - vat,
        fee=fee,
        vat=vat,
        withholding=0,
        is_fee_final=is_settled,
        settlement_status="SETTLED" if is_settled else "PENDING",
        created_at=paid_at,
        expected_at=expected_at,
        settled_at=read_at if is_settled else None,
        read_at=now,
    )


def add_withdrawals(session: Session, teller: Teller) -> None:
    """Pay out most of the balance each Monday morning, as Xendit does when told to."""
    stage, gone = teller.stage, 0
    mine = teller.numbers.first_order
    for monday in _mondays(session, stage, mine):
        amount = (_balance(session, mine, monday) - gone) * (10 - KEPT_TENTHS) // 10
        amount -= amount % THOUSAND
        if amount <= 0:
            continue
        gone += amount
        session.add(
            Withdrawal(
                xendit_id=f"txn_{teller.new_id()}",
                kind="WITHDRAWAL",
                status="SUCCESS",
                amount=amount,
                fee=0,
                vat=0,
                withholding=0,
                created_at=monday,
                read_at=stage.now,
                is_posted=False,
            )
        )


def _mondays(session: Session, stage: Stage, first_order: int) -> Iterator[datetime]:
    """Yield nine in the morning of each Monday since the sale began."""
    begun = session.scalar(sa.select(sa.func.min(Order.created_at)).where(Order.id >= first_order))
    day: date = (begun or stage.now).astimezone(stage.zone).date()
    while (at := datetime.combine(day, NINE, stage.zone)) < stage.now:
        if day.weekday() == MONDAY:
            yield at
        day += timedelta(days=1)


def _balance(session: Session, first_order: int, at: datetime) -> int:
    """Return what Xendit has settled until then, less what it has sent back, in rupiah."""
    settled = sa.select(sa.func.sum(Transaction.net)).where(
        Transaction.order_id >= first_order, Transaction.settled_at < at
    )
    sent = sa.select(sa.func.sum(Refund.amount)).where(
        Refund.order_id >= first_order,
        Refund.status == RefundStatus.SUCCEEDED,
        Refund.finished_at < at,
    )
    return int(session.scalar(settled) or 0) - int(session.scalar(sent) or 0)

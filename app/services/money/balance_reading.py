"""The balance as Xendit says it is, once a day, beside the ledger's: one witness more.

Read after a pass over Xendit's list, once the ledger has posted what that pass found. What is on
its way makes the two differ for a while, so only what still differs the same way at the next
reading waits for a person (`waiting`).
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.integrations.xendit import XenditClient, XenditRefused
from app.models import (
    Account,
    BalanceReading,
    InboxNote,
    LedgerMark,
    LedgerSum,
    Refund,
    RefundStatus,
    RefundWay,
    Source,
    Withdrawal,
)
from app.services.money.balance import PENDING
from app.services.money.budget import Meter, Share
from app.services.running import jobs
from app.services.running.jobs import RetryLater
from app.services.running.transaction import reading, transaction, use_case

log = logging.getLogger(__name__)

READ_BALANCE = "read_balance"
APART = timedelta(hours=20)  # of the four passes of a day one is followed by a reading
UNTIL_POSTED = timedelta(minutes=1)  # workers post what is marked that often
SHOWN = 7
NOT_ALLOWED = 403


@use_case
def schedule(*, now: datetime) -> bool:
    """Have the balance read when today's was not; called at the end of each pass over the list."""
    with transaction() as session:
        if _is_read(session, now):
            return False
        payload = {"after_mark": session.scalar(sa.select(sa.func.max(LedgerMark.id))) or 0}
        jobs.enqueue(session, READ_BALANCE, payload, now=now, due_at=now)
        return True


def read_balance(after_mark: int, *, clock: Callable[[], datetime], gateway: XenditClient) -> None:
    """Ask Xendit for its balance and keep it. Raises RetryLater, XenditError.

    Waits until the ledger has looked at all that was marked up to `after_mark`: what is marked
    later is of orders, and would never come to an end while people buy.
    """
    with reading() as session:
        if _is_read(session, clock()):
            return
        if _is_unposted(session, after_mark):
            raise RetryLater("the ledger has not posted the last pass yet", UNTIL_POSTED)
    metered = gateway.metered(Meter(Share.BACKGROUND, clock))
    try:
        _keep(metered.read_balance(), None, now=clock())
    except XenditRefused as error:
        if error.status != NOT_ALLOWED:
            raise
        log.error("the key may not read the balance: nothing to compare", extra={"why": str(error)})
        _keep(None, str(error)[:255], now=clock())


def list_last() -> Sequence[BalanceReading]:
    """Return the latest readings, detached, the newest first."""
    with reading() as session:
        newest = sa.select(BalanceReading).order_by(BalanceReading.id.desc()).limit(SHOWN)
        found = session.scalars(newest).all()
        session.expunge_all()
        return found


@use_case
def _keep(amount: int | None, problem: str | None, *, now: datetime) -> None:
    total = sa.select(sa.func.sum(LedgerSum.amount)).where(LedgerSum.account == Account.BALANCE)
    with transaction() as session:
        read = BalanceReading(
            read_at=now,
            amount=amount,
            ledger=int(session.scalar(total) or 0),
            under_way=_add_up_under_way(session),
            problem=problem,
        )
        read.began_with = _find_beginning(session, read)
        session.add(read)
    if read.differs:
        facts = {"xendit": read.amount, "ledger": read.ledger, "difference": read.difference}
        log.warning("the balance at Xendit differs from the ledger's", extra=facts)


def _find_beginning(session: Session, read: BalanceReading) -> int | None:
    """Return the first of the readings in a row, up to this one, that differ the same way.

    What a person has explained ends such a row when the amount changes afterwards.
    """
    told = sa.select(BalanceReading).where(BalanceReading.amount.is_not(None))
    last = session.scalar(told.order_by(BalanceReading.id.desc()).limit(1))
    if last is None or not (read.differs and last.differs):
        return None
    if (read.difference > 0) != (last.difference > 0):
        return None
    beginning = last.began_with or last.id
    explained = sa.select(InboxNote.id).where(
        InboxNote.source == Source.BALANCE,
        InboxNote.key == str(beginning),
        InboxNote.closed_at.is_not(None),
    )
    if read.difference != last.difference and session.scalar(explained) is not None:
        return None
    return beginning


def _add_up_under_way(session: Session) -> int:
    """Return what was sent and has not arrived: Xendit does not say when it takes such money."""
    charged = Withdrawal.amount + Withdrawal.fee + Withdrawal.vat + Withdrawal.withholding
    leaving = sa.select(sa.func.sum(charged)).where(Withdrawal.status == PENDING)
    returning = sa.select(sa.func.sum(Refund.amount)).where(
        Refund.status == RefundStatus.SENT, Refund.way == RefundWay.XENDIT
    )
    return int(session.scalar(leaving) or 0) + int(session.scalar(returning) or 0)


def _is_read(session: Session, now: datetime) -> bool:
    lately = sa.select(BalanceReading.id).where(BalanceReading.read_at > now - APART)
    return session.scalar(lately.limit(1)) is not None


def _is_unposted(session: Session, after_mark: int) -> bool:
    """Tell whether the ledger has still to look at what the last pass changed."""
    marked = sa.select(LedgerMark.id).where(LedgerMark.id <= after_mark)
    unposted = sa.select(Withdrawal.id).where(Withdrawal.is_posted.is_(False))
    return any(session.scalar(each.limit(1)) is not None for each in (marked, unposted))

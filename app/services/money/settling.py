"""Settling: what Xendit took from each payment and when it pays out the rest; four times a day.

Xendit lists what came in and what it paid out by the time it was made. One pass over the list goes
from the oldest that is not settled until now, page by page, in the background's share of the calls
Xendit allows; where they run out it goes on later at the same page. So a payment is read again
until it is settled, and whatever changes is posted by the ledger. What is older than a month then
is read by itself, a few at each pass, and waits in the inbox for somebody who asks Xendit.
After a pass what it did not list of withdrawals is read, and once a day the balance.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.integrations.xendit import XenditClient, XenditRefused
from app.integrations.xendit_transactions import TransactionPage, XenditTransaction
from app.models import (
    PastInvoice,
    Payment,
    PaymentStatus,
    Transaction,
    TransactionReading,
    Withdrawal,
)
from app.services.money import balance_reading, postings, withdrawals
from app.services.money.balance import PENDING
from app.services.money.budget import Meter, Share
from app.services.money.unlisted import read_each
from app.services.running import jobs
from app.services.running.transaction import affected, reading, transaction, use_case

log = logging.getLogger(__name__)

READ_TRANSACTIONS = "read_transactions"
EVERY = timedelta(hours=6)
OVERLAP = timedelta(days=1)  # a list may lag behind what it lists
# A payment that is not settled after this is a case for Xendit's support: it is in the inbox.
LONGEST_LOOK_BACK = timedelta(days=31)
OVERDUE_AT_ONCE = 10  # of those, read one by one at each pass
LATE_AFTER = timedelta(days=2)
GIVEN_UP_AFTER = timedelta(hours=12)  # an unfinished pass then makes room for the next
PATIENCE = timedelta(seconds=60)  # and the call under way; a job's lease is longer
NOT_ALLOWED = 403


class Owner(NamedTuple):
    """Whose money it is: an order, the invoice of its payment, and its channel."""

    order_id: int
    invoice_id: str
    channel: str


def schedule(*, now: datetime) -> bool:
    """Put the next pass among the jobs when it is time, and tell whether this call did.

    Called by every worker every minute; while nothing was paid there is nothing to read.
    """
    slot = now - timedelta(seconds=now.timestamp() % EVERY.total_seconds())
    with reading() as session:
        if _is_begun(session, slot, now) or _find_start(session, now) is None:
            return False
    try:
        return _schedule(slot, now)
    except IntegrityError:
        return False  # another worker was first, by less than this transaction


@use_case
def _schedule(slot: datetime, now: datetime) -> bool:
    with transaction() as session:
        from_at = _find_start(session, now)
        if from_at is None or _is_begun(session, slot, now):
            return False
        begun = TransactionReading(slot=slot, from_at=from_at, until_at=now, seen=0)
        session.add(begun)
        session.flush()
        payload = {"reading_id": begun.id}
        jobs.enqueue(session, READ_TRANSACTIONS, payload, now=now, due_at=now)
        return True


def _is_begun(session: Session, slot: datetime, now: datetime) -> bool:
    """Tell whether this slot has its pass, or the one before still goes on."""
    is_open = TransactionReading.finished_at.is_(None)
    goes_on = is_open & (TransactionReading.slot > now - GIVEN_UP_AFTER)
    begun = sa.select(TransactionReading.id).where((TransactionReading.slot >= slot) | goes_on)
    return session.scalar(begun.limit(1)) is not None


def _find_start(session: Session, now: datetime) -> datetime | None:
    """Return the time of the oldest payment to be read (again); None when there is none."""
    unsettled = sa.select(sa.func.min(Transaction.created_at))
    last = sa.select(sa.func.max(TransactionReading.until_at)).where(
        TransactionReading.finished_at.is_not(None), TransactionReading.problem.is_(None)
    )
    is_money = (Payment.status == PaymentStatus.PAID) & (Payment.amount > 0)
    first = sa.select(sa.func.min(Payment.paid_at)).where(is_money)
    under_way = sa.select(sa.func.min(Withdrawal.created_at))
    known = [
        session.scalar(unsettled.where(Transaction.settled_at.is_(None))),
        session.scalar(under_way.where(Withdrawal.status == PENDING)),
        session.scalar(last) or session.scalar(first),
    ]
    times = [each for each in known if each is not None]
    if not times:
        return None
    return max(min(times) - OVERLAP, now - LONGEST_LOOK_BACK)


def read_transactions(
    reading_id: int, *, clock: Callable[[], datetime], gateway: XenditClient
) -> None:
    """Go on with a pass until its end. Raises RetryLater where the minute's calls are used up.

    A key without the right to read transactions ends it, and its page says so.
    """
    meter = Meter(Share.BACKGROUND, clock, patience=PATIENCE)
    metered = gateway.metered(meter)
    with reading() as session:
        begun = session.get_one(TransactionReading, reading_id)
        if begun.finished_at is not None:
            return
        from_at, until_at, after_id = begun.from_at, begun.until_at, begun.after_id
    try:
        while True:
            page = metered.list_transactions(from_at, until_at, after_id)
            record(page, reading_id, now=clock())
            if page.after_id is None:
                _read_overdue(metered, now=clock())
                withdrawals.read_unlisted(metered, from_at, now=clock())
                balance_reading.schedule(now=clock())
                return
            after_id = page.after_id
    except XenditRefused as error:
        if error.status != NOT_ALLOWED:
            raise
        log.error("the key may not read transactions: fees stay unknown", extra={"why": str(error)})
        _end(reading_id, str(error), now=clock())


@use_case
def record(page: TransactionPage, reading_id: int, *, now: datetime) -> None:
    """Keep what a page says, mark the orders it changes, and remember where to go on."""
    with transaction() as session:
        _keep_payments(session, page.transactions, now)
        withdrawals.keep(session, page.withdrawals, now)
        begun = session.get_one(TransactionReading, reading_id)
        begun.seen += len(page.transactions)
        begun.after_id = page.after_id
        if page.after_id is None:
            begun.finished_at = now


def _read_overdue(gateway: XenditClient, *, now: datetime) -> None:
    """Read payments by themselves that the list no longer reaches, those read longest ago first."""
    is_overdue = Transaction.settled_at.is_(None) & (
        Transaction.created_at < now - LONGEST_LOOK_BACK
    )
    oldest = sa.select(Transaction.xendit_id).where(is_overdue).order_by(Transaction.read_at)
    with reading() as session:
        wanted = session.scalars(oldest.limit(OVERDUE_AT_ONCE)).all()
    untold = "an overdue payment is not told"
    for xendit_id, found in read_each(gateway, wanted, XenditTransaction, untold=untold):
        _record_one(xendit_id, found, now=now)


@use_case
def _record_one(xendit_id: str, found: XenditTransaction | None, *, now: datetime) -> None:
    with transaction() as session:
        asked = sa.update(Transaction).where(Transaction.xendit_id == xendit_id)
        affected(session, asked.values(read_at=now))  # the next one's turn, whatever the answer
        _keep_payments(session, [found] if found else [], now)


def _keep_payments(session: Session, found: Sequence[XenditTransaction], now: datetime) -> None:
    owners = _find_owners(session, found)
    ids = [each.id for each in found]
    rows = session.scalars(sa.select(Transaction).where(Transaction.xendit_id.in_(ids)))
    known = {row.xendit_id: row for row in rows}
    # What has no owner is another system's, on the same account. The rows that point at an order
    # lock it: in the order of their keys, as everybody does.
    mine = [(owners[each.reference], each) for each in found if each.reference in owners]
    for owner, each in sorted(mine, key=lambda pair: pair[0].order_id):
        _keep(session, known.get(each.id), each, owner, now)


def _find_owners(session: Session, found: Sequence[XenditTransaction]) -> dict[str, Owner]:
    """Return whose payments these are by our reference, those before an extension included."""
    references = [each.reference for each in found]
    columns = (Payment.order_id, Payment.invoice_id, Payment.channel)
    current = sa.select(Payment.external_id, *columns).where(Payment.external_id.in_(references))
    past = (
        sa.select(PastInvoice.external_id, Payment.order_id, PastInvoice.invoice_id)
        .add_columns(Payment.channel)
        .join(Payment, Payment.id == PastInvoice.payment_id)
        .where(PastInvoice.external_id.in_(references))
    )
    rows = [*session.execute(past), *session.execute(current)]
    return {row[0]: Owner(row[1], row[2] or "", row[3] or "") for row in rows}


def _keep(
    session: Session,
    row: Transaction | None,
    each: XenditTransaction,
    owner: Owner,
    now: datetime,
) -> None:
    """Write a transaction as it is now; the ledger looks at its order when money changed."""
    if row is None:
        row = Transaction(xendit_id=each.id, order_id=owner.order_id, channel=owner.channel)
        session.add(row)
    before = (row.fee, row.vat, row.withholding, row.net, row.settled_at)
    row.invoice_id = each.invoice_id or owner.invoice_id
    row.amount, row.net = each.amount, each.net
    row.fee, row.vat, row.withholding = each.fee, each.vat, each.withholding
    row.is_fee_final = each.is_fee_final
    row.settlement_status = each.settlement_status
    row.created_at, row.expected_at, row.read_at = each.created_at, each.expected_at, now
    if each.is_settled and row.settled_at is None:
        row.settled_at = now
    if (row.fee, row.vat, row.withholding, row.net, row.settled_at) != before:
        postings.mark(session, row.order_id)


@use_case
def _end(reading_id: int, problem: str, *, now: datetime) -> None:
    with transaction() as session:
        begun = session.get_one(TransactionReading, reading_id)
        begun.finished_at, begun.problem = now, problem[:255]


def find_last() -> TransactionReading | None:
    """Return the latest pass, detached; None before the first."""
    with reading() as session:
        newest = sa.select(TransactionReading).order_by(TransactionReading.id.desc()).limit(1)
        found = session.scalar(newest)
        session.expunge_all()
        return found

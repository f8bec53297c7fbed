"""Withdrawals, followed: what left the balance as Xendit tells it, until nothing can change.

The list is read from the oldest that is not settled or still on its way, and no further back. What
was sent may yet be returned by the bank, days after the list has passed it; and what is on its way
for more than a month is no longer listed. Both are read by themselves, a few at each pass.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.integrations.xendit import XenditClient
from app.integrations.xendit_transactions import XenditWithdrawal
from app.models import Withdrawal
from app.services.money.balance import PENDING, SENT
from app.services.money.unlisted import read_each
from app.services.running.transaction import affected, reading, transaction, use_case

# Xendit names no time after which money that was sent cannot come back: its documentation only says
# that it may. A bank that does not know an account says so within days.
RETURNED_WITHIN = timedelta(days=31)
READ_AT_ONCE = 10  # one by one at each pass, those read longest ago first


def keep(session: Session, found: Sequence[XenditWithdrawal], now: datetime) -> None:
    """Write withdrawals as they are now, for the ledger to look at where they changed."""
    ids = [each.id for each in found]
    rows = session.scalars(sa.select(Withdrawal).where(Withdrawal.xendit_id.in_(ids)))
    known = {row.xendit_id: row for row in rows}
    for each in found:
        row = known.get(each.id)
        if row is None:
            row = Withdrawal(xendit_id=each.id, kind=each.kind, is_posted=False)
            session.add(row)
        before = (row.status, row.amount, row.fee, row.vat, row.withholding)
        row.status, row.amount = each.status, each.amount
        row.fee, row.vat, row.withholding = each.fee, each.vat, each.withholding
        row.created_at, row.read_at = each.created_at, now
        if (row.status, row.amount, row.fee, row.vat, row.withholding) != before:
            row.is_posted = False


def read_unlisted(gateway: XenditClient, listed_from: datetime, *, now: datetime) -> None:
    """Read withdrawals that can still change and that a pass from `listed_from` on did not list."""
    can_change = (Withdrawal.status == PENDING) | (
        (Withdrawal.status == SENT) & (Withdrawal.created_at >= now - RETURNED_WITHIN)
    )
    unlisted = sa.select(Withdrawal.xendit_id).where(
        can_change, Withdrawal.created_at < listed_from
    )
    with reading() as session:
        oldest = unlisted.order_by(Withdrawal.read_at, Withdrawal.id).limit(READ_AT_ONCE)
        wanted = session.scalars(oldest).all()
    untold = "a withdrawal is not told"
    for xendit_id, found in read_each(gateway, wanted, XenditWithdrawal, untold=untold):
        _keep_one(xendit_id, found, now=now)


@use_case
def _keep_one(xendit_id: str, found: XenditWithdrawal | None, *, now: datetime) -> None:
    with transaction() as session:
        asked = sa.update(Withdrawal).where(Withdrawal.xendit_id == xendit_id)
        affected(session, asked.values(read_at=now))  # the next one's turn, whatever the answer
        keep(session, [found] if found else [], now)

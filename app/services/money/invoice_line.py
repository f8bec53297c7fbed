"""The line for invoices: how many orders wait before this one, and for about how long.

Xendit makes so many invoices a minute (facts 1.3). What does not fit waits as a job, the seats
held; its buyer is told the place in line instead of being left alone with a spinner.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.extensions import db
from app.models import CallBudget, Payment, PaymentStatus
from app.services.money.budget import UNTIL_TOLD, WINDOW
from app.services.selling.ordering import INLINE_HEAD_START

# Who is first for longer than this waits for something else than the line.
LONGEST_TURN = timedelta(minutes=1)


@dataclass(frozen=True)
class Place:
    """A place in line: `ahead` orders come first; `wait` is None when nobody can tell how long."""

    ahead: int
    wait: timedelta | None

    @property
    def minutes(self) -> int:
        """Return the wait in begun minutes; 1 is less than a minute, 0 is not known."""
        return 0 if self.wait is None else max(1, -(-self.wait // timedelta(minutes=1)))


def place_in_line(order_id: int, now: datetime, *, since: datetime) -> Place:
    """Return the place of an order whose invoice is still to be made.

    Counted are payments without invoice, not jobs: each order has a job, also one whose invoice
    was made while its buyer waited. An estimate supposes that all calls of a minute can be used;
    `since` is when the order came into line.
    """
    session = db.session()
    ahead = session.scalar(
        sa.select(sa.func.count(Payment.id)).where(
            Payment.invoice_id.is_(None),
            Payment.status == PaymentStatus.PENDING,
            Payment.order_id < order_id,
        )
    )
    if not ahead:
        is_stuck = now - since > LONGEST_TURN
        return Place(0, None if is_stuck else INLINE_HEAD_START)
    told = session.scalar(sa.select(sa.func.min(CallBudget.allowed)))
    return Place(ahead, INLINE_HEAD_START + ahead * (WINDOW / (told or UNTIL_TOLD)))

"""The line for invoices: who waits, how many come first, and for about how long.

Xendit makes so many invoices a minute (facts 1.3). What does not fit waits as a job, the seats
held, first come first served; its buyer is told the place in line instead of being left alone with
a spinner.
"""

import bisect
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from app.extensions import db
from app.models import Payment, PaymentStatus
from app.services.money import pacing
from app.services.running import jobs
from app.services.running.per_engine import per_engine
from app.services.selling.ordering import INLINE_HEAD_START, OPEN_INVOICE

# Who is first for longer than this waits for something else than the line.
LONGEST_TURN = timedelta(minutes=1)
# How old what is told of the line may be: thousands ask where they stand.
SEEN_FOR = timedelta(seconds=1)
CLOSED_AT_LEAST = timedelta(seconds=0.5)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


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
    was made while its buyer waited. An estimate supposes the pace of calls to go on as it is;
    `since` is when the order came into line.
    """
    seen = _line_of(db.engine).look(now)
    ahead = bisect.bisect_left(seen.waiting, order_id)
    if not ahead:
        is_stuck = now - since > LONGEST_TURN
        return Place(0, None if is_stuck else INLINE_HEAD_START)
    begins_in = max(seen.free_at - now, timedelta())
    return Place(ahead, INLINE_HEAD_START + begins_in + ahead * seen.interval)


def is_free(now: datetime) -> bool:
    """Tell whether an invoice may be tried while its buyer waits: nobody is in line before.

    At the height of a rush this is asked hundreds of times a second, and the answer stays no until
    the next call is allowed: so long a process remembers it.
    """
    line = _line_of(db.engine)
    if now < line.closed_until:
        return False
    if jobs.is_any_due(now, (OPEN_INVOICE,)):
        line.closed_until = now + CLOSED_AT_LEAST
        return False
    line.closed_until = pacing.free_at(now)
    return line.closed_until <= now


@dataclass(frozen=True)
class _Look:
    """The line at one moment: who waits (order ids, ascending), and how fast it moves."""

    at: datetime
    waiting: list[int]
    free_at: datetime
    interval: timedelta


class _Line:
    """What this process last saw of the line, for one database."""

    def __init__(self) -> None:
        self.closed_until = LONG_AGO
        self._guard = threading.Lock()
        self._last = _Look(LONG_AGO, [], LONG_AGO, timedelta())

    def look(self, now: datetime) -> _Look:
        """Return how the line stood at most SEEN_FOR before `now`."""
        with self._guard:
            if not timedelta() <= now - self._last.at < SEEN_FOR:
                waiting = _waiting_orders()
                self._last = _Look(now, waiting, pacing.free_at(now), pacing.interval())
            return self._last


@per_engine
def _line_of(_engine: sa.Engine) -> _Line:
    return _Line()


def _waiting_orders() -> list[int]:
    waiting = sa.select(Payment.order_id).where(
        Payment.invoice_id.is_(None), Payment.status == PaymentStatus.PENDING
    )
    return list(db.session().scalars(waiting.order_by(Payment.order_id)))

"""The budget of calls: reading of our own accord never takes what somebody waits for.

Xendit answers so many calls an endpoint in any minute (facts 1.3: 60 with a test key, 600 live,
and other figures were seen), for all processes together. One row an endpoint counts them here.
"""

import enum
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.models import CallBudget
from app.services.running.jobs import RetryLater
from app.services.running.transaction import affected, reading, transaction, use_case

WINDOW = timedelta(minutes=1)
MOST = 1_000_000
UNTIL_TOLD = 60  # the smaller of Xendit's two figures; its first answer tells the right one


class Share(enum.Enum):
    """How much of a minute's calls a purpose may use, as the divisor of the whole.

    Xendit's minute slides and ours does not: one of its minutes can touch two of ours. A quarter
    of each is what makes reading in the background half at most.
    """

    WAITED_FOR = 1  # callbacks, returning buyers, expiry
    BACKGROUND = 4  # reading back, reconciliation


def take(endpoint: str, share: Share, now: datetime) -> timedelta | None:
    """Take one call out of the budget: None to go ahead, else how long to wait.

    The share is of all calls of the current minute, whoever made them: background calls stop when
    the others have used as much.
    """
    try:
        return _take(endpoint, share, now)
    except IntegrityError:
        return _take(endpoint, share, now)  # another process made the first call meanwhile


@use_case
def _take(endpoint: str, share: Share, now: datetime) -> timedelta | None:
    with transaction() as session:
        if affected(session, _counted(endpoint, share, now)) == 1:
            return None
        began = session.scalar(
            sa.select(CallBudget.window_at).where(CallBudget.endpoint == endpoint)
        )
        if began is not None:
            if affected(session, _counted(endpoint, share, now)) == 1:
                return None  # the row was made between the two statements
            return max(began + WINDOW - now, timedelta(seconds=1))
        session.add(CallBudget(endpoint=endpoint, allowed=UNTIL_TOLD, used=1, window_at=now))
        return None


def _counted(endpoint: str, share: Share, now: datetime) -> sa.Update:
    """Return the one statement that counts a call where there is room, or begins a new minute.

    A window that begins a minute ahead was written by a clock that was wrong; it is replaced.
    """
    is_over = (CallBudget.window_at <= now - WINDOW) | (CallBudget.window_at > now + WINDOW)
    has_room = CallBudget.used * share.value < CallBudget.allowed
    return (
        sa.update(CallBudget)
        .where(CallBudget.endpoint == endpoint, is_over | has_room)
        # In this order: MariaDB would judge `used` by a `window_at` that was set before it.
        .ordered_values(
            (CallBudget.used, sa.case((is_over, 1), else_=CallBudget.used + 1)),
            (CallBudget.window_at, sa.case((is_over, now), else_=CallBudget.window_at)),
        )
    )


@use_case
def learn(endpoint: str, allowed: int) -> None:
    """Keep how many calls a minute Xendit says the endpoint takes; writes only what is new.

    Never 0: nobody would ask again, and so nobody would learn better.
    """
    allowed = min(max(allowed, 1), MOST)
    mine = sa.select(CallBudget.allowed).where(CallBudget.endpoint == endpoint)
    with reading() as session:
        if session.scalar(mine) in (None, allowed):
            return
    with transaction() as session:
        row = sa.update(CallBudget).where(CallBudget.endpoint == endpoint)
        affected(session, row.values(allowed=allowed))


class Meter:
    """Counts a client's calls against a share; hand it to `XenditClient.metered`.

    `calls` is how many it let through. With `patience` it also stops once so much time has passed
    since it was made, so that a job ends before its lease does.
    """

    def __init__(
        self,
        share: Share,
        clock: Callable[[], datetime],
        *,
        patience: timedelta | None = None,
    ) -> None:
        self.calls = 0
        self._share = share
        self._clock = clock
        self._until = clock() + patience if patience is not None else None

    def before(self, endpoint: str) -> None:
        """Take a call out of the budget. Raises RetryLater when there is none to be had."""
        now = self._clock()
        if self._until is not None and now > self._until:
            raise RetryLater("taking longer than a job may", timedelta(seconds=1))
        pause = take(endpoint, self._share, now)
        if pause is not None:
            if self._share is Share.BACKGROUND:  # or all that wait would come back at once
                pause += WINDOW * random.random()  # noqa: S311 (jitter)
            raise RetryLater(f"the minute's calls to {endpoint} are used up", pause)
        self.calls += 1

    def after(self, endpoint: str, allowed: int) -> None:
        """Learn what an answer said a minute takes."""
        learn(endpoint, allowed)

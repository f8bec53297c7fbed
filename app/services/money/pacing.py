"""Pacing: calls that create invoices, spread so that no minute of Xendit's ever sees too many.

Xendit's minute slides (facts 1.3). A count that begins anew each minute would let twice as many
through around its end; so each call takes the next place on a time line that all processes share,
a fixed interval after the one before. A few may be taken ahead of time: quiet days have no line.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models import CallPace
from app.services.money.budget import UNTIL_TOLD, Meter
from app.services.running.jobs import OutOfTurn
from app.services.running.transaction import affected, insert, reading, transaction, use_case

CREATE = "create"
MINUTE_US = 60_000_000
# Together below 1: calls evenly spread, and those that may come at once after a quiet time.
EVEN_SHARE = 0.98
AT_ONCE_SHARE = 0.01
# No pause of Xendit's is as long: such a time was written by a clock that was wrong.
ASTRAY_US = 3 * MINUTE_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def interval() -> timedelta:
    """Return the time between two calls at the pace that is known now."""
    with reading() as session:
        pace = _find(session)
    return timedelta(microseconds=pace.interval_us if pace else interval_us(UNTIL_TOLD))


def interval_us(allowed: int) -> int:
    """Return the microseconds between two calls when `allowed` a minute are."""
    return round(MINUTE_US / (max(allowed, 1) * EVEN_SHARE))


def free_at(now: datetime) -> datetime:
    """Return when the next call could be made, `now` or later; only a look, nothing is taken."""
    with reading() as session:
        pace = _find(session)
    if pace is None or _is_free(pace, _us(now)):
        return now
    return now + timedelta(microseconds=pace.next_us - _latest(pace.interval_us, _us(now)))


def take(now: datetime) -> timedelta | None:
    """Take the next place on the line: None to go ahead, else how long until there is one."""
    try:
        return _take(now)
    except IntegrityError:
        return _take(now)  # another process made the first call meanwhile


@use_case
def hold_back(now: datetime, pause: timedelta) -> None:
    """Let nobody call for a while: Xendit has refused one."""
    until = _us(now + pause)
    with transaction() as session:
        row = sa.update(CallPace).where(CallPace.endpoint == CREATE, CallPace.next_us < until)
        affected(session, row.values(next_us=until))


@use_case
def learn(allowed: int) -> None:
    """Keep how many calls a minute Xendit says it takes; writes only what is new.

    The next call comes as long after the last one as the new pace says.
    """
    new = interval_us(allowed)
    with reading() as session:
        pace = _find(session)
        if pace is None or pace.interval_us == new:
            return
    with transaction() as session:
        its = CallPace.endpoint == CREATE, CallPace.interval_us == pace.interval_us
        sooner = CallPace.next_us + (new - pace.interval_us)
        affected(session, sa.update(CallPace).where(*its).values(interval_us=new, next_us=sooner))


@use_case
def _take(now: datetime) -> timedelta | None:
    at = _us(now)
    with transaction() as session:
        pace = _find(session)
        if pace is None:
            first = interval_us(UNTIL_TOLD)
            insert(session, CallPace, endpoint=CREATE, interval_us=first, next_us=at + first)
            return None
        latest = _latest(pace.interval_us, at)
        is_astray = CallPace.next_us > at + ASTRAY_US
        is_free = (CallPace.next_us <= latest) | is_astray
        start = sa.case((is_astray | (CallPace.next_us < at), at), else_=CallPace.next_us)
        mine = sa.update(CallPace).where(CallPace.endpoint == CREATE, is_free)
        if affected(session, mine.values(next_us=start + CallPace.interval_us)) == 1:
            return None
        return timedelta(microseconds=max(pace.next_us - latest, pace.interval_us))


def _find(session: Session) -> sa.Row[int, int] | None:
    columns = sa.select(CallPace.interval_us, CallPace.next_us)
    return session.execute(columns.where(CallPace.endpoint == CREATE)).one_or_none()


def _latest(interval: int, at: int) -> int:
    """Return how far the line may have run ahead of the clock for one more call."""
    allowed = round(MINUTE_US / EVEN_SHARE / interval)
    at_once = round(allowed * AT_ONCE_SHARE)
    return at + at_once * interval


def _is_free(pace: "sa.Row[int, int]", at: int) -> bool:
    return not _latest(pace.interval_us, at) < pace.next_us <= at + ASTRAY_US


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


class PacedMeter(Meter):
    """Counts readings as `Meter` does, and lets invoices be created at the common pace only."""

    def before(self, endpoint: str) -> None:
        """Take the call's place. Raises RetryLater, and OutOfTurn for one that creates."""
        if endpoint != CREATE:
            super().before(endpoint)
        elif (pause := take(self._clock())) is not None:
            raise OutOfTurn("other calls to create come first", pause)
        else:
            self.calls += 1

    def after(self, endpoint: str, allowed: int) -> None:
        """Learn what an answer said a minute takes."""
        if endpoint == CREATE:
            learn(allowed)
        else:
            super().after(endpoint, allowed)

"""Reconciliation by itself: once a day, however many workers there are."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.integrations.xendit import XenditClient
from app.models import Order, ReconciledDay
from app.services.money.budget import Meter, Share
from app.services.money.reconciliation import reconcile
from app.services.running import jobs
from app.services.running.jobs import RetryLater
from app.services.running.transaction import reading, transaction, use_case

RECONCILE = "reconcile_day"
RUN_AT = time(4)  # in the event's zone: nobody buys, and the day before is complete
COVERED = timedelta(days=2)  # what was paid late on one day is found on the next
OVERLAP = timedelta(hours=1)
LONGEST_CATCH_UP = timedelta(days=31)
PATIENCE = timedelta(seconds=60)  # and the call under way; a job's lease is longer
SHORTEST = timedelta(hours=1)


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the moment a day begins in the event's zone."""
    return datetime.combine(day, time(), zone)


def schedule(*, now: datetime, zone: tzinfo) -> bool:
    """Put today's reconciliation among the jobs, and tell whether this call did.

    Called by every worker every minute. It covers the two days before today, or more when days were
    missed because no worker ran. While nothing was sold before today there is nothing to compare.
    """
    today = now.astimezone(zone).date()
    if now < datetime.combine(today, RUN_AT, zone):
        return False
    with reading() as session:
        sold = sa.select(Order.id).where(Order.created_at < midnight(today, zone)).limit(1)
        if _is_scheduled(session, today) or session.scalar(sold) is None:
            return False
    try:
        return _schedule(today, now, zone)
    except IntegrityError:
        return False  # another worker was first, by less than this transaction


@use_case
def _schedule(today: date, now: datetime, zone: tzinfo) -> bool:
    """Claim the day and add its job in one commit: neither can be had without the other."""
    with transaction() as session:
        if _is_scheduled(session, today):
            return False
        last = session.scalar(sa.select(sa.func.max(ReconciledDay.day)))
        session.add(ReconciledDay(day=today, scheduled_at=now))
        session.flush()
        first = max(min(last or today, today - COVERED), today - LONGEST_CATCH_UP)
        _enqueue(session, midnight(first, zone) - OVERLAP, midnight(today, zone), now, now)
        return True


def _is_scheduled(session: Session, day: date) -> bool:
    return session.scalar(sa.select(ReconciledDay.day).where(ReconciledDay.day == day)) is not None


def _enqueue(
    session: Session, from_at: datetime, until_at: datetime, now: datetime, due_at: datetime
) -> None:
    payload = {"from": from_at.isoformat(), "until": until_at.isoformat()}
    jobs.enqueue(session, RECONCILE, payload, now=now, due_at=due_at)


def reconcile_stretch(
    payload: dict[str, Any], *, clock: Callable[[], datetime], gateway: XenditClient
) -> None:
    """Do the job of a stretch; what is too much for one job becomes two, of half the stretch each.

    Too much is what takes more calls than the budget has in a minute, or longer than a job may:
    starting again from the beginning would never come to an end then. Raises RetryLater when not
    even the first call could be made, and XenditError.
    """
    from_at, until_at = (datetime.fromisoformat(payload[key]) for key in ("from", "until"))
    meter = Meter(Share.BACKGROUND, clock, patience=PATIENCE)
    try:
        reconcile(from_at, until_at, now=clock(), gateway=gateway.metered(meter))
    except RetryLater as late:
        if meter.calls == 0 or until_at - from_at <= SHORTEST:
            raise
        _split(from_at, until_at, clock(), late.pause or timedelta())


@use_case
def _split(from_at: datetime, until_at: datetime, now: datetime, pause: timedelta) -> None:
    middle = from_at + (until_at - from_at) / 2
    with transaction() as session:
        _enqueue(session, from_at, middle, now, now + pause)
        _enqueue(session, middle, until_at, now, now + pause)

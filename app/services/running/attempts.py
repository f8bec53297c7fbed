"""Throttle what can be guessed, counted in the database: it holds across all processes."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.errors import RateLimited
from app.models import Attempt
from app.services.running.transaction import affected, reading, transaction, use_case

KEEP = timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """At most `most` failures within `window` for one kind of attempt by or at one `who`."""

    kind: str
    who: str
    most: int
    window: timedelta

    @property
    def subject(self) -> str:
        """Return what is stored: a hash, so that the table names nobody."""
        return hashlib.sha256(f"{self.kind}\n{self.who}".encode()).hexdigest()


def count_attempt(limits: Sequence[Limit], *, now: datetime) -> list[int]:
    """Count one attempt before it is made and return its ids, for `forgive`. Raises RateLimited.

    It is committed before the others are counted: of any number of simultaneous guesses, each sees
    those that were told they may go on. One that is refused does not count, so that nobody is kept
    out for longer by somebody who does not give up.
    """
    ids = _note(limits, now)
    waits = [wait for limit in limits if (wait := _seconds_to_wait(limit, now))]
    if waits:
        forgive(ids)
        raise RateLimited(retry_after=max(waits))
    return ids


@use_case
def forgive(ids: Sequence[int], *limits: Limit) -> None:
    """Take back these attempts, and all of `limits`: it was no guess after all."""
    subjects = [limit.subject for limit in limits]
    with transaction() as session:
        is_theirs = Attempt.id.in_(ids) | Attempt.subject.in_(subjects)
        affected(session, sa.delete(Attempt).where(is_theirs))


@use_case
def _note(limits: Sequence[Limit], now: datetime) -> list[int]:
    with transaction() as session:
        affected(session, sa.delete(Attempt).where(Attempt.created_at < now - KEEP))
        attempts = [Attempt(subject=limit.subject, created_at=now) for limit in limits]
        session.add_all(attempts)
        session.flush()
        return [attempt.id for attempt in attempts]


def _seconds_to_wait(limit: Limit, now: datetime) -> int:
    """Return 0 while the limit is kept, else when the oldest attempt that counts is forgotten."""
    is_counted = (Attempt.subject == limit.subject, Attempt.created_at > now - limit.window)
    newest = sa.select(Attempt.created_at).where(*is_counted).order_by(Attempt.created_at.desc())
    with reading() as session:
        # The one this attempt would have to outlast; there is none while the limit is kept.
        oldest = session.scalar(newest.offset(limit.most).limit(1))
    return max(1, math.ceil((oldest + limit.window - now).total_seconds())) if oldest else 0

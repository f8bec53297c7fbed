"""Inspections: now and then one worker reads everything, and keeps what it found for all.

Whether stock, orders, money and the door agree can only be told from all rows, and so can most
counts. That takes the longer the more there is; whoever watches the service must not cause it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.models import Inspection
from app.services.running.counts import Counts, count_all
from app.services.running.invariants import find_violations
from app.services.running.transaction import affected, reading, transaction, use_case

ID = 1
EVERY = timedelta(minutes=1)
# A look that takes long is followed by a rest so many times as long: a twentieth of one core.
REST = 20
LEASE = timedelta(minutes=5)  # then the one who looked is taken for dead
MOST_KEPT = 20


@dataclass(frozen=True)
class Found:
    """What an inspection found; `violations` are the first of `broken` sentences."""

    began_at: datetime
    took: timedelta
    broken: int
    violations: tuple[str, ...]
    counts: Counts

    def age(self, now: datetime) -> timedelta:
        """Return how old all of it is."""
        return now - self.began_at


def inspect_if_due(now: datetime, clock: Callable[[], float] = time.monotonic) -> list[str] | None:
    """Look at everything if nobody does or lately did, and keep what was found.

    Returns a sentence for each broken invariant; None when it was not this caller's turn. Of
    workers that ask at one moment one gets the turn. Raises Busy.
    """
    try:
        is_ours = _take_turn(now)
    except IntegrityError:
        return None  # another worker makes the very first one
    if not is_ours:
        return None
    begun = clock()
    violations = find_violations()
    with reading() as session:
        counts = count_all(session)
    took = timedelta(seconds=clock() - begun)
    _keep(Found(now, took, len(violations), tuple(violations[:MOST_KEPT]), counts))
    return violations


def last_inspection() -> Found | None:
    """Return what the last inspection found; None before the first has ended."""
    with reading() as session:
        row = session.get(Inspection, ID)
        if row is None or row.began_at is None:
            return None
        took = timedelta(milliseconds=row.took_ms)
        return Found(row.began_at, took, row.broken, tuple(row.violations), row.counts)


@use_case
def _take_turn(now: datetime) -> bool:
    with transaction() as session:
        mine = sa.update(Inspection).where(Inspection.id == ID, Inspection.next_at <= now)
        if affected(session, mine.values(next_at=now + LEASE)) == 1:
            return True
        is_first = session.scalar(sa.select(Inspection.id).where(Inspection.id == ID)) is None
        if is_first:
            session.add(Inspection(id=ID, next_at=now + LEASE, violations=[], counts={}))
        return is_first


@use_case
def _keep(found: Found) -> None:
    rest = max(EVERY, REST * found.took)
    with transaction() as session:
        row = sa.update(Inspection).where(Inspection.id == ID)
        kept = {
            "next_at": found.began_at + rest,
            "began_at": found.began_at,
            "took_ms": found.took // timedelta(milliseconds=1),
            "broken": found.broken,
            "violations": list(found.violations),
            "counts": found.counts,
        }
        affected(session, row.values(**kept))

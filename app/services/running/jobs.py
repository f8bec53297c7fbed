"""Jobs: written in the transaction that needs them, done by workers, never lost.

Claiming moves `due_at` to the end of a lease and counts the attempt. The attempt number fences
off a worker that was too slow: only the claim that is still the newest may finish the job.
"""

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import Job, JobStatus, WorkerHeartbeat
from app.services.running.transaction import affected, insert, reading, transaction, use_case
from app.tracing import current_request_id

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=120)  # longer than the slowest job: two calls of 30 s, PDF and mail
GIVE_UP_AFTER = timedelta(days=3)
FEWEST_TRIES = 100  # about a day of failures: some jobs are made days before they fall due
LONGEST_PAUSE = timedelta(minutes=15)
KEEP_DONE = timedelta(days=14)


class RetryLater(Exception):
    """A job cannot be done now; `pause` says when to try again, None leaves it to back-off."""

    def __init__(self, why: str, pause: timedelta | None = None) -> None:
        super().__init__(why)
        self.pause = pause


class OutOfTurn(RetryLater):
    """A job's turn has not come, by no fault of its own: it keeps its place in line."""


@dataclass(frozen=True)
class Claim:
    """A job this worker may do until its lease ends; it was due at `was_due_at`."""

    id: int
    kind: str
    payload: dict[str, Any]
    attempt: int
    request_id: str
    created_at: datetime
    was_due_at: datetime


def enqueue(
    session: Session, kind: str, payload: dict[str, Any], *, now: datetime, due_at: datetime
) -> int:
    """Add a job to the caller's transaction and return its id."""
    return insert(session, Job, **row(kind, payload, now=now, due_at=due_at))


def row(
    kind: str,
    payload: dict[str, Any],
    *,
    now: datetime,
    due_at: datetime,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Return a job as it is stored, for who writes many at once."""
    return {
        "kind": kind,
        "payload": payload,
        "status": JobStatus.OPEN,
        "due_at": due_at,
        "request_id": current_request_id() if request_id is None else request_id,
        "created_at": now,
    }


_TABLE = cast(sa.Table, Job.__table__)
_JOBS = _TABLE.c
_ONE = sa.update(_TABLE).where(_JOBS.id == sa.bindparam("job_id"))
_TAKE = _ONE.values(attempts=sa.bindparam("attempt"), due_at=sa.bindparam("lease_ends_at"))
_MINE = _ONE.where(_JOBS.attempts == sa.bindparam("attempt"), _JOBS.status == JobStatus.OPEN)


@use_case
def claim(
    now: datetime, kinds: tuple[str, ...] | None = None, *, without: str | None = None
) -> Claim | None:
    """Take the job that has been due longest, or None. Two workers never get the same one.

    Only of these `kinds`, and none of the kind `without`.
    """
    if not is_any_due(now, kinds, without=without):
        return None  # the usual case of an idle worker: one indexed read, no lock
    return take(now, kinds, without=without)


@use_case
def take(
    now: datetime, kinds: tuple[str, ...] | None = None, *, without: str | None = None
) -> Claim | None:
    """Do what `claim` does, for who has just seen that there is something to take."""
    with transaction() as session:
        job = session.connection().execute(_first_due(kinds, without), {"now": now}).one_or_none()
        if job is None:
            return None
        attempt = job.attempts + 1
        lease = {"job_id": job.id, "attempt": attempt, "lease_ends_at": now + LEASE}
        affected(session, _TAKE, lease)
        return Claim(
            job.id, job.kind, job.payload, attempt, job.request_id, job.created_at, job.due_at
        )


def is_any_due(
    now: datetime, kinds: tuple[str, ...] | None = None, *, without: str | None = None
) -> bool:
    """Tell whether a job waits to be claimed; only a look."""
    with reading() as session:
        return session.connection().scalar(_any_due(kinds, without), {"now": now}) is not None


# Workers ask all day: each question is built once, for the moment `now`.
@cache
def _any_due(kinds: tuple[str, ...] | None, without: str | None) -> sa.Select[Any]:
    due = sa.select(_JOBS.id).where(_JOBS.status == JobStatus.OPEN)
    due = due.where(_JOBS.due_at <= sa.bindparam("now"))
    if kinds is not None:
        due = due.where(_JOBS.kind.in_(kinds))
    if without is not None:
        due = due.where(_JOBS.kind != without)
    return due.limit(1)


@cache
def _first_due(kinds: tuple[str, ...] | None, without: str | None) -> sa.Select[Any]:
    first = _any_due(kinds, without).add_columns(
        _JOBS.kind,
        _JOBS.payload,
        _JOBS.attempts,
        _JOBS.request_id,
        _JOBS.created_at,
        _JOBS.due_at,
    )
    # As its index has them: sorting would have to read, and lock, all of them for the first.
    first = first.order_by(_JOBS.due_at, _JOBS.kind, _JOBS.id)
    return first.with_for_update(skip_locked=True)


@use_case
def finish(job: Claim, now: datetime) -> bool:
    """Mark a job done. False when its lease ran out and another worker has it."""
    return _close(job, status=JobStatus.DONE, finished_at=now)


@use_case
def retry(job: Claim, now: datetime, why: str, pause: timedelta | None = None) -> None:
    """Put a job off after a failure, or give it up loudly.

    That is when it is older than GIVE_UP_AFTER and was tried FEWEST_TRIES times.
    """
    is_old = now - job.created_at > GIVE_UP_AFTER
    if is_old and job.attempt >= FEWEST_TRIES and pause is None:
        log.error("job given up", extra={"job": job.id, "kind": job.kind, "why": why})
        _close(job, status=JobStatus.FAILED, finished_at=now, last_error=why[:500])
        return
    _close(job, due_at=now + (pause or back_off(job.attempt)), last_error=why[:500])


@use_case
def put_back(job: Claim) -> None:
    """Give a job back as if it had never been claimed."""
    _close(job, due_at=job.was_due_at, attempts=_JOBS.attempts - 1)


def back_off(attempt: int) -> timedelta:
    """Return the pause before the next attempt: doubling from 1 s, with jitter, at most 15 min."""
    seconds = min(2.0 ** min(attempt - 1, 20), LONGEST_PAUSE.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.75, 1.0))  # noqa: S311 (jitter)


def _close(job: Claim, **values: Any) -> bool:
    with transaction() as session:
        mine = {"job_id": job.id, "attempt": job.attempt}
        return affected(session, _MINE.values(**values), mine) == 1


@use_case
def hurry(job_id: int, now: datetime) -> None:
    """Make a job that nobody has begun due at once."""
    with transaction() as session:
        waiting = sa.update(Job).where(
            Job.id == job_id, Job.attempts == 0, Job.status == JobStatus.OPEN
        )
        affected(session, waiting.values(due_at=now))


@use_case
def beat(worker: str, now: datetime) -> None:
    """Record that a worker is alive, and forget those that were last seen a day ago."""
    with transaction() as session:
        mine = sa.update(WorkerHeartbeat).where(WorkerHeartbeat.worker == worker)
        if affected(session, mine.values(seen_at=now)) == 0:
            session.add(WorkerHeartbeat(worker=worker, seen_at=now))
        stale = WorkerHeartbeat.seen_at < now - timedelta(days=1)
        affected(session, sa.delete(WorkerHeartbeat).where(stale))


@use_case
def sweep(now: datetime) -> int:
    """Remove jobs done long ago (failed ones stay) and return how many."""
    with transaction() as session:
        old = sa.delete(Job).where(
            Job.status == JobStatus.DONE, Job.due_at < now - KEEP_DONE - LEASE
        )
        return affected(session, old)


def last_beat() -> datetime | None:
    """Return when any worker was last seen alive."""
    return db.session.scalar(sa.select(sa.func.max(WorkerHeartbeat.seen_at)))

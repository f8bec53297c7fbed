"""Many workers, one list of jobs: each is claimed once. The careless way is raced too."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import Job, JobStatus
from app.services.running import jobs
from app.services.running.transaction import affected, reading, transaction, use_case

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
WORKERS = 8
JOBS = 40

ClaimId = Callable[[datetime], int | None]


def claim_properly(now: datetime) -> int | None:
    job = jobs.claim(now)
    return None if job is None else job.id


@use_case
def claim_carelessly(now: datetime) -> int | None:
    """Select and then update, as one would without knowing better."""
    with reading() as session:
        due = sa.select(Job.id).where(Job.status == JobStatus.OPEN, Job.due_at <= now)
        job_id = session.scalar(due.order_by(Job.due_at, Job.id).limit(1))
    if job_id is not None:
        with transaction() as session:
            mine = sa.update(Job).where(Job.id == job_id)
            affected(session, mine.values(due_at=now + jobs.LEASE, attempts=Job.attempts + 1))
    return job_id


def race(app: Flask, claim: ClaimId) -> Counter[int]:
    """Let all workers loose on JOBS due jobs; return how often each was claimed."""
    with app.app_context(), transaction() as session:
        affected(session, sa.delete(Job))
        for _ in range(JOBS):
            jobs.enqueue(session, "test", {}, now=NOW, due_at=NOW)
    start = threading.Barrier(WORKERS)
    claimed: list[int] = []

    def work() -> None:
        with app.app_context():
            start.wait(timeout=10)
            while (job_id := claim(NOW)) is not None:
                claimed.append(job_id)

    workers = [threading.Thread(target=work) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert not any(worker.is_alive() for worker in workers)
    return Counter(claimed)


def test_many_workers_claim_each_job_once(app: Flask) -> None:
    claimed = race(app, claim_properly)

    # A worker may stop early when others hold what is left; nothing is claimed twice for it.
    assert set(claimed.values()) == {1}
    assert len(claimed) == JOBS
    with app.app_context():
        attempts = db.session.scalars(sa.select(Job.attempts)).all()
    assert attempts == [1] * JOBS


def test_the_careless_way_claims_some_twice(app: Flask) -> None:
    """The negative control: the race above is one that a select-then-update loses."""
    rounds = (race(app, claim_carelessly) for _ in range(10))

    assert any(max(claimed.values()) > 1 for claimed in rounds)


def test_a_worker_does_not_wait_for_another_s_claim(mariadb_app: Flask) -> None:
    with mariadb_app.app_context():
        with transaction() as session:
            first = jobs.enqueue(session, "test", {}, now=NOW, due_at=NOW)
            second = jobs.enqueue(session, "test", {}, now=NOW, due_at=NOW)
        with db.engine.connect() as other, other.begin():
            other.execute(sa.select(Job.id).where(Job.id == first).with_for_update())

            assert claim_properly(NOW) == second
            assert claim_properly(NOW) is None

        assert claim_properly(NOW) == first

"""Many workers, one list of jobs: each is claimed once. The careless way is raced too."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import Job, JobStatus
from app.services.running import jobs
from app.services.running.transaction import affected, reading, transaction, use_case
from tests.harness.interleaving import at_once, overlap

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
WORKERS = 3
JOBS = 12


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


@pytest.fixture
def two_jobs(mariadb_app: Flask) -> list[int]:
    """The ids of two jobs that are due."""
    with mariadb_app.app_context(), transaction() as session:
        return [jobs.enqueue(session, "test", {}, now=NOW, due_at=NOW) for _ in range(2)]


@pytest.mark.parametrize("statements", [1, 2, 3])
def test_two_workers_claim_two_jobs_wherever_they_meet(
    mariadb_app: Flask, two_jobs: list[int], statements: int
) -> None:
    """One looks whether any is due, selects, updates; the other one claims in between."""
    claims = [lambda: claim_properly(NOW)] * 2

    assert set(overlap(mariadb_app, *claims, after=statements)) == set(two_jobs)


def test_the_careless_way_claims_one_twice(mariadb_app: Flask, two_jobs: list[int]) -> None:
    """The negative control: a select-then-update loses the very same meeting."""
    claims = [lambda: claim_carelessly(NOW)] * 2

    assert overlap(mariadb_app, *claims, after=1) == (two_jobs[0], two_jobs[0])


def test_many_workers_claim_each_job_once(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        for _ in range(JOBS):
            jobs.enqueue(session, "test", {}, now=NOW, due_at=NOW)

    def work() -> list[int]:
        with app.app_context():
            return list(iter(lambda: claim_properly(NOW) or 0, 0))

    claimed = at_once([work] * WORKERS)

    # A worker may stop early when others hold what is left; nothing is claimed twice for it.
    assert not [each for each in claimed if isinstance(each, Exception)], claimed
    with app.app_context():
        attempts = db.session.scalars(sa.select(Job.attempts)).all()
    assert attempts == [1] * JOBS


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

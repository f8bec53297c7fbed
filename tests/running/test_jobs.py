"""Jobs: claimed once, leased, retried with back-off, given up loudly."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import Job, JobStatus
from app.services.running import jobs
from app.services.running.transaction import affected, transaction
from app.tracing import request_id

NOW = datetime(2027, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
TICK = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


def add(kind: str = "test", *, due_at: datetime = NOW, made_at: datetime = NOW) -> int:
    with transaction() as session:
        return jobs.enqueue(session, kind, {"n": 1}, now=made_at, due_at=due_at)


def read(job_id: int) -> Job:
    db.session.rollback()
    return db.session.get_one(Job, job_id)


def claim(now: datetime = NOW) -> jobs.Claim:
    job = jobs.claim(now)
    assert job is not None
    return job


def test_a_job_is_part_of_the_transaction_that_needs_it() -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        jobs.enqueue(session, "test", {}, now=NOW, due_at=NOW)
        raise ZeroDivisionError

    assert jobs.claim(NOW) is None


def test_a_job_keeps_its_payload_and_the_id_of_its_request() -> None:
    payload = {"order_id": 7, "名前": ["🎉", None, True]}

    with request_id("jobs-test-0001"), transaction() as session:
        job_id = jobs.enqueue(session, "test", payload, now=NOW, due_at=NOW)

    assert claim() == jobs.Claim(job_id, "test", payload, 1, "jobs-test-0001", NOW, NOW)


def test_nothing_is_claimed_before_it_is_due() -> None:
    add(due_at=NOW)

    assert jobs.claim(NOW - TICK) is None
    assert jobs.claim(NOW) is not None


def test_what_has_been_due_longest_comes_first() -> None:
    late, latest, early = (add(due_at=NOW - ago * SECOND) for ago in (2, 1, 3))

    assert [claim().id for _ in range(3)] == [early, late, latest]
    assert jobs.claim(NOW) is None


def test_a_worker_may_ask_for_some_kinds_only() -> None:
    add("mail")
    wanted = add("invoice")

    only = jobs.claim(NOW, kinds=("invoice", "expiry"))

    assert only is not None
    assert only.id == wanted
    assert jobs.claim(NOW, kinds=("invoice", "expiry")) is None


def test_a_claimed_job_is_free_again_when_its_lease_ends() -> None:
    add()
    first = claim()

    assert jobs.claim(NOW + jobs.LEASE - TICK) is None
    second = claim(NOW + jobs.LEASE)

    assert (second.id, first.attempt, second.attempt) == (first.id, 1, 2)


def test_a_worker_that_was_too_slow_can_neither_finish_nor_put_off_the_job() -> None:
    job_id = add()
    slow = claim()
    quick = claim(NOW + jobs.LEASE)

    assert jobs.finish(slow, NOW + jobs.LEASE) is False
    jobs.retry(slow, NOW + jobs.LEASE, "too late to say", SECOND)

    untouched = read(job_id)
    assert (untouched.status, untouched.last_error) == (JobStatus.OPEN, None)
    assert untouched.due_at == NOW + 2 * jobs.LEASE
    assert jobs.finish(quick, NOW + jobs.LEASE) is True
    assert read(job_id).status is JobStatus.DONE


def test_a_slow_worker_cannot_open_again_what_another_has_done() -> None:
    job_id = add()
    slow = claim()
    jobs.finish(claim(NOW + jobs.LEASE), NOW + jobs.LEASE)

    jobs.retry(slow, NOW + jobs.LEASE, "failed", SECOND)

    assert read(job_id).status is JobStatus.DONE
    assert jobs.claim(NOW + timedelta(days=1)) is None


def test_a_finished_job_is_never_claimed_again() -> None:
    job_id = add()

    assert jobs.finish(claim(), NOW + SECOND) is True

    assert jobs.claim(NOW + timedelta(days=365)) is None
    assert read(job_id).finished_at == NOW + SECOND


def test_a_failed_try_waits_twice_as_long_each_time_up_to_a_quarter_of_an_hour() -> None:
    job_id, now = add(), NOW
    pauses = []
    for _ in range(14):
        jobs.retry(claim(now), now, "Xendit is away")
        due_at = read(job_id).due_at
        pauses.append((due_at - now).total_seconds())
        now = due_at

    for attempt, pause in enumerate(pauses):
        longest = min(2**attempt, 900)
        assert 0.75 * longest <= pause <= longest
    assert read(job_id).last_error == "Xendit is away"


def test_jitter_keeps_jobs_that_failed_together_apart() -> None:
    assert len({jobs.back_off(10) for _ in range(20)}) > 15


def test_even_an_absurd_attempt_has_a_pause() -> None:
    assert jobs.back_off(10**6) <= jobs.LONGEST_PAUSE


def test_a_pause_that_was_named_is_kept_to() -> None:
    job_id = add()

    jobs.retry(claim(), NOW, "throttled", timedelta(seconds=42.5))

    assert read(job_id).due_at == NOW + timedelta(seconds=42.5)


def test_an_error_of_any_length_fits() -> None:
    job_id = add()

    jobs.retry(claim(), NOW, "🎉" * 5000)

    assert read(job_id).last_error == "🎉" * 500


def test_after_three_days_a_job_is_given_up_loudly(caplog: pytest.LogCaptureFixture) -> None:
    job_id = add(made_at=NOW - timedelta(days=3) - SECOND)
    tried = replace(claim(), attempt=jobs.FEWEST_TRIES)
    with transaction() as session:
        affected(session, sa.update(Job).values(attempts=tried.attempt))

    jobs.retry(tried, NOW, "Xendit is away")

    given_up = read(job_id)
    assert (given_up.status, given_up.finished_at) == (JobStatus.FAILED, NOW)
    assert given_up.last_error == "Xendit is away"
    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("ERROR", "job given up")
    ]
    assert jobs.claim(NOW + timedelta(days=1)) is None


def test_within_three_days_no_number_of_failures_ends_a_job() -> None:
    job_id = add(made_at=NOW - timedelta(days=3))
    for _ in range(20):
        jobs.retry(claim(read(job_id).due_at), NOW, "Xendit is away")

    assert read(job_id).status is JobStatus.OPEN


def test_a_job_made_days_before_it_was_due_is_not_given_up_at_once() -> None:
    job_id = add(made_at=NOW - timedelta(days=30))

    jobs.retry(claim(), NOW, "the database is away")

    assert read(job_id).status is JobStatus.OPEN


def test_a_job_that_only_waits_is_never_given_up() -> None:
    job_id = add(made_at=NOW - timedelta(days=30))

    jobs.retry(claim(), NOW, "not due yet", SECOND)

    assert read(job_id).status is JobStatus.OPEN


def test_a_job_nobody_has_begun_can_be_hurried() -> None:
    job_id = add(due_at=NOW + timedelta(hours=1))

    jobs.hurry(job_id, NOW)

    assert claim().id == job_id


def test_a_job_that_was_begun_or_ended_is_not_hurried() -> None:
    begun, done = add(), add(due_at=NOW + TICK)
    claim()
    jobs.finish(claim(NOW + TICK), NOW)

    jobs.hurry(begun, NOW)
    jobs.hurry(done, NOW)

    assert read(begun).due_at == NOW + jobs.LEASE
    assert jobs.claim(NOW + TICK) is None


def test_only_jobs_done_long_ago_are_swept_away() -> None:
    long_ago = NOW - timedelta(days=30)
    done, failed, running, waiting = (
        add(name, due_at=long_ago, made_at=long_ago) for name in ("done", "failed", "run", "wait")
    )
    jobs.finish(_claim_kind("done", long_ago), long_ago)
    jobs.retry(_claim_kind("failed", long_ago), NOW, "why")
    _claim_kind("run", long_ago)
    fresh = add("fresh")
    jobs.finish(_claim_kind("fresh", NOW), NOW)

    assert jobs.sweep(NOW) == 1

    db.session.rollback()
    assert db.session.get(Job, done) is None
    assert all(db.session.get(Job, kept) for kept in (failed, running, waiting, fresh))


def _claim_kind(kind: str, now: datetime) -> jobs.Claim:
    job = jobs.claim(now, kinds=(kind,))
    assert job is not None
    return job


def test_the_newest_sign_of_life_counts() -> None:
    assert jobs.last_beat() is None

    jobs.beat("one", NOW)
    jobs.beat("two", NOW + SECOND)
    jobs.beat("one", NOW - SECOND)

    assert jobs.last_beat() == NOW + SECOND


def test_a_worker_not_seen_for_a_day_is_forgotten() -> None:
    jobs.beat("gone", NOW)
    jobs.beat("here", NOW + timedelta(days=2))
    db.session.rollback()
    jobs.beat("here", NOW + timedelta(days=1))

    assert jobs.last_beat() == NOW + timedelta(days=1)

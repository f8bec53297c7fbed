"""The worker as a real process: it survives bad jobs, ends cleanly, loses nothing when killed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import Job, JobStatus, Payment
from app.services.running import jobs
from app.services.running.transaction import affected, transaction
from app.services.selling.ordering import OPEN_INVOICE
from tests.app_factory import make_settings, running_app
from tests.harness.database import fresh_sqlite
from tests.harness.service import Service
from tests.harness.waiting import PATIENCE, eventually
from tests.running.sales import add_ticket, order

XENDIT_THINKS = 25.0  # seconds: as long as a worker waits, or until a test lets it answer


@dataclass
class House:
    """A database, the stand-in, and no worker until a test starts one."""

    app: Flask
    service: Service

    def order_with_open_invoice_job(self) -> int:
        """Place an order as if long enough ago for a worker to open its invoice; its job's id."""
        with self.app.app_context():
            now = datetime.now(UTC)
            settings = make_settings(self.service.database_url)
            job = order(
                add_ticket("Reguler", now=now),
                2,
                now=now - timedelta(seconds=30),
                settings=settings,
            ).invoice_job_id
        assert job is not None
        return job

    def add_job(self, kind: str, payload: dict[str, Any]) -> int:
        now = datetime.now(UTC)
        with self.app.app_context(), transaction() as session:
            return jobs.enqueue(session, kind, payload, now=now, due_at=now)

    def job(self, job_id: int) -> Job:
        with self.app.app_context():
            found = db.session.get_one(Job, job_id)
            db.session.expunge(found)
            return found

    def invoice_id(self) -> str | None:
        with self.app.app_context():
            return db.session.scalar(sa.select(Payment.invoice_id))

    def wait_until_xendit_is_asked(self) -> None:
        eventually(lambda: self.service.standin.requests("POST", "/v2/invoices"))

    def lines(self, worker: str, message: str) -> list[dict[str, Any]]:
        printed = self.service.log(worker).splitlines()
        read = [json.loads(line) for line in printed if line.startswith("{")]
        return [line for line in read if line["message"] == message]


def build_house(url: str, folder: Path) -> Iterator[House]:
    service = Service(url, folder)
    with running_app(make_settings(url)) as app:
        service.start_neighbours()
        yield House(app, service)
        service.stop()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    yield from build_house(fresh_sqlite(tmp_path), tmp_path)


@pytest.fixture
def mariadb_house(mariadb_url: str, tmp_path: Path) -> Iterator[House]:
    yield from build_house(mariadb_url, tmp_path)


def test_a_job_that_cannot_be_done_is_logged_and_put_off_and_the_worker_lives(house: House) -> None:
    unknown = house.add_job("no_such_kind", {})
    broken = house.add_job(OPEN_INVOICE, {"order_id": 4711})
    worker = house.service.start_worker()

    tried = [unknown, broken]
    eventually(lambda: all(house.job(job_id).attempts >= 2 for job_id in tried))
    for job_id in tried:
        assert house.job(job_id).status is JobStatus.OPEN
        assert house.job(job_id).last_error
    good = house.order_with_open_invoice_job()
    eventually(lambda: house.job(good).status is JobStatus.DONE)

    assert worker.is_running
    failures = {line["job"]: line for line in house.lines("worker-1", "job failed")}
    assert failures.keys() == {unknown, broken}
    assert "no_such_kind" in failures[unknown]["exception"]
    assert all(line["level"] == "ERROR" and line["requestId"] for line in failures.values())


def test_a_worker_told_to_stop_finishes_its_job_first(house: House) -> None:
    house.service.standin.set_fault("create_slow", seconds=XENDIT_THINKS)
    job_id = house.order_with_open_invoice_job()
    worker = house.service.start_worker()
    house.wait_until_xendit_is_asked()
    assert house.job(job_id).status is JobStatus.OPEN

    worker.terminate()
    house.service.standin.clear_faults()

    assert worker.stop(grace=PATIENCE) == 0

    assert house.job(job_id).status is JobStatus.DONE
    assert house.invoice_id() is not None


def test_a_killed_worker_s_job_is_done_by_another_and_only_once(mariadb_house: House) -> None:
    house = mariadb_house
    house.service.standin.set_fault("create_slow", seconds=XENDIT_THINKS, times=1)
    job_id = house.order_with_open_invoice_job()
    house.service.start_worker("worker-1")
    house.wait_until_xendit_is_asked()

    house.service.kill("worker-1")
    assert (house.job(job_id).status, house.invoice_id()) == (JobStatus.OPEN, None)
    house.service.standin.clear_faults()
    _end_lease(house, job_id)
    house.service.start_worker("worker-2")

    eventually(lambda: house.job(job_id).status is JobStatus.DONE)
    [invoice] = house.service.standin.invoices()
    assert house.invoice_id() == invoice["id"]


def _end_lease(house: House, job_id: int) -> None:
    """Let the two minutes pass that a claim lasts."""
    with house.app.app_context(), transaction() as session:
        mine = sa.update(Job).where(Job.id == job_id)
        assert affected(session, mine.values(due_at=datetime.now(UTC))) == 1

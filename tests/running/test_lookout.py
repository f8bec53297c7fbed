"""Idle loops of a worker: one of them looks for work for all."""

from datetime import UTC, datetime

from flask import Flask

from app.extensions import db
from app.services.running import jobs
from app.services.running.transaction import transaction
from app.worker import Lookout
from tests.harness.statements import listening
from tests.harness.waiting import eventually


def test_of_many_idle_loops_one_asks_the_database(sqlite_app: Flask) -> None:
    lookout = Lookout()
    with sqlite_app.app_context(), listening(db.engine) as spoken:
        assert all(lookout.is_quiet() for _ in range(8))

    assert spoken.statements < 8


def test_work_that_comes_is_seen_soon_and_hidden_from_nobody(sqlite_app: Flask) -> None:
    lookout = Lookout()
    with sqlite_app.app_context():
        assert lookout.is_quiet()
        now = datetime.now(UTC)
        with transaction() as session:
            jobs.enqueue(session, "anything", {}, now=now, due_at=now)

        eventually(lambda: not lookout.is_quiet(), within=10)
        assert not any(lookout.is_quiet() for _ in range(3))

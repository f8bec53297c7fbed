"""Loops of a worker: an idle one looks for work for all, and most are there for what is watched."""

from datetime import UTC, datetime

import pytest
from flask import Flask

from app.extensions import db
from app.services.running import jobs
from app.services.running.transaction import transaction
from app.worker import Duty, Lookout, _claim, duty_of
from tests.harness.statements import listening
from tests.harness.waiting import eventually


def test_of_many_idle_loops_one_asks_the_database(
    sqlite_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.LOOK_SECONDS", 60.0)  # however slow the machine is
    lookout = Lookout()
    with sqlite_app.app_context(), listening(db.engine) as spoken:
        assert all(lookout.is_quiet() for _ in range(8))

    assert spoken.statements == 1


def test_work_that_comes_is_seen_soon_and_hidden_from_nobody(sqlite_app: Flask) -> None:
    lookout = Lookout()
    with sqlite_app.app_context():
        assert lookout.is_quiet()
        now = datetime.now(UTC)
        with transaction() as session:
            jobs.enqueue(session, "anything", {}, now=now, due_at=now)

        eventually(lambda: not lookout.is_quiet())
        assert not any(lookout.is_quiet() for _ in range(3))


def test_loops_for_what_is_watched_are_there_whatever_else_waits(
    sqlite_app: Flask,
) -> None:
    now = datetime.now(UTC)
    with sqlite_app.app_context():
        with transaction() as session:
            for kind in (*["deliver_etickets"] * 3, "confirm_payment", *["open_invoice"] * 2):
                jobs.enqueue(session, kind, {}, now=now, due_at=now)

        invoices = [_claim(Duty.INVOICES)]
        watched = [_claim(Duty.WATCHED) for _ in range(3)]
        invoices.append(_claim(Duty.INVOICES))
        others = [_claim(Duty.ANYTHING) for _ in range(3)]

    assert [job and job.kind for job in invoices] == ["open_invoice", None]
    assert [job and job.kind for job in watched] == ["open_invoice", "confirm_payment", None]
    assert [job and job.kind for job in others] == ["deliver_etickets"] * 3


def test_a_single_loop_does_everything(sqlite_app: Flask) -> None:
    now = datetime.now(UTC)
    kinds = ["deliver_etickets", "confirm_payment", "open_invoice"]
    with sqlite_app.app_context():
        with transaction() as session:
            for kind in kinds:
                jobs.enqueue(session, kind, {}, now=now, due_at=now)

        claimed = [_claim(duty_of(0)) for _ in kinds]

    assert {job.kind for job in claimed if job} == set(kinds)

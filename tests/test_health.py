"""Health and numbers: alive, able to serve, and figures for those who may see them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from app.models import TicketStock
from app.routes.health import HEARTBEAT_LIMIT
from app.services.running import jobs
from app.services.running.inspections import inspect_if_due
from app.services.running.transaction import transaction
from tests.app_factory import make_settings, running_app
from tests.harness.database import fresh_sqlite
from tests.running.sales import add_ticket, order

TOKEN = "metrics-token-of-the-test"
ELSEWHERE = "203.0.113.9"
JUST_IN_TIME = HEARTBEAT_LIMIT - timedelta(microseconds=1)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[FlaskClient]:
    """A client of a service whose METRICS_TOKEN is set."""
    settings = make_settings(fresh_sqlite(tmp_path), metrics_token=TOKEN)
    with running_app(settings) as app:
        yield app.test_client()


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return Prometheus' text as (name, label values by label) → value."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_service_without_worker_is_alive_but_not_ready(app: Flask) -> None:
    client = app.test_client()

    alive, ready = client.get("/healthz"), client.get("/readyz")

    assert (alive.status_code, alive.json and alive.json["status"]) == (200, "ok")
    assert ready.status_code == 503
    assert ready.json is not None
    assert (ready.json["database"], ready.json["worker"]) == ("ok", "not seen")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The time at which /readyz stands still, however long its answer takes."""
    moment = datetime.now(UTC)
    monkeypatch.setattr("app.routes.health.utcnow", lambda: moment)
    return moment


@pytest.mark.parametrize(("age", "status"), [(JUST_IN_TIME, 200), (HEARTBEAT_LIMIT, 503)])
def test_ready_means_that_a_worker_was_seen_lately(
    app: Flask, now: datetime, age: timedelta, status: int
) -> None:
    with app.app_context():
        jobs.beat("worker", now - age)

    assert app.test_client().get("/readyz").status_code == status


def test_ready_tells_what_was_last_said_of_the_invariants(app: Flask, now: datetime) -> None:
    client = app.test_client()
    never = client.get("/readyz").get_json()
    with app.app_context():
        jobs.beat("worker", now)
        add_ticket("Reguler", now=now)
        with transaction() as session:
            session.execute(sa.update(TicketStock).values(held=1))
        inspect_if_due(now)
    answer = client.get("/readyz")

    assert (never["invariants"], never["inspectedSecondsAgo"]) == ("not checked", None)
    assert answer.get_json()["invariants"] == "broken"
    assert answer.get_json()["inspectedSecondsAgo"] == 0
    assert answer.status_code == 200  # a service that is taken away cannot be looked into


def test_the_machine_itself_may_read_the_numbers(app: Flask) -> None:
    now = datetime.now(UTC)
    with app.app_context():
        ticket_id = add_ticket('VIP "früh" \\ 🎉', now=now, amount=7)
        order(ticket_id, 2, now=now, settings=make_settings("sqlite://"))
        with transaction() as session:
            jobs.enqueue(session, "late", {}, now=now, due_at=now - timedelta(minutes=5))
        inspect_if_due(now - timedelta(seconds=40))

    answer = app.test_client().get("/metrics")

    assert answer.status_code == 200
    numbers = samples(answer.text)
    ticket_type = 'VIP "früh" \\ 🎉'
    assert numbers["tickets_orders", ("PENDING",)] == 1
    assert numbers["tickets_payments", ("PENDING",)] == 1
    assert numbers["tickets_jobs", ("open",)] == 3
    stock = {state: numbers["tickets_stock", (state, ticket_type)] for state in ("amount", "held")}
    assert stock == {"amount": 7, "held": 2}
    assert numbers["tickets_stock", ("sold", ticket_type)] == 0
    assert 300 <= numbers["tickets_job_lateness_seconds", ()] < 400
    assert numbers["tickets_mails_refused", ()] == 0
    assert numbers["tickets_invariants_broken", ()] == 0
    assert 40 <= numbers["tickets_inspection_age_seconds", ()] < 140
    assert numbers["tickets_inspection_seconds", ()] >= 0


def test_an_empty_service_has_numbers_too(app: Flask) -> None:
    numbers = samples(app.test_client().get("/metrics").text)

    assert numbers["tickets_job_lateness_seconds", ()] == 0
    assert ("tickets_invariants_broken", ()) not in numbers  # nobody has looked yet


@pytest.mark.parametrize(
    ("address", "forwarded"),
    [(ELSEWHERE, None), ("127.0.0.1", ELSEWHERE), ("127.0.0.1", "127.0.0.1"), ("", None)],
)
@pytest.mark.parametrize("proxies", [0, 1])
def test_strangers_and_those_behind_a_proxy_do_not_see_the_numbers(
    tmp_path: Path, address: str, forwarded: str | None, proxies: int
) -> None:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    settings = make_settings(fresh_sqlite(tmp_path), trusted_proxies=proxies)
    with running_app(settings) as app:
        answer = app.test_client().get(
            "/metrics", headers=headers, environ_base={"REMOTE_ADDR": address}
        )

    assert answer.status_code == 404
    assert "tickets_orders" not in answer.text


@pytest.mark.parametrize(
    "shown",
    [None, "", "Bearer", "Bearer ", f"bearer{TOKEN}", f"Bearer {TOKEN}x", TOKEN, "Bearer grüße"],
)
def test_with_a_token_even_the_machine_itself_has_to_show_it(
    guarded: FlaskClient, shown: str | None
) -> None:
    headers = {} if shown is None else {"Authorization": shown}

    assert guarded.get("/metrics", headers=headers).status_code == 404


def test_whoever_shows_the_token_sees_the_numbers_from_anywhere(guarded: FlaskClient) -> None:
    answer = guarded.get(
        "/metrics",
        headers={"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": ELSEWHERE},
        environ_base={"REMOTE_ADDR": ELSEWHERE},
    )

    assert answer.status_code == 200
    assert samples(answer.text)

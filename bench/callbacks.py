"""Callback intake, alone and while orders run at full rate: `python -m bench.callbacks [ROUNDS]`.

Every delivery is of another payment and is kept, with the job that reads its invoice; no worker
runs. Orders come from a process of their own, over 32 connections that never rest. The paced
deliveries are measured from the moment at which they were due: one that had to wait for the one
before it counts with the whole wait.
"""

import http.client
import itertools
import json
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from urllib.parse import urlsplit

import sqlalchemy as sa

from app.extensions import db
from app.models import Payment
from bench.figures import Sheet, at_most
from bench.load import Load, request, run_load
from bench.stage import add_key, note_load, put_on_sale, run_alone, running_service
from tests.app_factory import make_settings, running_app
from tests.harness.database import MariaDB
from tests.harness.service import XENDIT_CALLBACK_TOKEN, Service
from tests.running.sales import order

CALLBACK = "/api/payment-callback"
ORDERS = "/api/orders"
SECONDS = 10.0
A_SECOND = 100
SENDERS = 32
LEVELS = (1, 8, 32)
AT_ONCE = 32
DELIVERIES = 1000
PAYMENTS = 100
PLENTY = 1_000_000
GOAL_MS = 50.0

_numbers = itertools.count()


def main() -> None:
    """Measure and print a table."""
    run_alone(measure)


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Run the rounds on a database of their own."""
    sheet = Sheet("callbacks")
    url = server.fresh_database()
    with running_service(url, workers=0) as service:
        ticket, key, references = _prepare(url)
        for _ in range(rounds):
            for level in LEVELS:
                load = flood(service, references, level)
                note_load(sheet, f"alone, concurrency {level}", load)
            orders, callbacks = pace_beside_orders(service, references, ticket, key)
            note_load(sheet, f"orders, concurrency {AT_ONCE}, beside callbacks", orders)
            note_load(
                sheet,
                f"{A_SECOND} a second beside orders",
                callbacks,
                p99_targets=[at_most(GOAL_MS)],
            )
    return sheet


def _prepare(url: str) -> tuple[int, str, list[str]]:
    """Return a ticket nobody can sell out, an API key, and the references of open payments."""
    ticket, now = put_on_sale(url, "Reguler", PLENTY), datetime.now(UTC)
    settings = make_settings(url)
    with running_app(settings) as app, app.app_context():
        for _ in range(PAYMENTS):
            order(ticket, 1, now=now, settings=settings)
        references = list(db.session.scalars(sa.select(Payment.external_id)))
    return ticket, add_key(url, "orders:write"), references


def delivery(references: list[str]) -> bytes:
    """Return the body of a delivery that was never sent before."""
    number = next(_numbers)
    reference = references[number % len(references)]
    event = {"id": f"invoice-{number}", "external_id": reference, "status": "PAID"}
    return json.dumps(event | {"payment_id": f"payment-{number}"}).encode()


def flood(service: Service, references: list[str], level: int) -> Load:
    """Send deliveries as fast as they are taken."""
    headers = {"x-callback-token": XENDIT_CALLBACK_TOKEN}

    def make(_number: int) -> bytes:
        return request("POST", service.url + CALLBACK, delivery(references), headers)

    return _all_with(200, run_load(service.url, make, connections=level, requests=DELIVERIES))


def pace_beside_orders(
    service: Service, references: list[str], ticket: int, key: str, seconds: float = SECONDS
) -> tuple[Load, Load]:
    """Place orders without rest, send deliveries at an even pace; return what each measured."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        ordering = process.submit(place_orders, service.url, ticket, key, seconds + 2)
        time.sleep(2)  # the other process has started, and the service is warm
        callbacks = pace(service.url, references, seconds)
        return _all_with(201, ordering.result(), 202), callbacks


def place_orders(url: str, ticket: int, key: str, seconds: float) -> Load:
    """Place orders without rest."""
    headers = {"Authorization": f"Bearer {key}"}

    def make(number: int) -> bytes:
        buyer = {"full_name": "Sari Dewi", "email": f"sari.{number}@example.com"}
        body = {
            "user": {**buyer, "no_hp": "+6281234567890"},
            "items": [{"ticketId": ticket, "quantity": 1}],
        }
        return request("POST", url + ORDERS, json.dumps(body).encode(), headers)

    return run_load(url, make, connections=AT_ONCE, requests=PLENTY, seconds=seconds)


def pace(url: str, references: list[str], seconds: float) -> Load:
    """Send a delivery every hundredth of a second, over connections that take turns."""
    begun = time.perf_counter() + 0.1
    due = [begun + number / A_SECOND for number in range(int(seconds * A_SECOND))]
    with ThreadPoolExecutor(SENDERS) as pool:
        shares = pool.map(
            lambda first: _send_at(url, references, due[first::SENDERS]), range(SENDERS)
        )
        answers = [answer for share in shares for answer in share]
    return _all_with(200, Load(seconds, answers))


def _send_at(url: str, references: list[str], moments: list[float]) -> list[tuple[int, float]]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    headers = {"x-callback-token": XENDIT_CALLBACK_TOKEN, "Content-Type": "application/json"}
    answers = []
    for moment in moments:
        time.sleep(max(0.0, moment - time.perf_counter()))
        connection.request("POST", CALLBACK, delivery(references), headers)
        answer = connection.getresponse()
        answer.read()
        answers.append((answer.status, time.perf_counter() - moment))
    connection.close()
    return answers


def _all_with(status: int, load: Load, *others: int) -> Load:
    if set(load.statuses) - {status, *others}:
        raise SystemExit(f"not all were taken: {load.statuses}")
    return load


if __name__ == "__main__":
    main()

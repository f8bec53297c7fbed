"""Background work: jobs with nothing to do, and confirmed payments: `python -m bench.jobs`.

Rates are read from when the jobs themselves say they were finished.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from app.clock import utcnow
from app.extensions import db
from app.services.money.payments import CONFIRM, confirm_payment
from bench.figures import Sheet
from bench.load import run_load
from bench.order_load import leave_line, order_request
from bench.recording import queries, recorded
from bench.stage import (
    NO_LIMIT,
    add_key,
    ask,
    connect,
    cpu_seconds,
    put_on_sale,
    quiet_settings,
    run_alone,
    running_service,
)
from tests.app_factory import running_app
from tests.harness.database import MariaDB
from tests.harness.service import XENDIT_SECRET_KEY, Service
from tests.harness.waiting import eventually

WORKERS = (1, 2, 4)
EMPTY_JOBS = 1500
PAYMENTS = 150
DONE_WITHIN = 120.0
NOBODY = 999_999_999  # a payment that does not exist: its reading ends at once
PAID = "confirm_payment, 1 worker"


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Return jobs a second with nothing to do, and payments a second with Xendit at 0 ms."""
    sheet, url = Sheet("jobs"), server.fresh_database()
    with running_service(url, workers=0, calls_a_minute=NO_LIMIT) as service:
        key = add_key(url, "orders:write")
        for number in range(rounds):
            for workers in WORKERS:
                name = f"empty jobs, {workers} worker{'s' if workers > 1 else ''}"
                _note_jobs(sheet, name, server, service, workers, [NOBODY] * EMPTY_JOBS)
            ticket_id = put_on_sale(url, f"Round {number}", PAYMENTS + 1)
            first, *payments = pay_orders(service, key, ticket_id, PAYMENTS + 1)
            sheet.note(PAID, "statements each", _statements_of_one(service, first))
            _note_jobs(sheet, PAID, server, service, 1, payments)
            _check_paid(url, payments)
    return sheet


def pay_orders(service: Service, key: str, ticket_id: int, count: int) -> list[int]:
    """Order so often and pay each at Xendit, nobody being told; return the payments' ids."""
    invoices: list[str] = []

    def keep(_number: int, status: int, body: bytes) -> None:
        if status in (201, 202):
            invoices.append(json.loads(body)["payment"]["invoiceId"])

    data = order_request(service, key, ticket_id)
    run_load(service.url, lambda _: data, connections=1, requests=count, keep=keep)
    if None in invoices or len(invoices) != count:
        raise SystemExit("not every order had its invoice at once")
    for invoice_id in invoices:
        service.standin.pay(invoice_id, callback=False)
    leave_line(service.database_url)
    places = ", ".join(["%s"] * count)
    found = f"SELECT id FROM payments WHERE invoice_id IN ({places})"
    return [int(str(row[0])) for row in ask(service.database_url, found, *invoices)]


def _note_jobs(
    sheet: Sheet,
    name: str,
    server: MariaDB,
    service: Service,
    workers: int,
    payments: Sequence[int],
) -> None:
    """Note how fast so many workers do a job for each payment, and what one costs."""
    url, first = service.database_url, _newest_job(service.database_url)
    with ExitStack() as stack:
        groups = [_start_worker(stack, service, number) for number in range(workers)]
        before = [cpu_seconds(group) for group in (server.process.pid, *groups)]
        _enqueue(url, payments)
        undone = "SELECT COUNT(*) FROM jobs WHERE id > %s AND kind = %s AND status = 'open'"
        eventually(_nothing(url, undone, first), within=DONE_WITHIN, every=0.1)
        spent = [
            cpu_seconds(group) - used
            for group, used in zip((server.process.pid, *groups), before, strict=True)
        ]
    finished = "SELECT MIN(finished_at), MAX(finished_at) FROM jobs WHERE id > %s AND kind = %s"
    [(begin, end)] = ask(url, finished, first, CONFIRM)
    assert isinstance(begin, datetime)
    assert isinstance(end, datetime)
    count = len(payments)
    sheet.note(name, "a second", (count - 1) / (end - begin).total_seconds())
    sheet.note(name, "worker CPU ms each", sum(spent[1:]) / count * 1000)
    sheet.note(name, "database CPU ms each", spent[0] / count * 1000)


def _start_worker(stack: ExitStack, service: Service, number: int) -> int:
    """Start a worker and wait until it is at work; return its process group."""
    url, name = service.database_url, f"worker-{number}"
    ask(url, "DELETE FROM worker_heartbeats")
    process = service.start_worker(name)
    stack.callback(lambda: service.processes.pop(name).stop())
    eventually(lambda: ask(url, "SELECT worker FROM worker_heartbeats"), within=30)
    return process.pid


def _nothing(url: str, question: str, first: int) -> Callable[[], bool]:
    return lambda: ask(url, question, first, CONFIRM) == [(0,)]


def _newest_job(url: str) -> int:
    [(newest,)] = ask(url, "SELECT COALESCE(MAX(id), 0) FROM jobs")
    return int(str(newest))


def _enqueue(url: str, payments: Sequence[int]) -> None:
    """Write a job for each payment, all in one commit: no worker begins before the last."""
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [(CONFIRM, json.dumps({"payment_id": payment_id}), now, now) for payment_id in payments]
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO jobs (kind, payload, status, due_at, attempts, request_id, created_at) "
            "VALUES (%s, %s, 'open', %s, 0, 'bench', %s)",
            rows,
        )
        connection.commit()


def _statements_of_one(service: Service, payment_id: int) -> int:
    """Confirm one payment in this process and return how many statements that took."""
    settings = quiet_settings(
        service.database_url,
        xendit_api_url=service.standin.base_url,
        xendit_secret_key=XENDIT_SECRET_KEY,
    )
    with running_app(settings) as app, app.app_context(), recorded(db.engine) as sent:
        gateway = app.extensions["gateways"].xendit
        confirm_payment(payment_id, now=utcnow(), gateway=gateway)
    return queries(sent)


def _check_paid(url: str, payments: Sequence[int]) -> None:
    places = ", ".join(["%s"] * len(payments))
    unpaid = ask(
        url,
        "SELECT o.code FROM payments p JOIN orders o ON o.id = p.order_id "
        f"WHERE p.id IN ({places}) AND (o.status <> 'PAID' OR p.status <> 'PAID')",
        *payments,
    )
    if unpaid:
        raise SystemExit(f"paid at Xendit, but not here: {unpaid}")


if __name__ == "__main__":
    run_alone(measure)

"""What it takes to mail e-tickets after a rush: `python -m bench.mailing [ROUNDS]`.

Two workers, MariaDB and a mail catcher share the machine. Orders are of two seats. The
seconds are those from the first job's end to the last one's.
"""

from datetime import datetime

from app.services.selling.eticketing import DELIVER
from bench.figures import Sheet, at_most
from bench.seeding import seed_orders
from bench.stage import (
    ask,
    connect,
    cpu_seconds,
    run_alone,
    temporary_folder,
)
from tests.harness.database import MariaDB
from tests.harness.service import Service
from tests.harness.waiting import eventually

ORDERS = 500
SEEDED = 720  # of which seven in ten are paid
WORKERS = 2
DONE_WITHIN = 180.0
SECONDS = 30.0  # for all orders
NAME = f"{ORDERS} paid orders of 2 seats mailed, {WORKERS} workers"
# As long as signed codes are, and in their alphabet.
REAL_CODES = "UPDATE e_tickets SET qr_text = LEFT(UPPER(SHA2(seat_id, 512)), 122)"
JOBS = f"""INSERT INTO jobs (kind, payload, status, due_at, attempts, request_id, created_at)
    SELECT '{DELIVER}', JSON_OBJECT('order_id', id), 'open', UTC_TIMESTAMP(6), 0, 'bench',
        UTC_TIMESTAMP(6) FROM orders WHERE status = 'PAID' ORDER BY id LIMIT {ORDERS}"""
LEFT = f"SELECT COUNT(*) FROM jobs WHERE kind = '{DELIVER}' AND status = 'open'"
FINISHED = f"SELECT MIN(finished_at), MAX(finished_at) FROM jobs WHERE kind = '{DELIVER}'"
PROCESSES = ("worker-1", "worker-2", "mailbox")


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Return how long it takes to mail the orders, and what one costs each kind of process."""
    sheet = Sheet("mailing")
    for _ in range(rounds):
        url = server.fresh_database()
        seed_orders(url, SEEDED)
        with temporary_folder() as folder:
            service = Service(url, folder)
            try:
                _note_mailing(sheet, server, service)
            finally:
                service.stop()
    return sheet


def _note_mailing(sheet: Sheet, server: MariaDB, service: Service) -> None:
    url = service.database_url
    service.start_neighbours()
    for number in range(1, WORKERS + 1):
        service.start_worker(f"worker-{number}")
    here = f"SELECT COUNT(*) = {WORKERS} FROM worker_heartbeats"
    eventually(lambda: ask(url, here) == [(1,)], within=60)
    groups = {name: service.processes[name].pid for name in PROCESSES}
    groups["database"] = server.process.pid
    before = {name: cpu_seconds(group) for name, group in groups.items()}
    _enqueue(url)
    eventually(lambda: ask(url, LEFT) == [(0,)], within=DONE_WITHIN, every=0.2)
    spent = {name: cpu_seconds(group) - before[name] for name, group in groups.items()}
    [(begin, end)] = ask(url, FINISHED)
    assert isinstance(begin, datetime)
    assert isinstance(end, datetime)
    assert ask(url, "SELECT COUNT(*) FROM mails WHERE refused_because IS NULL") == [(ORDERS,)]
    sheet.note(NAME, "seconds", (end - begin).total_seconds(), targets=[at_most(SECONDS)])
    workers = spent["worker-1"] + spent["worker-2"]
    for unit, seconds in (
        ("worker CPU ms each", workers),
        ("database CPU ms each", spent["database"]),
        ("mail catcher CPU ms each", spent["mailbox"]),
    ):
        sheet.note(NAME, unit, seconds / ORDERS * 1000)


def _enqueue(url: str) -> None:
    """Write the jobs in one commit: no worker begins before the last."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM mails")
        cursor.execute(REAL_CODES)
        cursor.execute("DELETE FROM jobs")
        cursor.execute(JOBS)
        connection.commit()


if __name__ == "__main__":
    run_alone(measure)

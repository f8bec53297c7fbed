"""Check-ins a second, through gunicorn on MariaDB: `python -m bench.check_ins [ROUNDS]`.

Every request scans another seat's signed code, which is admitted: the dearest path there is.
Beside it stands the same transaction in bare SQL, without HTTP, framework or signature.
"""

import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pymysql
import sqlalchemy as sa

from app.extensions import db
from app.models import CheckIn, ETicket
from bench.load import Load, MakeRequest, middle, request, run_load
from tests.app_factory import make_settings, running_app
from tests.harness.database import MariaDB
from tests.harness.service import Service
from tests.running.sales import add_ticket, order

ROUNDS = 3
LEVELS = (1, 8, 32)
SEATS = 800
ORDER_SIZE = 10
CHECK_IN = "/api/check-ins"

READ = "SELECT id, admitted_at, revoked_at FROM e_tickets WHERE qr_text = %s"
ENTER = (
    "UPDATE e_tickets SET admitted_at = %s, admitted_gate = 'A', is_inside = 1 "
    "WHERE id = %s AND revoked_at IS NULL AND admitted_at IS NULL"
)
KEEP = (
    "INSERT INTO check_ins (scan_id, e_ticket_id, code, direction, result, is_offline, gate, "
    "scanned_at, happened_at, created_at) "
    "VALUES (%s, %s, %s, 'in', 'admitted', 0, 'A', %s, %s, %s)"
)


def main() -> None:
    """Measure and print a table."""
    print_check_ins(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)


def print_check_ins(rounds: int) -> None:
    """Run the rounds, all levels in each, and print the medians."""
    loads: dict[int, list[Load]] = defaultdict(list)
    bare: dict[int, list[float]] = defaultdict(list)
    server = MariaDB()
    try:
        with selling_service(server) as (service, codes):
            key = service.api_key("door")
            for _ in range(rounds):
                for level in LEVELS:
                    forget(service.database_url)
                    loads[level].append(measure(service, key, codes, level))
                    forget(service.database_url)
                    bare[level].append(measure_bare(service.database_url, codes, level))
    finally:
        server.stop()
    print(f"\n{'check-ins, median of ' + str(rounds):<24}{'a second':>24}{'p50 ms':>20}", end="")
    print(f"{'p99 ms':>22}{'bare SQL a second':>26}")
    for level in LEVELS:
        row = [middle([load.rate for load in loads[level]])]
        row += [middle([load.percentile(share) for load in loads[level]]) for share in (0.5, 0.99)]
        print(f"concurrency {level:<12}{row[0]:>24}{row[1]:>20}{row[2]:>22}", end="")
        print(f"{statistics.median(bare[level]):>26,.0f}")


@contextmanager
def selling_service(server: MariaDB) -> Iterator[tuple[Service, list[str]]]:
    """Start the service and sell the seats; gives their codes."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    service = Service(server.fresh_database(), folder)
    try:
        service.flask("db", "upgrade")
        codes = sell(service.database_url)
        service.start_neighbours()
        service.start_web()
        yield service, codes
    finally:
        service.stop()
        shutil.rmtree(folder, ignore_errors=True)


def sell(url: str) -> list[str]:
    """Sell the seats, signed as the service signs, and return their codes."""
    settings, now = make_settings(url), datetime.now(UTC)
    with running_app(settings) as app, app.app_context():
        ticket = add_ticket("Reguler", now=now, amount=SEATS, price=0)
        for _ in range(SEATS // ORDER_SIZE):
            order(ticket, ORDER_SIZE, now=now, settings=settings)
        return list(db.session.scalars(sa.select(ETicket.qr_text).order_by(ETicket.id)))


def forget(url: str) -> None:
    """Let nobody have entered."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.delete(CheckIn))
        unused = {"admitted_at": None, "admitted_gate": None, "is_inside": False}
        connection.execute(sa.update(ETicket).values(**unused))
    engine.dispose()


def measure(service: Service, key: str, codes: list[str], level: int) -> Load:
    """Admit every seat once over so many connections."""
    load = run_load(service.url, scans_of(service, key, codes), connections=level, requests=SEATS)
    if set(load.statuses) != {200}:
        raise SystemExit(f"not all check-ins were answered: {load.statuses}")
    return load


def scans_of(service: Service, key: str, codes: list[str]) -> MakeRequest:
    """Return what makes the request of each seat."""
    headers = {"Authorization": f"Bearer {key}"}

    def make(number: int) -> bytes:
        now = datetime.now(UTC).isoformat()
        scan = {"code": codes[number], "scanId": str(uuid.uuid4()), "scannedAt": now, "gate": "A"}
        return request("POST", service.url + CHECK_IN, json.dumps(scan).encode(), headers)

    return make


def measure_bare(url: str, codes: list[str], level: int) -> float:
    """Return check-ins a second of the bare transaction over so many connections."""
    shares = [codes[start::level] for start in range(level)]
    threads = [threading.Thread(target=admit_bare, args=(url, share)) for share in shares]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(codes) / (time.perf_counter() - begun)


def admit_bare(url: str, codes: list[str]) -> None:
    """Admit these seats, one transaction each."""
    parts = sa.make_url(url)
    connection = pymysql.connect(
        host=parts.host,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        database=parts.database,
        init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    )
    with connection, connection.cursor() as cursor:
        for code in codes:
            now = datetime.now(UTC).replace(tzinfo=None)
            cursor.execute(READ, (code,))
            [(seat, *_)] = cursor.fetchall()
            if cursor.execute(ENTER, (now, seat)) != 1:
                raise SystemExit("a seat was entered twice")
            cursor.execute(KEEP, (str(uuid.uuid4()), seat, code, now, now, now))
            connection.commit()


if __name__ == "__main__":
    main()

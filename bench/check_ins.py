"""Check-ins a second, beside their bare SQL: `python -m bench.check_ins [ROUNDS]`.

Every request scans another seat's signed code, which is admitted: the dearest path there is. The
limit is the same transaction in bare SQL, without HTTP, framework or signature.
"""

import json
import threading
import time
import uuid
from datetime import UTC, datetime

import sqlalchemy as sa

from app.extensions import db
from app.models import ETicket
from bench.figures import Sheet
from bench.load import Load, MakeRequest, request, run_load
from bench.stage import (
    add_key,
    connect,
    note_load,
    quiet_settings,
    run_alone,
    running_service,
)
from tests.app_factory import running_app
from tests.harness.database import MariaDB
from tests.harness.service import Service
from tests.running.sales import add_ticket, order

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


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Return rates at each level, ours and the bare ones in turn."""
    sheet, url = Sheet("check-ins"), server.fresh_database()
    with running_service(url, workers=0) as service:
        codes, key = sell(url), add_key(url, "door")
        _admit(service, key, codes, max(LEVELS))  # warm
        for _ in range(rounds):
            for level in LEVELS:
                forget(url)
                load = _admit(service, key, codes, level)
                forget(url)
                limit = f"bare SQL, {level} connections"
                note_load(sheet, f"check-ins, concurrency {level}", load, limit=limit)
                sheet.note(limit, "a second", _admit_bare(url, codes, level))
    return sheet


def sell(url: str) -> list[str]:
    """Sell the seats, signed as the service signs, and return their codes."""
    settings, now = quiet_settings(url), datetime.now(UTC)
    with running_app(settings) as app, app.app_context():
        ticket = add_ticket("Reguler", now=now, amount=SEATS, price=0)
        for _ in range(SEATS // ORDER_SIZE):
            order(ticket, ORDER_SIZE, now=now, settings=settings)
        return list(db.session.scalars(sa.select(ETicket.qr_text).order_by(ETicket.id)))


def forget(url: str) -> None:
    """Let nobody have entered."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM check_ins")
        cursor.execute(
            "UPDATE e_tickets SET admitted_at = NULL, admitted_gate = NULL, is_inside = 0"
        )
        connection.commit()


def _admit(service: Service, key: str, codes: list[str], level: int) -> Load:
    """Admit every seat once over so many connections."""
    make = _scans_of(service, key, codes)
    load = run_load(service.url, make, connections=level, requests=len(codes))
    if set(load.statuses) != {200}:
        raise SystemExit(f"not all check-ins were answered: {load.statuses}")
    return load


def _scans_of(service: Service, key: str, codes: list[str]) -> MakeRequest:
    """Return what makes the request of each seat."""
    headers = {"Authorization": f"Bearer {key}"}

    def make(number: int) -> bytes:
        now = datetime.now(UTC).isoformat()
        scan = {"code": codes[number], "scanId": str(uuid.uuid4()), "scannedAt": now, "gate": "A"}
        return request("POST", service.url + CHECK_IN, json.dumps(scan).encode(), headers)

    return make


def _admit_bare(url: str, codes: list[str], level: int) -> float:
    """Return check-ins a second of the bare transaction over so many connections."""
    shares = [codes[start::level] for start in range(level)]
    threads = [threading.Thread(target=_admit_share, args=(url, share)) for share in shares]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(codes) / (time.perf_counter() - begun)


def _admit_share(url: str, codes: list[str]) -> None:
    """Admit these seats, one transaction each."""
    with connect(url) as connection, connection.cursor() as cursor:
        for code in codes:
            now = datetime.now(UTC).replace(tzinfo=None)
            cursor.execute(READ, (code,))
            [(seat, *_)] = cursor.fetchall()
            if cursor.execute(ENTER, (now, seat)) != 1:
                raise SystemExit("a seat was entered twice")
            cursor.execute(KEEP, (str(uuid.uuid4()), seat, code, now, now, now))
            connection.commit()


if __name__ == "__main__":
    run_alone(measure)

"""What a benchmark runs on: MariaDB, the service as real processes, and something to sell."""

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymysql
import requests
import sqlalchemy as sa
from pymysql.constants import CLIENT

from app.config import Settings
from bench.figures import Sheet, Target
from bench.load import Load, run_load
from bench.table import grid, plain
from tests.app_factory import make_settings, running_app
from tests.harness.database import MariaDB
from tests.harness.processes import Process, answers, free_port
from tests.harness.service import BIN, Service, base_environment
from tests.running.sales import add_ticket

Measure = Callable[[MariaDB, int], Sheet]

LEVELS = (1, 8, 32, 128)
LIVE_LIMIT = 600  # calls a minute, Xendit's for live keys
NO_LIMIT = 1_000_000


def run_alone(measure: Measure) -> None:
    """Run one benchmark and print its table: what `python -m bench.NAME [ROUNDS]` does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    rounds = parser.parse_args().rounds
    server = MariaDB()
    try:
        sheet = measure(server, rounds)
    finally:
        server.stop()
    print(plain(grid(sheet.figures, sheet.bench)))


@contextmanager
def running_service(
    url: str,
    *,
    workers: int = 1,
    calls_a_minute: int = LIVE_LIMIT,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Service]:
    """Start the service on a database; at the end nothing of it is left."""
    with temporary_folder() as folder:
        options = ("--rate-limit", str(calls_a_minute))
        service = Service(url, folder, workers=workers, settings=settings, standin_options=options)
        try:
            with running_app(quiet_settings(url)):
                pass  # migrated
            service.start_neighbours()
            service.start_web()
            for number in range(1, workers + 1):
                service.start_worker(f"worker-{number}")
            if workers:
                service.wait_until_ready()
            yield service
        finally:
            service.stop()


@contextmanager
def bare_server(bodies: Mapping[str, bytes]) -> Iterator[tuple[str, int]]:
    """Serve fixed bytes under the service's own gunicorn settings; gives URL and process group."""
    with temporary_folder() as folder:
        for name, body in bodies.items():
            (folder / f"{name}.bare").write_bytes(body)
        port = free_port()
        env = base_environment() | {"BARE_FOLDER": str(folder), "PORT": str(port)}
        command = [str(BIN / "gunicorn"), "bench.bare:app"]
        process = Process("bare", command, env=env, log=folder / "bare.log")
        try:
            url = f"http://127.0.0.1:{port}"
            process.wait_until(lambda: answers(f"{url}/healthz"))
            yield url, process.pid
        finally:
            process.stop()


def quiet_settings(url: str, **changes: Any) -> Settings:
    """Return settings for work in this process, which prints nothing but figures."""
    return make_settings(url, log_level="ERROR", **changes)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a new folder, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_on_sale(url: str, name: str, amount: int, *, price: int = 150_000) -> int:
    """Put a ticket on sale now and return its id."""
    with running_app(quiet_settings(url)) as app, app.app_context():
        return add_ticket(name, now=datetime.now(UTC), amount=amount, price=price)


def add_key(url: str, scope: str) -> str:
    """Make an API key and return it."""
    with running_app(quiet_settings(url)) as app:
        command = ["api-keys", "add", "benchmark", "--scope", scope]
        done = app.test_cli_runner().invoke(args=command, catch_exceptions=False)
    return done.output.split()[-1]


def connect(url: str) -> pymysql.connections.Connection:
    """Open a connection set up as the service sets up its own."""
    parts = sa.make_url(url)
    return pymysql.connect(
        host=parts.host,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        database=parts.database,
        charset="utf8mb4",
        client_flag=CLIENT.FOUND_ROWS,
        init_command="SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    )


def ask(url: str, question: str, *values: object) -> list[tuple[object, ...]]:
    """Run one statement in a transaction of its own and return its rows."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(question, values or None)
        connection.commit()
        return list(cursor.fetchall())


def warm_up(url: str, data: bytes) -> None:
    """Ask often enough for every web process to have loaded what it loads at first."""
    run_load(url, lambda _: data, connections=8, requests=80)


def http_client() -> requests.Session:
    """Return an HTTP client that no proxy of this machine stands in the way of."""
    session = requests.Session()
    session.trust_env = False
    return session


def note_load(
    sheet: Sheet,
    name: str,
    load: Load,
    *,
    limit: str | None = None,
    targets: Sequence[Target] = (),
    p99_targets: Sequence[Target] = (),
) -> None:
    """Note a load's rate (beside its limit), its latencies, and what the client took of a core."""
    sheet.note(name, "a second", load.rate, limit=limit, targets=targets)
    sheet.note(name, "p50 ms", load.percentile(0.5))
    sheet.note(name, "p99 ms", load.percentile(0.99), targets=p99_targets)
    sheet.note(name, "client % of a core", load.client_share * 100)


def cpu_seconds(group: int) -> float:
    """Return the CPU time that the processes of a group have used so far."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended while we looked
        if int(fields[2]) == group:  # see proc(5): pgrp, utime, stime
            ticks += sum(int(field) for field in fields[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")

"""How cost grows with the orders in the database: `python -m bench.growth [ROUNDS]`.

CPU time of web and database, and the rows the database read, which nothing else on the machine
can disturb. Flat is the only good answer. What grows is explained by `python -m bench.explain`.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from app.clock import utcnow
from app.services.running import jobs
from app.services.running.invariants import find_violations
from bench.actions import Action, prepare_actions
from bench.figures import Sheet
from bench.load import run_load
from bench.order_load import leave_line
from bench.seeding import seed_orders
from bench.stage import (
    ask,
    cpu_seconds,
    quiet_settings,
    run_alone,
    running_service,
    warm_up,
)
from tests.app_factory import running_app
from tests.harness.database import MariaDB
from tests.harness.service import Service

SIZES = (10, 1_000, 100_000)
REQUESTS, RARE_REQUESTS = 200, 3
CONNECTIONS = 4
LINE_CLOSED_SECONDS = 120


@dataclass(frozen=True)
class Shop:
    """A service with so many old orders, and what can be asked of it."""

    orders: int
    service: Service
    actions: list[Action]


def measure(server: MariaDB, rounds: int, sizes: tuple[int, ...] = SIZES) -> Sheet:
    """Return what each action costs at each size, all sizes in turn in every round."""
    sheet = Sheet("growth")
    with ExitStack() as stack:
        shops = [_open(stack, server, orders) for orders in sizes]
        for _ in range(rounds):
            for number in range(len(shops[0].actions)):
                for shop in shops:
                    _measure_action(sheet, server, shop, shop.actions[number])
            for shop in shops:
                _measure_worker(sheet, server, shop)
    return sheet


def _open(stack: ExitStack, server: MariaDB, orders: int) -> Shop:
    url = server.fresh_database()
    service = stack.enter_context(
        running_service(url, workers=0, settings={"WEB_CONCURRENCY": "1"})
    )
    seed_orders(url, orders)
    shop = Shop(orders, service, prepare_actions(url))
    for action in shop.actions:
        if not action.is_rare:
            warm_up(service.url, action.to_bytes(service.url))
    return shop


def _measure_action(sheet: Sheet, server: MariaDB, shop: Shop, action: Action) -> None:
    service = shop.service
    leave_line(service.database_url)
    _close_line(service.database_url)
    requests = RARE_REQUESTS if action.is_rare else REQUESTS
    groups = server.process.pid, service.processes["web"].pid
    before, rows = [cpu_seconds(group) for group in groups], _rows_read(service.database_url)
    load = run_load(
        service.url,
        lambda _: action.to_bytes(service.url),
        connections=1 if action.is_rare else CONNECTIONS,
        requests=requests,
    )
    read = _rows_read(service.database_url) - rows
    database, web = (cpu_seconds(one) - was for one, was in zip(groups, before, strict=True))
    if load.statuses[action.status] < requests * 0.9:
        raise SystemExit(f"{action.name}: answered {load.statuses}")
    name = f"{action.name}, {shop.orders:,} orders"
    sheet.note(name, "rows read each", read / requests)
    sheet.note(name, "web CPU ms each", web / requests * 1000)
    sheet.note(name, "database CPU ms each", database / requests * 1000)


def _measure_worker(sheet: Sheet, server: MariaDB, shop: Shop) -> None:
    """Note what a worker does over and over: look for a job, and look after the house."""
    url = shop.service.database_url
    leave_line(url)
    with running_app(quiet_settings(url)) as app, app.app_context():
        tasks: dict[str, Callable[[], object]] = {
            "a look for jobs": lambda: jobs.claim(utcnow()),
            "check of invariants": find_violations,
        }
        for name, task in tasks.items():
            task()
            rows, cpu = _rows_read(url), cpu_seconds(server.process.pid)
            task()
            named = f"{name}, {shop.orders:,} orders"
            sheet.note(named, "rows read each", _rows_read(url) - rows)
            spent = cpu_seconds(server.process.pid) - cpu
            sheet.note(named, "database CPU ms each", spent * 1000)


def _close_line(url: str) -> None:
    """Let nobody call Xendit for a while: every order waits in line then, as in a rush."""
    until = int((time.time() + LINE_CLOSED_SECONDS) * 1_000_000)
    ask(url, "UPDATE call_paces SET next_us = %s", until)


def _rows_read(url: str) -> int:
    """Return how many rows the whole server has read so far, from any index or table."""
    return sum(int(str(count)) for _, count in ask(url, "SHOW GLOBAL STATUS LIKE 'Handler_read_%'"))


if __name__ == "__main__":
    run_alone(measure)

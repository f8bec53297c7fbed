"""How rates move with 1, 2 and 4 web processes: `python -m bench.scaling`."""

from bench.figures import Sheet
from bench.load import request, run_load
from bench.order_load import leave_line, order_request, run_orders
from bench.stage import (
    add_key,
    note_load,
    put_on_sale,
    run_alone,
    running_service,
    warm_up,
)
from tests.harness.database import MariaDB

PROCESSES = (1, 2, 4)
LEVEL = 32
PLENTY = 10_000_000
SECONDS = 4.0
ORDERS, PAGES = 1000, 4000


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Return rates of orders and of the catalogue page, for each number of web processes."""
    sheet = Sheet("web processes")
    for _ in range(rounds):
        for processes in PROCESSES:
            _measure_one(sheet, server, processes)
    return sheet


def _measure_one(sheet: Sheet, server: MariaDB, processes: int) -> None:
    url = server.fresh_database()
    with running_service(url, workers=0, settings={"WEB_CONCURRENCY": str(processes)}) as service:
        service.standin.set_fault("latency", milliseconds=200.0)
        key, ticket_id = add_key(url, "orders:write"), put_on_sale(url, "Hot", PLENTY)
        page = request("GET", f"{service.url}/")
        warm_up(service.url, page)
        warm_up(service.url, order_request(service, key, ticket_id))
        leave_line(url)
        found = run_orders(
            service,
            server.process.pid,
            key,
            ticket_id,
            connections=LEVEL,
            requests=ORDERS,
            seconds=SECONDS,
        )
        name = f"orders, {processes} web process{'es' if processes > 1 else ''}"
        note_load(sheet, name, found.load)
        found.note(sheet, name)
        load = run_load(
            service.url, lambda _: page, connections=LEVEL, requests=PAGES, seconds=SECONDS / 2
        )
        note_load(sheet, name.replace("orders", "catalogue page"), load)


if __name__ == "__main__":
    run_alone(measure)

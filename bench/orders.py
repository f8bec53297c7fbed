"""Orders on one hot ticket, beside the bare SQL and the bare route: `python -m bench.orders`.

Invoices are limited as Xendit limits live keys, so most orders are answered 202, as in a rush.
"""

from contextlib import ExitStack
from dataclasses import dataclass

from app.lanes import SHOP_AT_WORK
from bench.bare_sql import Recording, repeats_a_second
from bench.figures import Sheet, at_least, at_least_share, at_most
from bench.load import request, run_load
from bench.order_load import leave_line, order_request, run_orders
from bench.recorded_order import record_order
from bench.stage import (
    LEVELS,
    add_key,
    bare_server,
    note_load,
    put_on_sale,
    run_alone,
    running_service,
    warm_up,
)
from tests.harness.database import MariaDB
from tests.harness.service import Service

PLENTY = 10_000_000
LATENCIES = (0, 200, 500)  # ms of each answer of the stand-in
PROCESSES, CONNECTIONS = 2, SHOP_AT_WORK  # as the web processes have them
SECONDS = 4.0
REQUESTS = {1: 80, 8: 500, 32: 1000, 128: 1500}
SQL, TRANSACTION = "bare SQL, all statements", "bare SQL, only the transaction"


@dataclass(frozen=True)
class Shop:
    """A running service that sells one ticket; `name` says what runs with it."""

    name: str
    service: Service
    key: str
    ticket_id: int


def measure(server: MariaDB, rounds: int, levels: tuple[int, ...] = LEVELS) -> Sheet:
    """Return rates, latencies and cost of orders, each level beside its limits."""
    sheet = Sheet("orders")
    url = server.fresh_database()
    ticket_id, key = put_on_sale(url, "Bare", PLENTY), add_key(url, "orders:write")
    recording = record_order(url, ticket_id, key)
    with ExitStack() as stack:
        alone = _open(stack, server, "web alone", workers=0)
        whole = _open(stack, server, "with a worker", workers=1)
        bare, _ = stack.enter_context(bare_server({"order": _answer(alone)}))
        for shop in (alone, whole):
            warm_up(shop.service.url, order_request(shop.service, shop.key, shop.ticket_id))
            leave_line(shop.service.database_url)
        for _ in range(rounds):
            _measure_sql(sheet, url, recording)
            for level in levels:
                rate = _measure_route(sheet, bare, order_request_to(bare, alone), level)
                _measure_shop(sheet, server, alone, level, 200, rate)
                for latency in LATENCIES:
                    _measure_shop(sheet, server, whole, level, latency, rate)
        for shop in (alone, whole):
            shop.service.flask("check-invariants")
    return sheet


def _open(stack: ExitStack, server: MariaDB, name: str, *, workers: int) -> Shop:
    url = server.fresh_database()
    service = stack.enter_context(running_service(url, workers=workers))
    return Shop(name, service, add_key(url, "orders:write"), put_on_sale(url, "Hot", PLENTY))


def _answer(shop: Shop) -> bytes:
    """Return the body that a first order is answered with."""
    bodies: list[bytes] = []
    data = order_request(shop.service, shop.key, shop.ticket_id)
    run_load(
        shop.service.url,
        lambda _: data,
        connections=1,
        requests=1,
        keep=lambda _number, _status, body: bodies.append(body),
    )
    return bodies[0]


def order_request_to(url: str, shop: Shop) -> bytes:
    """Return the request of an order, sent to the bare route instead."""
    body = order_request(shop.service, shop.key, shop.ticket_id).partition(b"\r\n\r\n")[2]
    return request("POST", f"{url}/order", body, {"Authorization": f"Bearer {shop.key}"})


def _measure_sql(sheet: Sheet, url: str, recording: Recording) -> None:
    for name, part in ((SQL, recording), (TRANSACTION, recording.transaction)):
        for processes, connections in ((1, 1), (PROCESSES, CONNECTIONS)):
            rate = repeats_a_second(
                url, part, processes=processes, connections=connections, seconds=SECONDS / 2
            )
            sheet.note(f"{name}, {processes * connections} connections", "a second", rate)
            leave_line(url)


def _measure_route(sheet: Sheet, url: str, data: bytes, level: int) -> float:
    load = run_load(
        url, lambda _: data, connections=level, requests=REQUESTS[level] * 4, seconds=SECONDS / 4
    )
    note_load(sheet, f"bare route, concurrency {level}", load)
    return load.rate


def _measure_shop(
    sheet: Sheet, server: MariaDB, shop: Shop, level: int, latency: int, bare_rate: float
) -> None:
    shop.service.standin.set_fault("latency", milliseconds=float(latency))
    found = run_orders(
        shop.service,
        server.process.pid,
        shop.key,
        shop.ticket_id,
        connections=level,
        requests=REQUESTS[level],
        seconds=SECONDS,
    )
    leave_line(shop.service.database_url)
    name = f"{shop.name}, Xendit {latency} ms, concurrency {level}"
    is_asked = latency == 200 and level > 1
    note_load(
        sheet,
        name,
        found.load,
        limit=f"{SQL}, {1 if level == 1 else PROCESSES * CONNECTIONS} connections",
        targets=(at_least(300), at_least_share(0.5)) if is_asked else (),
        p99_targets=(at_most(1000),) if is_asked and level == max(LEVELS) else (),
    )
    found.note(sheet, name)
    sheet.note(name, "% of bare route", found.load.rate / bare_rate * 100)


if __name__ == "__main__":
    run_alone(measure)

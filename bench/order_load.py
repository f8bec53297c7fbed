"""A load of orders on one ticket, and the proof that none of them was lost or sold twice."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from bench.figures import Sheet
from bench.load import Load, request, run_load
from bench.recorded_order import wanted
from bench.stage import ask, cpu_seconds
from tests.harness.service import Service

ACCEPTED = (201, 202)
CHUNK = 500


@dataclass(frozen=True)
class OrderLoad:
    """What a load of orders came to: CPU seconds of all web processes and of the database too."""

    load: Load
    accepted: int
    web_seconds: float
    database_seconds: float

    def note(self, sheet: Sheet, name: str) -> None:
        """Note what it cost, and how orders were answered."""
        total = len(self.load.answers)
        sheet.note(name, "web CPU ms each", self.web_seconds / total * 1000)
        sheet.note(name, "database CPU ms each", self.database_seconds / total * 1000)
        for status in ACCEPTED:
            sheet.note(name, f"{status} %", self.load.statuses[status] / total * 100)
        sheet.note(name, "refused %", (total - self.accepted) / total * 100)


def order_request(service: Service, key: str, ticket_id: int) -> bytes:
    """Return the bytes of an order for one seat."""
    body = json.dumps(wanted(ticket_id)).encode()
    headers = {"Authorization": f"Bearer {key}"}
    return request("POST", f"{service.url}/api/orders", body, headers)


def run_orders(
    service: Service,
    database_group: int,
    key: str,
    ticket_id: int,
    *,
    connections: int,
    requests: int,
    seconds: float | None = None,
) -> OrderLoad:
    """Order one seat again and again, and check what became of it.

    SystemExit when an order that was answered is not there, or stock and orders disagree.
    """
    data = order_request(service, key, ticket_id)
    bodies: list[bytes] = []

    def keep(_number: int, status: int, body: bytes) -> None:
        if status in ACCEPTED:
            bodies.append(body)

    groups = service.processes["web"].pid, database_group
    before = [cpu_seconds(group) for group in groups]
    load = run_load(
        service.url,
        lambda _: data,
        connections=connections,
        requests=requests,
        seconds=seconds,
        keep=keep,
    )
    web, database = (cpu_seconds(group) - used for group, used in zip(groups, before, strict=True))
    check(service.database_url, [json.loads(body)["order"]["code"] for body in bodies])
    return OrderLoad(load, len(bodies), web, database)


def check(url: str, codes: list[str]) -> None:
    """See that these orders exist, each once, and that every ticket's stock is what they hold."""
    if len(set(codes)) != len(codes):
        raise SystemExit("one order was answered to two buyers")
    found = sum(_count(url, codes[at : at + CHUNK]) for at in range(0, len(codes), CHUNK))
    if found != len(codes):
        raise SystemExit(f"{len(codes)} orders were answered, {found} exist")
    wrong = ask(
        url,
        "SELECT s.ticket_id, s.amount, s.held, s.sold FROM ticket_stock s WHERE "
        "s.held + s.sold > s.amount OR s.held <> (SELECT COALESCE(SUM(i.quantity), 0) "
        "FROM order_items i JOIN orders o ON o.id = i.order_id "
        "WHERE i.ticket_id = s.ticket_id AND o.status = 'PENDING')",
    )
    if wrong:
        raise SystemExit(f"stock (ticket, amount, held, sold) is wrong: {wrong}")


def _count(url: str, codes: Iterable[str]) -> int:
    listed = list(codes)
    places = ", ".join(["%s"] * len(listed))
    [(found,)] = ask(url, f"SELECT COUNT(*) FROM orders WHERE code IN ({places})", *listed)
    return int(str(found))


def leave_line(url: str) -> None:
    """Take all orders out of the line for invoices, so that the next load begins without one."""
    ask(url, "UPDATE jobs SET status = 'done', finished_at = created_at WHERE status = 'open'")
    ask(
        url,
        "UPDATE payments SET invoice_id = CONCAT('left-', id) "
        "WHERE status = 'PENDING' AND invoice_id IS NULL",
    )

"""The drill itself: start everything, let the buyers in, wait until all is quiet, audit."""

import asyncio
import time
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.models import Order, OrderStatus, Ticket
from bench.rush.book import Book
from bench.rush.callers import Shop
from bench.rush.checks import audit
from bench.rush.ledger import Ledger, close_books, read_created
from bench.rush.partners import PartnerBuyer
from bench.rush.plan import PARTNERS, PARTNERS_SHARE, Plan
from bench.rush.samples import Sampler, Samples, Tell
from bench.rush.visitors import Visitor
from bench.rush.wire import Wire
from tests.app_factory import make_settings, running_app
from tests.harness.database import MariaDB
from tests.harness.service import EVENT_STARTS_AT, Service
from tests.harness.waiting import NeverHappened, eventually
from tests.torture.desk import Desk
from tests.torture.run import LEASE_AND_HOLD, TICKET, settle
from tests.torture.tally import Tally

MAILS_A_SEAT = 4  # of each order: e-tickets, reminder, and the letter that its time is over
WARM_UP = 10
LONGEST_DELAY = 300.0  # seconds
SHORTEST_TURN, TURNS_IN_A_HOLD = 60, 3  # as in a real sale: ten minutes, and half an hour
START_UP = timedelta(seconds=60)  # all processes, and the first visitors of a fair door
TICKET_TYPES = (("Reguler", 150_000), ("Pelajar", 75_000))


@dataclass(frozen=True)
class Outcome:
    """All that a drill leaves behind; `findings` are by check, and empty lists are good."""

    plan: Plan
    book: Book
    samples: Samples
    ledger: Ledger
    findings: dict[str, list[str]]

    @property
    def is_good(self) -> bool:
        return not any(self.findings.values())


def drill(plan: Plan, folder: Path, server: MariaDB, tell: Tell = lambda _: None) -> Outcome:
    """Run a drill on a new database of the server, and leave no process behind.

    `tell` is given a line now and then, of how it stands.
    """
    opens_at = datetime.now(UTC) + START_UP
    with _service(plan, folder, server, opens_at) as service, _desk(plan, service) as desk:
        service.standin.set_fault("latency", milliseconds=plan.latency_ms)
        shop = _shop(service, desk)
        _run(_warm_up(shop))
        deadlocks = _deadlocks(desk)
        if plan.has_fair_door:
            _wait_for_the_first(plan, opens_at)
        groups = {name: each.pid for name, each in service.processes.items()}
        groups["database"] = server.process.pid
        book = Book()
        with Sampler(service.database_url, groups, book, tell) as samples:
            _run(_let_in(plan, shop, book))
            created = read_created(desk, book)
            _wait_until_quiet(plan, service, desk, book)
        deadlocks = _deadlocks(desk) - deadlocks
        ledger = close_books(
            plan, book, samples, service, desk, created=created, deadlocks=deadlocks
        )
    return Outcome(plan, book, samples, ledger, audit(ledger))


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run in a thread of its own: beside a browser of the tests this one has a loop already."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@contextmanager
def _service(plan: Plan, folder: Path, server: MariaDB, opens_at: datetime) -> Iterator[Service]:
    settings = {
        "ORDER_HOLD_SECONDS": str(plan.hold),
        "RATE_LIMIT_ENABLED": "true",
        "TRUSTED_PROXIES": "1",
        "MAILBOX_KEEP": str(MAILS_A_SEAT * plan.seats),
    }
    if plan.has_fair_door:
        settings |= {
            "FAIR_DOOR": "true",
            "FAIR_DOOR_OPENS_AT": opens_at.isoformat(),
            "FAIR_DOOR_TURN_SECONDS": str(max(SHORTEST_TURN, plan.hold // TURNS_IN_A_HOLD)),
        }
    options = ("--rate-limit", str(plan.calls_per_minute))
    service = Service(
        server.fresh_database(), folder, settings=settings, standin_options=options, workers=2
    )
    try:
        service.start(catalogue=_catalogue(plan))
        yield service
    finally:
        service.stop()


def _catalogue(plan: Plan) -> str:
    until = EVENT_STARTS_AT.isoformat()
    rows = (
        TICKET.format(type=kind, price=price, amount=amount, until=until)
        for (kind, price), amount in zip(TICKET_TYPES, plan.amounts(), strict=True)
    )
    return "tickets:" + "".join(rows)


def _wait_for_the_first(plan: Plan, opens_at: datetime) -> None:
    """Wait until the first third of the buyers' time begins: they come before the lot is drawn."""
    first_comes = opens_at - timedelta(seconds=plan.seconds / 3)
    time.sleep(max(0.0, (first_comes - datetime.now(UTC)).total_seconds()))


@contextmanager
def _desk(plan: Plan, service: Service) -> Iterator[Desk]:
    settings = make_settings(
        service.database_url,
        xendit_api_url=service.standin.base_url,
        public_url=service.url,
        order_hold=timedelta(seconds=plan.hold),
        log_level="CRITICAL",
    )
    with running_app(settings) as app:
        yield Desk(app, settings, Tally())


def _shop(service: Service, desk: Desk) -> Shop:
    keys = tuple(service.api_key() for _ in range(PARTNERS))
    tickets = tuple(found for (found,) in desk.rows(sa.select(Ticket.id).order_by(Ticket.id)))
    return Shop(service.url, service.standin.base_url, tickets, keys)


def _deadlocks(desk: Desk) -> int:
    ((_, number),) = desk.rows(sa.text("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'"))
    return int(number)


async def _warm_up(shop: Shop) -> None:
    """Look at the pages that were looked at all morning: no process meets its first visitor."""
    wire = Wire()
    for path in ("/", "/checkout", "/api/tickets"):
        await asyncio.gather(*(wire.ask("GET", shop.url + path, {}) for _ in range(WARM_UP)))
    wire.close()


async def _let_in(plan: Plan, shop: Shop, book: Book) -> None:
    """Let every buyer come at their time; who is still there at the deadline is sent away."""
    wire = Wire()
    begun = time.monotonic()
    async with asyncio.TaskGroup() as crowd:
        tasks = []
        for number, arrives in enumerate(plan.arrivals()):
            await asyncio.sleep(max(0.0, begun + arrives - time.monotonic()))
            is_partner = number % round(1 / PARTNERS_SHARE) == 0
            kind = PartnerBuyer if is_partner else Visitor
            buyer = kind(number, shop, plan, book, wire)
            tasks.append(crowd.create_task(_visit(buyer, book)))
        closing = crowd.create_task(_close(begun + plan.deadline, book, tasks))
        await asyncio.wait(tasks)
        closing.cancel()
    wire.close()


async def _close(deadline: float, book: Book, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Send away who is still there at the deadline, a moment of the monotonic clock.

    On a slow machine it is later: a sale in which nobody paid or heard no says nothing.
    """
    await asyncio.sleep(max(0.0, deadline - time.monotonic()))
    while not (book.paid and book.no) and time.monotonic() < deadline + LONGEST_DELAY:
        await asyncio.sleep(0.25)
    for task in tasks:
        task.cancel()


async def _visit(buyer: Visitor | PartnerBuyer, book: Book) -> None:
    try:
        await buyer.visit()
    except Exception as error:  # noqa: BLE001 (it becomes a finding)
        book.surprises.append(f"{buyer.name}: {error!r}")


def _wait_until_quiet(plan: Plan, service: Service, desk: Desk, book: Book) -> None:
    """Wait until no order is open and no job undone; after the deadline, wind time forward."""
    pending = sa.select(Order.id).where(Order.status == OrderStatus.PENDING).limit(1)

    def is_quiet() -> bool:
        return not desk.rows(pending) and not desk.busy()

    with suppress(NeverHappened):
        eventually(is_quiet, within=max(0.0, plan.deadline - book.now()), every=1.0)
    if not is_quiet():
        settle(service, desk, (LEASE_AND_HOLD,))

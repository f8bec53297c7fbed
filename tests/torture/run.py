"""Torture of the whole service: load and chaos, then quiet, then the audit."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.models import Order, OrderStatus, Ticket
from sandbox.client import Mailbox
from tests.app_factory import make_settings, running_app
from tests.harness.database import MariaDB
from tests.harness.service import EVENT_STARTS_AT, Service
from tests.harness.waiting import PATIENCE, NeverHappened, eventually
from tests.torture.audit import Audit
from tests.torture.buyers import Buyer
from tests.torture.chaos import Chaos
from tests.torture.desk import Desk
from tests.torture.tally import Tally

SHORTEST_HOLD = 60
LEASE_AND_HOLD = 200  # seconds: every lease, claim and hold has ended
LONGEST_PAUSE = 1_000  # and every pause before another try
LONGEST_ACTS = 300.0  # each kind of chaos once, on the slowest machine
TICKET = """
  - {{type: {type}, description: "{type}", price: {price}, amount: {amount}, maxPerOrder: 5,
     validFrom: "2020-01-01T00:00:00+07:00", validUntil: "{until}"}}
"""


@dataclass(frozen=True)
class Plan:
    """How long (seconds) and how hard; `pause` is the mean time between two acts of chaos."""

    seed: int
    duration: float
    buyers: int = 6
    pause: float = 2.0


@dataclass(frozen=True)
class Report:
    """What was done and what was found; no findings is the only good outcome."""

    plan: Plan
    done: list[str]
    findings: list[str]

    def __str__(self) -> str:
        title = f"Torture: seed {self.plan.seed}, {self.plan.duration:g} s of chaos"
        found = [f"  - {finding}" for finding in self.findings] or ["  nothing lost, nothing twice"]
        return "\n".join([title, "Done:", *self.done, "Found:", *found])


def torture(plan: Plan, folder: Path) -> Report:
    """Run the whole thing on a database server of its own, and leave nothing behind."""
    tally = Tally()
    with _service(folder) as (service, database), _desk(service, tally) as desk:
        tickets = [ticket for (ticket,) in desk.rows(sa.select(Ticket.id).order_by(Ticket.id))]
        stop, postbox = threading.Event(), Postbox(service.mailbox.base_url)
        chaos = Chaos(plan.seed, service, database, tally, stop, pause=plan.pause)
        chaos.calm_xendit()
        key = service.api_key()
        buyers = [
            Buyer(number, plan.seed, service, key, tickets, desk, tally, stop)
            for number in range(plan.buyers)
        ]
        for thread in (postbox, *buyers, chaos):
            thread.start()
        stop.wait(plan.duration)
        chaos.has_tried_all.wait(LONGEST_ACTS)
        _wait_until_somebody_paid(desk)
        stop.set()
        chaos.join(LONGEST_ACTS)
        chaos.heal()
        for buyer in buyers:
            buyer.join(LONGEST_ACTS)
        _repeat_unanswered(buyers[0], tally)
        settle(service, desk)
        audit = Audit(service, desk, tally, postbox.close())
        findings = audit.find()
        return Report(plan, tally.lines() + audit.standing(), findings)


class Postbox(threading.Thread):
    """Collects mails while they come: the catcher itself keeps only the last few hundred."""

    def __init__(self, url: str) -> None:
        super().__init__(name="postbox", daemon=True)
        self._mailbox = Mailbox(url)
        self._mails: dict[str, dict[str, Any]] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(1.0):
            self._collect()

    def close(self) -> dict[str, dict[str, Any]]:
        """Return all mails by their id in the catcher."""
        self._ended.set()
        self.join(PATIENCE)
        self._collect()
        self._mailbox.close()
        return self._mails

    def _collect(self) -> None:
        self._mails |= {mail["id"]: mail for mail in self._mailbox.mails()}


@contextmanager
def _service(folder: Path) -> Iterator[tuple[Service, MariaDB]]:
    settings = {"ORDER_HOLD_SECONDS": str(SHORTEST_HOLD), "PAYMENT_POLL_SECONDS": "5"}
    database = MariaDB()
    service = Service(database.fresh_database(), folder, settings=settings, workers=2)
    try:
        service.start(catalogue=_catalogue())
        yield service, database
    finally:
        service.stop()
        database.stop()


@contextmanager
def _desk(service: Service, tally: Tally) -> Iterator[Desk]:
    settings = make_settings(
        service.database_url,
        xendit_api_url=service.standin.base_url,
        public_url=service.url,
        order_hold=timedelta(seconds=SHORTEST_HOLD),
        log_level="CRITICAL",
    )
    with running_app(settings) as app:
        yield Desk(app, settings, tally)


def _catalogue() -> str:
    until = EVENT_STARTS_AT.isoformat()
    kinds = (("Banyak", 150_000, 100_000), ("Langka", 200_000, 12), ("Murah", 50_000, 60))
    rows = (TICKET.format(type=t, price=p, amount=a, until=until) for t, p, a in kinds)
    return "tickets:" + "".join(rows)


def _wait_until_somebody_paid(desk: Desk) -> None:
    """Go on until there is something to lose; the report tells when nobody ever paid."""
    paid = sa.select(Order.id).where(Order.status == OrderStatus.PAID).limit(1)
    with suppress(NeverHappened):
        eventually(lambda: desk.rows(paid), within=LONGEST_ACTS, every=0.25)


def _repeat_unanswered(buyer: Buyer, tally: Tally) -> None:
    """Give every wish its answer: a partner repeats until there is one."""
    for wish in tally.wishes:
        if not wish.is_answered:
            eventually(lambda wish=wish: buyer.send(wish))  # type: ignore[misc]


def settle(
    service: Service, desk: Desk, winds: Sequence[int] = (LEASE_AND_HOLD, LONGEST_PAUSE)
) -> None:
    """Let time pass, usually twice: first every hold and lease ends, then every pause."""
    for seconds in winds:
        for name in service.workers():
            service.processes[name].stop()
        desk.let_time_pass(seconds)
        for name in service.workers():
            service.start_worker(name)
        service.wait_until_ready()
        _wait_until_idle(desk)


def _wait_until_idle(desk: Desk) -> None:
    """Wait as long as what must be done becomes less or other; the audit tells what is left."""
    ends = time.monotonic() + LONGEST_ACTS
    left = desk.busy()
    while left and time.monotonic() < ends:
        before = left
        with suppress(NeverHappened):
            eventually(lambda: desk.busy() != before, every=0.25)  # noqa: B023
        left = desk.busy()
        if left == before:
            return

"""How many statements the busy paths send to the database: each one is felt in a rush.

A number that changed on purpose is changed here; the failure prints what was said.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app import worker
from app.extensions import db
from app.models import ETicket, Job, JobStatus, Order
from app.services.money.payments import CONFIRM, READ_BACK
from app.services.office import partners
from app.services.selling.eticketing import DELIVER
from app.services.selling.ordering import EXPIRE_ORDER, OPEN_INVOICE, PlacedOrder
from sandbox.client import Mailbox, StandIn
from tests.app_factory import make_settings, running_app
from tests.harness.database import fresh_sqlite
from tests.harness.statements import listening
from tests.money.world import SARI, World, wound

Act = Callable[[], object]


@pytest.fixture(scope="module")
def busy(
    tmp_path_factory: pytest.TempPathFactory,
    standin_process: StandIn,
    mail_process: tuple[Mailbox, int],
) -> Iterator["Busy"]:
    """A world for all paths, where nothing is done for the first time any more."""
    standin_process.reset()
    standin_process.set_fault("webhook_lost")
    standin_process.set_fault("rate_limit", per_minute=100_000)
    url = fresh_sqlite(tmp_path_factory.mktemp("busy"))
    settings = make_settings(url, xendit_api_url=standin_process.base_url)
    settings = replace(settings, mail=replace(settings.mail, port=mail_process[1]))
    with (
        pytest.MonkeyPatch.context() as patch,
        running_app(settings) as app,
        wound(World(app, settings, standin_process), patch) as world,
    ):
        yield Busy(world, ticket=world.add_ticket(amount=1_000), key=_add_key(world))


def _add_key(world: World) -> str:
    with world.app.app_context():
        return partners.add_key("Partner", ("orders:write", "door"), by="tests", now=world.now())


@dataclass
class Busy:
    """A world with a ticket and a partner; each method prepares a path and returns it."""

    world: World
    ticket: int
    key: str

    def paid(self) -> PlacedOrder:
        """Order two seats and pay for them."""
        placed = self.world.order(self.ticket, 2)
        self.world.standin.pay(self.world.invoice_id(placed))
        self.world.callback(placed)
        self.world.work(CONFIRM)
        return placed

    def get(self, path: str, **headers: str) -> Act:
        client = self.world.app.test_client()
        return lambda: _fine(client.get(path, headers=headers))

    def post(self, path: str, body: dict[str, Any]) -> Act:
        client = self.world.app.test_client()
        headers = {"Authorization": f"Bearer {self.key}"}
        return lambda: _fine(client.post(path, json=body, headers=headers))

    def page(self, placed: PlacedOrder) -> Act:
        return self.get(f"/orders/{placed.token}")

    def callback(self, placed: PlacedOrder) -> Act:
        return lambda: _fine(self.world.callback(placed))

    def scan(self, number: str, placed: PlacedOrder) -> Act:
        with self.world.app.app_context():
            seat = sa.select(ETicket.code).where(ETicket.order_id == placed.order_id)
            code = db.session.scalar(seat.order_by(ETicket.number))
        scan = {"code": code, "scanId": f"00000000-0000-4000-8000-{number:0>12}", "gate": "A"}
        return self.post("/api/check-ins", scan | {"scannedAt": self.world.now().isoformat()})

    def job(self, kind: str) -> Act:
        """Do the oldest job of a kind, claimed and finished as a worker does it."""
        return lambda: self._step(kind)

    def _step(self, kind: str) -> None:
        with self.world.app.app_context():
            assert self.world.step((kind,))

    def leave_no_job(self) -> None:
        """Let the next job of any kind be the one that is prepared now."""
        self.world.change(Job, Job.status == JobStatus.OPEN, status=JobStatus.DONE)

    def rest(self) -> None:
        """Look for work where there is none, as an idle worker does."""
        with self.world.app.app_context():
            assert worker._step(worker.Lookout()) > 0
            db.session.remove()


def _fine(answer: TestResponse) -> None:
    assert answer.status_code < 300, answer.text


def _seen(look: Act) -> Act:
    """Return a look at what somebody else looked at just before."""
    look()
    return look


def _catalogue(busy: Busy) -> Act:
    return _seen(busy.get("/"))


def _tickets(busy: Busy) -> Act:
    return _seen(busy.get("/api/tickets"))


def _checkout(busy: Busy) -> Act:
    return busy.get(f"/checkout?t{busy.ticket}=2")


def _api_order(busy: Busy) -> Act:
    user = {"full_name": SARI.full_name, "email": SARI.email, "no_hp": SARI.no_hp}
    body = {"user": user, "items": [{"ticketId": busy.ticket, "quantity": 2}]}
    return busy.post("/api/orders", body)


def _waiting_page(busy: Busy) -> Act:
    return busy.page(busy.world.order(busy.ticket, 2))


def _paid_page(busy: Busy) -> Act:
    return busy.page(busy.paid())


def _callback(busy: Busy) -> Act:
    return busy.callback(busy.world.order(busy.ticket, 2))


def _repeated_callback(busy: Busy) -> Act:
    placed = busy.world.order(busy.ticket, 2)
    busy.callback(placed)()
    return busy.callback(placed)


def _confirming(busy: Busy) -> Act:
    placed = busy.world.order(busy.ticket, 2)
    busy.world.standin.pay(busy.world.invoice_id(placed))
    busy.callback(placed)()
    return busy.job(CONFIRM)


def _confirming_again(busy: Busy) -> Act:
    placed = busy.paid()
    busy.callback(placed)()
    return busy.job(CONFIRM)


def _delivering(busy: Busy) -> Act:
    busy.paid()
    return busy.job(DELIVER)


def _opening_an_invoice(busy: Busy) -> Act:
    busy.world.place(busy.ticket, 2)
    busy.world.change(Job, Job.kind == OPEN_INVOICE, due_at=busy.world.now())
    return busy.job(OPEN_INVOICE)


def _expiring(busy: Busy) -> Act:
    placed = busy.world.order(busy.ticket, 2)
    past = busy.world.now() - timedelta(seconds=1)
    busy.world.change(Order, Order.id == placed.order_id, expires_at=past)
    busy.world.change(Job, Job.kind == EXPIRE_ORDER, due_at=past)
    return busy.job(EXPIRE_ORDER)


def _reading_back(busy: Busy) -> Act:
    busy.world.order(busy.ticket, 2)
    busy.world.change(Job, Job.kind == READ_BACK, due_at=busy.world.now())
    return busy.job(READ_BACK)


def _admitting(busy: Busy) -> Act:
    placed = busy.paid()
    return busy.scan(str(placed.order_id), placed)


def _refusing(busy: Busy) -> Act:
    placed = busy.paid()
    busy.scan(str(placed.order_id), placed)()
    return busy.scan(f"9{placed.order_id}", placed)


def _resting(busy: Busy) -> Act:
    busy.leave_no_job()
    return busy.rest


# Path, then statements and commits.
COUNTS: list[tuple[Callable[[Busy], Act], int, int]] = [
    (_catalogue, 0, 0),
    (_tickets, 0, 0),
    (_checkout, 2, 0),  # tickets, and whether there is any voucher
    (_api_order, 27, 4),
    (_waiting_page, 7, 0),
    (_paid_page, 10, 0),
    (_callback, 3, 1),
    (_repeated_callback, 5, 1),
    (_confirming, 19, 4),  # among them one that keeps what Xendit said
    (_confirming_again, 5, 2),
    (_delivering, 9, 3),
    (_opening_an_invoice, 17, 5),
    (_expiring, 17, 5),
    (_reading_back, 11, 4),
    (_admitting, 4, 1),
    (_refusing, 3, 1),
    (_resting, 1, 0),
]


@pytest.mark.parametrize(
    ("prepare", "statements", "commits"),
    [pytest.param(*count, id=count[0].__name__.strip("_")) for count in COUNTS],
)
def test_a_busy_path_says_no_more_than_it_must(
    busy: Busy,
    prepare: Callable[[Busy], Act],
    statements: int,
    commits: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(partners, "KNOWN_FOR", 3600.0)  # however slow the machine is
    prepare(busy)()  # what only the first of a process says does not count
    busy.leave_no_job()
    act = prepare(busy)
    with busy.world.app.app_context():
        engine = db.engine
    with listening(engine) as spoken:
        act()
    assert (spoken.statements, spoken.commits) == (statements, commits), f"\n{spoken}"

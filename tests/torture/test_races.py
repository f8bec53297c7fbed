"""Races over one order's money, and the same races with the order's lock taken away.

The condition on the stock has its negative control in tests/selling/test_stock_races.py.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from sqlalchemy.orm import Session

from app.errors import OrderNotExtendable, SoldOut
from app.models import MoneyCase, Order
from app.services.money import cancelling, expiry, extending, payments
from app.services.money.payments import CLOSE_INVOICE, CONFIRM
from app.services.running.jobs import RetryLater
from app.services.selling.ordering import PlacedOrder
from sandbox.client import SandboxError, StandIn
from tests.harness.waiting import eventually
from tests.money.world import World
from tests.torture.ledger import find_lost_money

ROUNDS = 6
HARMLESS = (OrderNotExtendable, RetryLater, SoldOut)
Act = Callable[[World, PlacedOrder], object]


def pay(world: World, placed: PlacedOrder) -> None:
    """The buyer pays the invoice as long as Xendit takes it, and the callback is acted on."""
    pay_invoice(world, placed, after_expiry=False)


def pay_late(world: World, placed: PlacedOrder) -> None:
    """The buyer pays a QRIS code that outlived its invoice, the moment it was closed."""
    pay_invoice(world, placed, after_expiry=True)


def pay_invoice(world: World, placed: PlacedOrder, *, after_expiry: bool) -> None:
    standin = StandIn(world.standin.base_url)  # a session for this thread
    (invoice, *_) = standin.invoices(placed.code)
    if after_expiry:
        eventually(lambda: standin.invoice(invoice["id"])["status"] != "PENDING", every=0.002)
    with suppress(SandboxError):  # closed a moment before
        standin.pay(invoice["id"], "QRIS", after_expiry=after_expiry)
    standin.close()
    confirm(world, placed, invoice["id"])


def confirm(world: World, placed: PlacedOrder, invoice_id: str) -> None:
    with world.app.app_context():
        found = payments.view_payment(Order.id == placed.order_id)
        assert found
        payments.confirm_payment(
            found.id, now=world.now(), gateway=world.gateway, invoice_id=invoice_id
        )


def cancel(world: World, placed: PlacedOrder) -> None:
    with world.app.app_context():
        cancelling.cancel_unpaid(placed.order_id, now=world.now(), gateway=world.gateway)


def expire(world: World, placed: PlacedOrder) -> None:
    with world.app.app_context():
        later = world.now() + 2 * world.settings.order_hold
        expiry.expire_order(placed.order_id, now=later, gateway=world.gateway)


def extend(world: World, placed: PlacedOrder) -> None:
    with world.app.app_context():
        extending.extend_hold(
            placed.order_id, now=world.now(), gateway=world.gateway, settings=world.settings
        )


def damage(world: World, ticket: int, one: Act, other: Act) -> tuple[list[str], list[str]]:
    """Let two acts meet over one order; return errors, and what is wrong when all is done.

    Another order of the same ticket holds seats, so that the stock alone notices nothing.
    """
    placed = world.order(ticket)
    results = world.in_threads(2, lambda n: (one, other)[n](world, placed))
    errors = [repr(r) for r in results if isinstance(r, Exception) and not isinstance(r, HARMLESS)]
    world.advance_ours(seconds=61)
    world.work(CONFIRM, CLOSE_INVOICE)
    with world.app.app_context():
        found = find_lost_money(world.standin.invoices())
    open_ones = [
        each["id"]
        for each in world.standin.invoices()
        if each["external_id"].startswith(placed.code) and each["status"] == "PENDING"
    ]
    waits = world.standing(placed).order == "PENDING"
    if len(open_ones) > waits or (waits and open_ones != [world.payment(placed).invoice_id]):
        found.append(f"{placed.code}: payable {open_ones}")
    return errors, found + world.violations()


PAIRS = {
    "cancel against payment": (cancel, pay),
    "cancel against late payment": (cancel, pay_late),
    "expiry against payment": (expire, pay),
    "expiry against late payment": (expire, pay_late),
    "extending against payment": (extend, pay),
}


# Where Xendit itself lets only one side win, a missing lock seldom shows: these two always do.
GUARDED_BY_THE_LOCK = ("cancel against payment", "expiry against payment")


@pytest.fixture
def ticket(mariadb_world: World) -> int:
    """A ticket of which others hold some seats all the time."""
    made = mariadb_world.add_ticket(amount=100)
    mariadb_world.place(made, 10)
    return made


@pytest.mark.parametrize("pair", PAIRS)
def test_whoever_comes_first_seats_money_and_invoices_agree(
    mariadb_world: World, ticket: int, pair: str
) -> None:
    for _ in range(ROUNDS):
        assert damage(mariadb_world, ticket, *PAIRS[pair]) == ([], [])


class Meeting:
    """Makes two threads see the same state before either of them acts on it."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)

    def wait(self, *_seen: object) -> None:
        with suppress(threading.BrokenBarrierError):
            self._barrier.wait(timeout=1.0)


@contextmanager
def without_the_lock(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let services read the order and think, without a lock on its row."""
    meeting = Meeting()

    def careless(session: Session, order_id: int) -> Order:
        order = session.get_one(Order, order_id, populate_existing=True)
        meeting.wait(order.payment)
        return order

    with patch.context() as patched:
        for module in (expiry, extending, payments):
            patched.setattr(module, "lock_order", careless)
        yield


@pytest.mark.parametrize("pair", GUARDED_BY_THE_LOCK)
def test_without_the_lock_the_same_meeting_does_damage(
    mariadb_world: World, ticket: int, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []
    for _ in range(8 * ROUNDS):
        with without_the_lock(monkeypatch):
            errors, found = damage(mariadb_world, ticket, *PAIRS[pair])
        found += errors  # or the last defence: the keys and checks of the tables
        if found:
            break

    assert found, "the lock is not what protects this"


def late_money_meets_a_new_buyer(world: World, number: int) -> tuple[list[str], list[str]]:
    """Let money for an expired order meet a new buyer over the last seat.

    Returns what is wrong, and who got the seat.
    """
    ticket = world.add_ticket(f"Terakhir {number}", amount=1)
    late = world.order(ticket)
    (invoice,) = world.payable(late)
    expire(world, late)
    world.standin.pay(invoice, "QRIS", after_expiry=True)

    acts: list[Callable[[], object]] = [
        lambda: confirm(world, late, invoice),
        lambda: world.place(ticket),
    ]
    results = world.in_threads(2, lambda n: acts[n]())

    found = [repr(r) for r in results if isinstance(r, Exception) and not isinstance(r, HARMLESS)]
    winners = ["buyer"] if isinstance(results[1], PlacedOrder) else []
    winners += ["late money"] if world.standing(late).order == "PAID" else []
    return found + world.violations(), winners


def test_late_money_and_a_new_buyer_never_get_the_same_seat(mariadb_world: World) -> None:
    cases = 0
    for number in range(ROUNDS):
        found, winners = late_money_meets_a_new_buyer(mariadb_world, number)

        assert found == []
        assert len(winners) == 1, winners
        cases += winners == ["buyer"]
    assert mariadb_world.count(MoneyCase) == cases, "who was too late has a case"

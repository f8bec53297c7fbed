"""Races over one order's money, and the same races with the order's lock taken away.

The condition on the stock has its negative control in tests/selling/test_stock_races.py.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from sqlalchemy.orm import Session

from app.errors import OrderNotCancellable, OrderNotExtendable, SoldOut
from app.models import MoneyCase, Order
from app.services.money import cancelling, expiry, extending, payments
from app.services.money.payments import CLOSE_INVOICE, CONFIRM
from app.services.running.jobs import RetryLater
from app.services.selling.ordering import PlacedOrder
from sandbox.client import SandboxError, StandIn
from tests.harness.interleaving import MOMENT, say_moment
from tests.harness.waiting import eventually
from tests.money.world import World
from tests.torture.ledger import find_lost_money

HARMLESS = (OrderNotCancellable, OrderNotExtendable, RetryLater, SoldOut)
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
        eventually(lambda: standin.invoice(invoice["id"])["status"] != "PENDING", every=0.01)
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


def damage(
    world: World, ticket: int, first: Act, second: Act, *, after: str
) -> tuple[list[str], list[str]]:
    """Let one act meet another one, held at that statement, over one order.

    Returns errors, and what is wrong when all is done. Another order of the same ticket holds
    seats, so that the stock alone notices nothing.
    """
    placed = world.order(ticket)
    results = world.overlap(*[partial(act, world, placed) for act in (first, second)], after=after)
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


# Who is held, where, and who comes meanwhile.
BEFORE, LOCKED, ACTING = "FROM payments", "FOR UPDATE", "UPDATE ticket_stock"
MEETINGS: list[tuple[Act, str, Act]] = [
    *[(pay, where, act) for where in (BEFORE, LOCKED, ACTING) for act in (cancel, expire)],
    *[(act, where, pay) for where in (LOCKED, ACTING) for act in (cancel, expire)],
    (pay, BEFORE, extend),
    (pay, LOCKED, extend),
    (extend, LOCKED, pay),
    (extend, "INSERT INTO past_invoices", pay),
    (cancel, ACTING, pay_late),  # by then the invoice is closed
    (expire, LOCKED, pay_late),
    (expire, ACTING, pay_late),
]


@pytest.fixture
def ticket(mariadb_world: World) -> int:
    """A ticket of which others hold some seats all the time."""
    made = mariadb_world.add_ticket(amount=100)
    mariadb_world.place(made, 10)
    return made


@pytest.mark.parametrize(("first", "where", "second"), MEETINGS)
def test_whoever_comes_first_seats_money_and_invoices_agree(
    mariadb_world: World, ticket: int, first: Act, where: str, second: Act
) -> None:
    assert damage(mariadb_world, ticket, first, second, after=where) == ([], [])


@pytest.mark.parametrize("act", [cancel, expire])
def test_without_the_lock_the_same_meeting_does_damage(
    mariadb_world: World, ticket: int, act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: both see that the order waits for its money, and both take it."""

    def careless(session: Session, order_id: int) -> Order:
        order = session.get_one(Order, order_id, populate_existing=True)
        assert order.payment.status is not None
        say_moment(session)
        return order

    for module in (expiry, extending, payments):
        monkeypatch.setattr(module, "lock_order", careless)

    errors, found = damage(mariadb_world, ticket, pay, act, after=MOMENT)

    assert errors or found, "the lock is not what protects this"


@pytest.mark.parametrize(
    ("is_late_first", "where"),
    [(True, BEFORE), (True, ACTING), (False, "FROM tickets"), (False, ACTING)],
)
def test_late_money_and_a_new_buyer_never_get_the_same_seat(
    mariadb_world: World, is_late_first: bool, where: str
) -> None:
    """Money for an expired order meets a new buyer over the last seat."""
    world, ticket = mariadb_world, mariadb_world.add_ticket("Terakhir", amount=1)
    late = world.order(ticket)
    (invoice,) = world.payable(late)
    expire(world, late)
    world.standin.pay(invoice, "QRIS", after_expiry=True)

    acts: list[Callable[[], object]] = [
        lambda: confirm(world, late, invoice),
        lambda: world.place(ticket),
    ]
    results = world.overlap(*(acts if is_late_first else acts[::-1]), after=where)

    bad = [r for r in results if isinstance(r, Exception) and not isinstance(r, HARMLESS)]
    has_bought = any(isinstance(result, PlacedOrder) for result in results)
    assert bad == []
    assert world.violations() == []
    assert has_bought is not (world.standing(late).order == "PAID")
    assert world.count(MoneyCase) == has_bought, "who was too late has a case"

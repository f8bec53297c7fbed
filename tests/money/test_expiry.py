"""Expiry: seats go back on sale only when no money can come for them any more."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.errors import SoldOut
from app.extensions import db
from app.integrations.xendit import XenditClient
from app.models import JobStatus, Order
from app.services.money import expiry
from app.services.money.payments import CONFIRM, READ_BACK
from app.services.running.jobs import RetryLater
from app.services.selling.ordering import EXPIRE_ORDER, OPEN_INVOICE, PlacedOrder
from tests.money.recorded import PENDING, answering
from tests.money.world import Standing, World

WAITING = Standing("PENDING", "PENDING", held=1, sold=0, e_tickets=0)
EXPIRED = Standing("EXPIRED", "EXPIRED", held=0, sold=0, e_tickets=0)
PAID = Standing("PAID", "PAID", held=0, sold=1, e_tickets=1)


def expire(world: World, placed: PlacedOrder, **later: float) -> object:
    with world.app.app_context():
        now = world.now() + timedelta(**(later or {"hours": 1}))
        return expiry.expire_order(placed.order_id, now=now, gateway=world.gateway)


def calls(world: World) -> list[str]:
    """Return the calls to Xendit since the invoice was made."""
    made = [f"{each['method']} {each['path']}" for each in world.standin.requests()]
    return made[made.index("POST /v2/invoices") + 1 :]


def test_an_unpaid_order_is_read_closed_and_then_released(each_world: World) -> None:
    ticket = each_world.add_ticket(amount=1)
    placed = each_world.order(ticket)
    invoice = each_world.invoice_id(placed)
    with pytest.raises(SoldOut):
        each_world.place(ticket)

    expire(each_world, placed)

    assert calls(each_world) == [f"GET /v2/invoices/{invoice}", f"POST /invoices/{invoice}/expire!"]
    assert each_world.standing(placed) == EXPIRED
    assert each_world.payable(placed) == []
    each_world.place(ticket)
    assert each_world.violations() == []


def test_an_order_that_is_not_due_is_left_alone_and_looked_at_again(world: World) -> None:
    placed = world.order(world.add_ticket())

    assert expire(world, placed, minutes=29) is not None
    assert world.standing(placed) == WAITING
    assert calls(world) == []

    extended = world.now() + timedelta(hours=2)
    world.change(Order, Order.id == placed.order_id, expires_at=extended)
    world.clock.advance(timedelta(minutes=31))
    world.work(EXPIRE_ORDER)
    assert world.standing(placed) == WAITING
    (job,) = world.jobs(EXPIRE_ORDER)
    assert abs(job.due_at - extended) < timedelta(seconds=5)


@pytest.mark.parametrize("call", ["read", "expire"])
@pytest.mark.parametrize("fault", ["html_502", "connection_dropped", "rate_limited"])
def test_seats_stay_held_while_xendit_cannot_be_asked(world: World, call: str, fault: str) -> None:
    world.clock.stop()  # or the next try would be due on a slow machine before we have looked
    placed = world.order(world.add_ticket())
    world.standin.set_fault(fault, call=call, times=1)
    world.clock.advance(timedelta(hours=1))  # only ours: at Xendit it is still open

    world.work(EXPIRE_ORDER)
    assert world.standing(placed) == WAITING
    world.clock.advance(timedelta(minutes=5))
    world.work(EXPIRE_ORDER)

    assert world.standing(placed) == EXPIRED
    assert world.payable(placed) == []


def test_a_state_nobody_knows_keeps_the_seats(world: World) -> None:
    placed = world.order(world.add_ticket())
    mine = {"id": world.invoice_id(placed), "external_id": placed.code, "status": "ON_HOLD"}

    with answering() as xendit, world.app.app_context():
        xendit.answer(200, {**PENDING, **mine})
        gateway = XenditClient(xendit.url, "xnd_development_local")
        later = world.now() + timedelta(hours=1)
        with pytest.raises(RetryLater):
            expiry.expire_order(placed.order_id, now=later, gateway=gateway)
        gateway._session.close()

    assert [sent.method for sent in xendit.requests] == ["GET"]
    assert world.standing(placed) == WAITING


def test_money_of_the_last_moment_wins(world: World) -> None:
    placed = world.order(world.add_ticket())
    world.standin.set_fault("paid_before_expire", channel="BCA", times=1)

    expire(world, placed)

    assert world.standing(placed) == PAID
    assert world.violations() == []


def test_money_that_was_there_already_wins_without_any_callback(world: World) -> None:
    placed = world.order(world.add_ticket())
    world.standin.pay(world.invoice_id(placed))
    world.clock.advance(timedelta(hours=1))

    world.work(EXPIRE_ORDER)

    assert world.standing(placed) == PAID
    assert len(world.jobs(EXPIRE_ORDER, JobStatus.DONE)) == 1


@pytest.mark.parametrize("moment", ["FROM payments", "FOR UPDATE", "UPDATE ticket_stock"])
def test_two_workers_release_once(mariadb_world: World, moment: str) -> None:
    placed = mariadb_world.order(mariadb_world.add_ticket())

    expiries = [lambda: expire(mariadb_world, placed)] * 2
    assert mariadb_world.overlap(*expiries, after=moment) == (None, None)

    assert mariadb_world.standing(placed) == EXPIRED
    assert mariadb_world.violations() == []


@pytest.mark.parametrize("moment", ["FROM payments", "FOR UPDATE", "UPDATE ticket_stock"])
def test_money_and_the_end_of_the_hold_at_the_same_moment_agree(
    mariadb_world: World, moment: str
) -> None:
    world = mariadb_world
    placed = world.order(world.add_ticket())
    world.standin.pay(world.invoice_id(placed))
    world.callback(placed)
    world.clock.advance(timedelta(hours=1))

    acts: list[Callable[[], object]] = [lambda: expire(world, placed), lambda: world.work(CONFIRM)]
    assert world.overlap(*acts, after=moment) == (None, 1)

    assert world.standing(placed) == PAID
    assert world.violations() == []


def test_an_order_xendit_was_never_asked_about_is_released_without_a_call(world: World) -> None:
    placed = world.place(world.add_ticket())

    expire(world, placed)

    assert world.standing(placed) == EXPIRED
    assert world.standin.requests() == []


def test_an_invoice_nobody_heard_of_is_closed_before_the_release(world: World) -> None:
    world.standin.set_fault("create_answer_lost", how="502", times=1)
    placed = world.place(world.add_ticket())
    world.try_open_invoice(placed)
    assert len(world.payable(placed)) == 1

    expire(world, placed)

    assert calls(world)[0] == "GET /v2/invoices"
    assert world.payable(placed) == []
    assert world.standing(placed) == EXPIRED


@pytest.mark.parametrize("is_paid", [False, True])
def test_a_second_invoice_no_answer_ever_named_is_found(world: World, is_paid: bool) -> None:
    placed = world.place(world.add_ticket())
    world.standin.set_fault("create_answer_lost", how="502", times=1)
    world.standin.set_fault("list_empty", times=1)
    world.try_open_invoice(placed)
    world.advance(seconds=46)
    world.work(OPEN_INVOICE)
    newest, oldest = world.standin.invoices(placed.code)
    assert world.invoice_id(placed) == newest["id"]

    if is_paid:
        world.standin.pay(oldest["id"], "QRIS")
        world.clock.advance(timedelta(minutes=2))
        world.work(READ_BACK)
        world.work("close_invoice")
        assert world.standing(placed) == PAID
    else:
        expire(world, placed)
        assert world.standing(placed) == EXPIRED

    assert world.payable(placed) == []


def test_the_hold_of_an_order_whose_invoice_came_meanwhile_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = world.place(world.add_ticket())
    release = expiry._release

    def a_moment_later(*args: object, **kwargs: object) -> None:
        world.try_open_invoice(placed)
        release(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(expiry, "_release", a_moment_later)
    with pytest.raises(RetryLater):
        expire(world, placed)

    assert world.standing(placed) == WAITING
    with world.app.app_context():
        assert db.session.get_one(Order, placed.order_id).payment.invoice_id

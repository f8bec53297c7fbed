"""Acting on an order where Xendit or the mail server has a word."""

from datetime import timedelta

import pytest

from app.models import CaseKind, OrderStatus, Payment
from app.services.money.deciding import Decision
from app.services.money.payments import CONFIRM
from app.services.office import order_ending
from app.services.office.order_actions import MoveNotPossible
from app.services.office.updated_etickets import SEND_UPDATED
from app.services.selling.ordering import Buyer, PlacedOrder
from sandbox.client import Mailbox
from tests.money.fixtures import (
    mail_process,
    mailbox,
    mailing_world,
    standin,
    standin_process,
    world,
)
from tests.money.world import PRICE, SARI, World
from tests.office import acts
from tests.office.desk import BY, WHY, Desk

__all__ = ["mail_process", "mailbox", "mailing_world", "standin", "standin_process", "world"]


def cancel(world: World, placed: PlacedOrder) -> bool:
    with world.app.app_context():
        return order_ending.cancel(
            placed.order_id,
            reason=WHY,
            seen=Desk(world.app).seen(placed.code),
            by=BY,
            now=world.now(),
            gateway=world.gateway,
        )


def test_an_unpaid_order_s_invoice_is_closed_before_its_seats_are_free(world: World) -> None:
    placed = world.order(world.add_ticket())

    assert cancel(world, placed)

    assert (world.payable(placed), world.standing(placed).order) == ([], "CANCELLED")
    assert Desk(world.app).done(placed.code) == ["order.cancelling_asked"]
    assert world.violations() == []


def test_money_that_comes_at_that_moment_wins(world: World) -> None:
    placed = world.order(world.add_ticket())
    world.standin.set_fault("paid_before_expire", times=1)

    assert not cancel(world, placed)

    assert (world.standing(placed).order, world.violations()) == ("PAID", [])


def test_while_xendit_is_away_cancelling_goes_on_by_itself(world: World) -> None:
    placed = world.order(world.add_ticket())
    world.standin.set_fault("server_error", call="expire", times=1)

    assert not cancel(world, placed)
    assert world.standing(placed).order == "PENDING"
    world.advance(minutes=1)
    world.work("expire_order")

    assert world.standing(placed).order == "CANCELLED"


@pytest.mark.parametrize(
    ("decision", "status"),
    [(Decision.ACCEPT, OrderStatus.PAID), (Decision.REFUND, OrderStatus.CANCELLED)],
)
def test_too_little_money_is_taken_or_sent_back(
    world: World, decision: Decision, status: OrderStatus
) -> None:
    desk, placed = Desk(world.app), world.order(world.add_ticket())
    world.standin.pay(world.invoice_id(placed), "DANA", amount=PRICE - 50_000)
    world.callback(placed)
    world.work(CONFIRM)
    [(case_id, kind)] = desk.read(placed.code, lambda f: [(one.id, one.kind) for one in f.cases])
    with world.app.app_context():
        order_ending.decide_case(
            placed.order_id,
            case_id,
            decision,
            seen=desk.seen(placed.code),
            by=BY,
            now=world.now(),
            gateway=world.gateway,
        )

    assert kind is CaseKind.UNDERPAID
    assert desk.read(placed.code, lambda facts: facts.order.status) is status
    assert (desk.done(placed.code), desk.violations()) == (["case.decided"], [])


def test_what_xendit_is_not_done_with_is_decided_later(world: World) -> None:
    desk, placed = Desk(world.app), world.order(world.add_ticket())
    world.standin.pay(world.invoice_id(placed), "DANA", amount=PRICE - 50_000)
    world.callback(placed)
    world.work(CONFIRM)
    case_id = desk.read(placed.code, lambda facts: facts.cases[0].id)
    soon = world.now() + timedelta(minutes=1)
    world.change(Payment, Payment.order_id == placed.order_id, create_claimed_until=soon)

    with world.app.app_context(), pytest.raises(MoveNotPossible) as refused:
        order_ending.decide_case(
            placed.order_id,
            case_id,
            Decision.REFUND,
            seen=desk.seen(placed.code),
            by=BY,
            now=world.now(),
            gateway=world.gateway,
        )

    assert "an invoice is being opened" in str(refused.value.detail)
    assert desk.done(placed.code) == []


def test_new_e_tickets_go_to_the_new_address_alone_with_their_new_codes(
    mailing_world: World, mailbox: Mailbox
) -> None:
    desk = Desk(mailing_world.app)
    placed = mailing_world.place(mailing_world.add_ticket("Gratis", price=0), 2)
    old = desk.seats(placed.code)

    acts.correct(
        desk, placed.code, Buyer(SARI.full_name, "baru@example.com", SARI.no_hp), are_codes_new=True
    )
    mailing_world.work(SEND_UPDATED)
    mailing_world.work(SEND_UPDATED)

    [mail] = mailbox.mails()
    assert mail["to"] == ["baru@example.com"]
    assert mail["subject"].startswith("E-tiket terbaru Anda untuk ")
    assert all(seat[2] in mail["text"] for seat in desk.seats(placed.code))
    assert not any(seat[2] in mail["text"] for seat in old)
    assert mailbox.attachment(mail).startswith(b"%PDF-")

"""Deciding: what staff do about money that no rule settles, and what it then leads to."""

from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from app.errors import CaseClosed
from app.extensions import db
from app.integrations.xendit import XenditError
from app.models import CaseKind, MoneyCase, RefundReason, RefundWay
from app.services.money import cancelling, deciding, extending
from app.services.money.deciding import Decision, NotPossible
from app.services.money.payments import CONFIRM
from app.services.money.refunds import SEND_REFUND
from app.services.selling.ordering import EXPIRE_ORDER, PlacedOrder
from tests.money.refunded import (
    STAFF,
    at_xendit,
    late_payer,
    paid_order,
    refund_of,
    refunds_of,
    state,
)
from tests.money.world import PRICE, Standing, World

LESS, MORE = PRICE - 1_000, PRICE + 1_000
WAITING = Standing("PENDING", "PENDING", held=1, sold=0, e_tickets=0)
PAID = Standing("PAID", "PAID", held=0, sold=1, e_tickets=1)
ENDED = Standing("CANCELLED", "EXPIRED", held=0, sold=0, e_tickets=0)


def case_of(world: World, placed: PlacedOrder, kind: CaseKind) -> MoneyCase:
    """Return the order's case of this kind, detached."""
    with world.app.app_context():
        query = sa.select(MoneyCase).where(MoneyCase.order_id == placed.order_id)
        case = db.session.scalars(query.where(MoneyCase.kind == kind)).one()
        db.session.expunge(case)
        return case


def decide(world: World, placed: PlacedOrder, kind: CaseKind, decision: Decision) -> MoneyCase:
    """Decide the order's case of this kind and return it afterwards."""
    case_id = case_of(world, placed, kind).id
    with world.app.app_context():
        deciding.decide_case(case_id, decision, by=STAFF, now=world.now(), gateway=world.gateway)
    return case_of(world, placed, kind)


def expired(world: World, placed: PlacedOrder) -> None:
    """Let the hold's time pass; money that is too little keeps the seats."""
    world.advance(hours=1)
    world.work(EXPIRE_ORDER)
    assert world.standing(placed) == WAITING


# --- paid too little ----------------------------------------------------------------------------


def test_too_little_can_be_accepted(each_world: World) -> None:
    placed = paid_order(each_world, amount=LESS)
    expired(each_world, placed)

    case = decide(each_world, placed, CaseKind.UNDERPAID, Decision.ACCEPT)

    assert each_world.standing(placed) == PAID
    assert each_world.payment(placed).paid_amount == LESS
    assert each_world.payment(placed).channel == "DANA"
    assert case.resolution is not None
    assert (case.resolution.value, case.resolved_by) == ("accepted", STAFF)
    assert refunds_of(each_world, placed) == []
    assert each_world.violations() == []


@pytest.mark.parametrize("when", ["before the hold ends", "after it ended"])
def test_too_little_can_be_sent_back_and_the_seats_are_free_again(
    each_world: World, when: str
) -> None:
    placed = paid_order(each_world, amount=LESS)
    if when == "after it ended":
        expired(each_world, placed)

    case = decide(each_world, placed, CaseKind.UNDERPAID, Decision.REFUND)
    each_world.work(SEND_REFUND)
    each_world.advance(hours=2)
    each_world.work(EXPIRE_ORDER, CONFIRM)

    refund = refund_of(each_world, placed)
    assert (refund.amount, refund.reason) == (LESS, RefundReason.UNDERPAID)
    assert (refund.way, len(at_xendit(each_world, placed))) == (RefundWay.XENDIT, 1)
    assert case.resolution is not None
    assert case.resolution.value == "refunded"
    assert each_world.standing(placed) == ENDED
    assert each_world.violations() == []


def test_too_little_by_a_virtual_account_goes_back_by_hand(world: World) -> None:
    placed = paid_order(world, "BCA", amount=LESS)

    decide(world, placed, CaseKind.UNDERPAID, Decision.REFUND)

    assert state(world, placed) == ("due", "by_hand")


def test_an_open_invoice_is_closed_before_too_little_is_sent_back(world: World) -> None:
    placed, open_one = _paid_less_and_extended(world)

    decide(world, placed, CaseKind.UNDERPAID, Decision.REFUND)

    assert world.standin.invoice(open_one)["status"] == "EXPIRED"
    assert world.standing(placed) == ENDED


def test_too_little_goes_back_alone_when_another_invoice_paid_for_the_seats(world: World) -> None:
    placed, open_one = _paid_less_and_extended(world)
    world.standin.pay(open_one, "QRIS")

    decide(world, placed, CaseKind.UNDERPAID, Decision.REFUND)

    assert world.standing(placed) == PAID
    assert refund_of(world, placed).amount == LESS
    assert world.violations() == []


def _paid_less_and_extended(world: World) -> tuple[PlacedOrder, str]:
    """Let too little come for an invoice that had just been replaced by another."""
    placed = world.order(world.add_ticket(amount=1))
    old = world.invoice_id(placed)
    world.standin.set_fault("paid_before_expire", times=1)
    world.standin.set_fault("paid_amount_differs", times=1, by=LESS - PRICE)
    with world.app.app_context():
        extending.extend_hold(
            placed.order_id, now=world.now(), gateway=world.gateway, settings=world.settings
        )
    world.work("close_invoice", CONFIRM)
    assert case_of(world, placed, CaseKind.UNDERPAID).invoice_id == old
    assert world.standing(placed) == WAITING
    return placed, world.invoice_id(placed)


@pytest.mark.parametrize("decision", list(Decision))
def test_nothing_is_decided_while_xendit_cannot_be_asked(world: World, decision: Decision) -> None:
    placed = paid_order(world, amount=LESS)
    world.standin.set_fault("html_502", times=1, call="read")

    with pytest.raises(XenditError):
        decide(world, placed, CaseKind.UNDERPAID, decision)

    assert not case_of(world, placed, CaseKind.UNDERPAID).is_resolved
    assert world.standing(placed) == WAITING


def test_accepting_too_little_when_the_seats_went_leaves_the_buyer_the_choice(
    world: World,
) -> None:
    placed = late_payer(world, amount=LESS)

    decide(world, placed, CaseKind.UNDERPAID, Decision.ACCEPT)

    gone = case_of(world, placed, CaseKind.SEATS_GONE)
    assert (gone.amount, gone.is_resolved) == (LESS, False)
    assert world.standing(placed).order == "EXPIRED"
    assert world.violations() == []


# --- paid too much, seats gone ------------------------------------------------------------------


@pytest.mark.parametrize(("decision", "back"), [(Decision.REFUND, [1_000]), (Decision.ACCEPT, [])])
def test_too_much_is_kept_or_its_rest_sent_back(
    each_world: World, decision: Decision, back: list[int]
) -> None:
    placed = paid_order(each_world, amount=MORE)
    assert each_world.standing(placed) == PAID

    decide(each_world, placed, CaseKind.OVERPAID, decision)

    assert [refund.amount for refund in refunds_of(each_world, placed)] == back
    assert each_world.standing(placed) == PAID


@pytest.mark.parametrize("first", ["decide", "cancel"])
def test_a_cancelled_order_gives_back_all_that_was_paid_and_no_more(
    world: World, first: str
) -> None:
    placed = paid_order(world, amount=MORE)
    steps = ["decide", "cancel"] if first == "decide" else ["cancel", "decide"]
    for step in steps:
        if step == "decide":
            decide(world, placed, CaseKind.OVERPAID, Decision.REFUND)
        else:
            with world.app.app_context():
                cancelling.cancel_paid(placed.order_id, by=STAFF, now=world.now())

    assert sum(refund.amount for refund in refunds_of(world, placed)) == MORE


def test_late_money_that_is_too_much_goes_back_once(world: World) -> None:
    placed = late_payer(world, amount=MORE)
    with pytest.raises(NotPossible):
        decide(world, placed, CaseKind.OVERPAID, Decision.REFUND)

    decide(world, placed, CaseKind.SEATS_GONE, Decision.REFUND)

    assert [refund.amount for refund in refunds_of(world, placed)] == [MORE]
    assert case_of(world, placed, CaseKind.OVERPAID).is_resolved


def test_seats_that_are_gone_cannot_be_accepted(world: World) -> None:
    placed = late_payer(world)

    with pytest.raises(NotPossible):
        decide(world, placed, CaseKind.SEATS_GONE, Decision.ACCEPT)

    assert not case_of(world, placed, CaseKind.SEATS_GONE).is_resolved


@pytest.mark.parametrize("moment", ["FOR UPDATE", "UPDATE cases"])
@pytest.mark.parametrize("kind", [CaseKind.UNDERPAID, CaseKind.OVERPAID])
def test_a_case_is_decided_once_even_by_two_at_the_same_moment(
    mariadb_world: World, kind: CaseKind, moment: str
) -> None:
    amount = LESS if kind is CaseKind.UNDERPAID else MORE
    placed = paid_order(mariadb_world, amount=amount)
    acts = [partial(decide, mariadb_world, placed, kind, decision) for decision in Decision]

    results = mariadb_world.overlap(*acts, after=moment)

    refused = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in refused] == [CaseClosed]
    assert len(refunds_of(mariadb_world, placed)) <= 1
    assert mariadb_world.violations() == []


def test_too_little_money_keeps_an_order_that_its_buyer_cancels_open(world: World) -> None:
    placed = paid_order(world, amount=LESS)

    with world.app.app_context():
        now = world.now() + timedelta(seconds=1)
        is_done = cancelling.cancel_unpaid(placed.order_id, now=now, gateway=world.gateway)

    assert (is_done, world.standing(placed)) == (False, WAITING)
    decide(world, placed, CaseKind.UNDERPAID, Decision.REFUND)
    assert world.standing(placed) == ENDED

"""Sending refunds: through Xendit once, whatever answers get lost; by hand where it cannot."""

import pytest
from sqlalchemy.orm import Session

from app.integrations.xendit_refunds import XenditRefundStatus
from app.models import CaseKind, Refund, RefundReason, RefundStatus, RefundWay
from app.services.money import refunding, refunds
from app.services.money.letters import BANK_DETAILS
from app.services.money.payments import lock_order
from app.services.money.refunds import SEND_REFUND, Money
from app.services.running.jobs import RetryLater
from app.services.running.transaction import transaction
from app.services.selling.ordering import PlacedOrder
from tests.money.refunded import (
    at_xendit,
    cancelled_order,
    end_at_xendit,
    heal,
    letters,
    paid_order,
    refund_of,
    send,
    send_again,
    sent_refund,
    state,
)
from tests.money.world import PRICE, World

SENT = ("sent", "xendit")
DUE = ("due", "xendit")
BY_HAND = ("due", "by_hand")
OFFERED = ["CREDIT_CARD", "DANA", "SHOPEEPAY", "LINKAJA", "QRIS"]
POSTS = ("POST", "/refunds")


@pytest.mark.parametrize("channel", OFFERED)
def test_what_xendit_can_refund_is_sent_to_it_in_full(world: World, channel: str) -> None:
    placed = sent_refund(world, channel)

    (found,) = at_xendit(world, placed)
    refund = refund_of(world, placed)
    assert state(world, placed) == SENT
    assert (found.id, found.reference) == (refund.xendit_refund_id, refund.reference_id)
    assert found.status is XenditRefundStatus.PENDING
    assert letters(world) == []


@pytest.mark.parametrize("channel", ["BCA", "MANDIRI", "OVO", "ASTRAPAY", "ALFAMART"])
def test_what_xendit_cannot_refund_asks_the_buyer_for_an_account(
    world: World, channel: str
) -> None:
    placed = sent_refund(world, channel)
    send(world, refund_of(world, placed).id)
    send(world, refund_of(world, placed).id)

    assert state(world, placed) == BY_HAND
    assert refund_of(world, placed).needs_bank_details
    assert letters(world) == [BANK_DETAILS]
    assert world.standin.requests(*POSTS) == []


@pytest.mark.parametrize(
    ("channel", "way"), [("LINKAJA", "by_hand"), ("DD_BRI", "by_hand"), ("DANA", "xendit")]
)
def test_a_part_goes_back_by_hand_where_only_the_whole_can(channel: str, way: str) -> None:
    money = Money("6923e1f0c0ffee0000000001", PRICE, channel)

    assert refunds.way_back(money, PRICE - 1).value == way
    assert refunds.way_back(money, PRICE) is RefundWay.XENDIT


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("REFUND_NOT_SUPPORTED", 403),
        ("REFUND_NOT_SUPPORTED", 400),
        ("PARTIAL_REFUND_NOT_SUPPORTED", 403),
        ("INELIGIBLE_TRANSACTION", 400),
        ("INELIGIBLE_TRANSACTION_STATUS", 400),
        ("A_WORD_NOBODY_KNOWS", 400),
    ],
)
def test_a_refusal_for_good_asks_the_buyer_for_an_account(
    world: World, code: str, status: int
) -> None:
    placed = cancelled_order(world)
    world.standin.set_fault("error_without_message", status=status, error_code=code, call="refund")

    world.work(SEND_REFUND)

    assert state(world, placed) == BY_HAND
    assert refund_of(world, placed).failure_code == code
    assert letters(world) == [BANK_DETAILS]
    assert world.jobs(SEND_REFUND) == []


def test_where_invoices_cannot_be_refunded_any_more_it_is_done_by_hand(world: World) -> None:
    placed = cancelled_order(world)
    world.standin.set_fault("refund_by_invoice_off")

    world.work(SEND_REFUND)

    assert state(world, placed) == BY_HAND


@pytest.mark.parametrize("code", ["MAXIMUM_REFUND_AMOUNT_REACHED", "REFUND_AMOUNT_EXCEEDED"])
def test_money_that_went_back_unknown_to_us_is_looked_at_by_a_person(
    world: World, code: str
) -> None:
    placed = cancelled_order(world)
    world.standin.set_fault("error_without_message", error_code=code, call="refund")

    world.work(SEND_REFUND)

    assert state(world, placed) == ("failed", "xendit")
    assert letters(world) == []


@pytest.mark.parametrize(
    ("fault", "settings"),
    [
        ("error_without_message", {"error_code": "INSUFFICIENT_BALANCE"}),
        ("error_without_message", {"error_code": "TEMPORARILY_UNAVAILABLE"}),
        ("error_without_message", {"error_code": "REFUND_IN_PROGRESS"}),
        ("error_without_message", {"error_code": "CHANNEL_UNAVAILABLE", "status": 503}),
        ("error_without_message", {"error_code": "DUPLICATE_ERROR", "status": 409}),
        ("error_without_message", {"error_code": "IDEMPOTENCY_ERROR", "status": 409}),
        ("error_without_message", {"error_code": "INVALID_API_KEY", "status": 401}),
        ("error_without_message", {"error_code": "ANOTHER_WORD_FOR_IT", "status": 401}),
        ("error_without_message", {"error_code": "REQUEST_FORBIDDEN_ERROR", "status": 403}),
        ("rate_limited", {}),
        ("server_error", {}),
        ("html_502", {}),
        ("connection_dropped", {}),
        ("refund_answer_lost", {"how": "dropped"}),
        ("refund_answer_lost", {"how": "502"}),
    ],
)
def test_what_passes_is_tried_again_and_never_sent_twice(
    world: World, fault: str, settings: dict[str, object]
) -> None:
    world.clock.stop()  # or the next try would be due on a slow machine before we have looked
    placed = cancelled_order(world)
    call = {} if fault == "refund_answer_lost" else {"call": "refund"}
    world.standin.set_fault(fault, times=1, **settings, **call)

    world.work(SEND_REFUND)
    assert state(world, placed) == DUE
    assert len(world.jobs(SEND_REFUND)) == 1
    send_again(world)

    assert state(world, placed) == SENT
    assert len(at_xendit(world, placed)) == 1
    assert refund_of(world, placed).xendit_refund_id == at_xendit(world, placed)[0].id


def test_a_lost_refund_is_looked_up_and_not_asked_for_again(world: World) -> None:
    placed = cancelled_order(world)
    world.standin.set_fault("refund_answer_lost", times=1)

    world.work(SEND_REFUND)
    send_again(world)

    assert len(world.standin.requests(*POSTS)) == 1
    assert state(world, placed) == SENT


def test_no_second_call_begins_while_an_answer_may_still_come(world: World) -> None:
    placed = cancelled_order(world)
    world.standin.set_fault("server_error", times=1, call="refund")
    refund_id = refund_of(world, placed).id
    with pytest.raises(RetryLater):
        send(world, refund_id)

    with pytest.raises(RetryLater):
        send(world, refund_id)

    assert len(world.standin.requests(*POSTS)) == 1


def test_nothing_is_sent_when_the_look_up_fails(world: World) -> None:
    placed = cancelled_order(world)
    world.standin.set_fault("refund_answer_lost", times=1)
    world.work(SEND_REFUND)

    world.standin.set_fault("html_502", times=1)
    send_again(world)
    assert state(world, placed) == DUE
    send_again(world, hours=1)

    assert len(world.standin.requests(*POSTS)) == 1
    assert state(world, placed) == SENT


def test_an_empty_balance_is_asked_about_ever_more_rarely_and_never_given_up(world: World) -> None:
    placed = cancelled_order(world)
    world.standin.set_fault("error_without_message", error_code="INSUFFICIENT_BALANCE")
    world.work(SEND_REFUND)
    calls = []
    for _ in range(5):
        send_again(world, days=1)
        (job,) = world.jobs(SEND_REFUND)
        calls.append(round((job.due_at - world.now()).total_seconds() / 3600))

    assert calls == [6] * 5
    heal(world)
    world.standin.set_fault("refund_stays_pending")
    send_again(world, days=1)
    assert state(world, placed) == SENT


def send_twice(world: World, refund_id: int, *, after: str) -> tuple[object, object]:
    return world.overlap(*[lambda: send(world, refund_id)] * 2, after=after)


@pytest.mark.parametrize("moment", ["FROM refunds", "UPDATE refunds"])
def test_two_workers_send_it_once(mariadb_world: World, moment: str) -> None:
    placed = cancelled_order(mariadb_world)

    results = send_twice(mariadb_world, refund_of(mariadb_world, placed).id, after=moment)

    assert len(mariadb_world.standin.requests(*POSTS)) == 1
    assert {type(result) for result in results} <= {type(None), RetryLater}
    assert state(mariadb_world, placed) == SENT


def test_without_the_lock_of_the_refund_both_would_send_it(
    mariadb_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = cancelled_order(mariadb_world)

    def unlocked(session: Session, refund_id: int) -> Refund:
        return session.get_one(Refund, refund_id, populate_existing=True)

    monkeypatch.setattr(refunding, "lock_refund", unlocked)
    send_twice(mariadb_world, refund_of(mariadb_world, placed).id, after="FROM refunds")

    assert len(mariadb_world.standin.requests(*POSTS)) == 2
    assert len(at_xendit(mariadb_world, placed)) == 1  # the idempotency key is the second net


def open_refund(
    world: World, placed: PlacedOrder, money: Money, amount: int, reason: RefundReason
) -> int | None:
    """Open a refund in a transaction of its own and return its amount."""
    with world.app.app_context(), transaction() as session:
        order = lock_order(session, placed.order_id)
        refund = refunds.open_refund(session, order, money, amount, reason, now=world.now())
        return refund.amount if refund else None


def test_refunds_of_one_invoice_never_exceed_what_was_paid(world: World) -> None:
    placed = paid_order(world)
    money = Money(world.invoice_id(placed), PRICE, "DANA")
    reasons = (RefundReason.DIFFERENCE, RefundReason.SEATS_GONE, RefundReason.CANCELLED)

    opened = [open_refund(world, placed, money, 100_000, reason) for reason in reasons]

    assert opened == [100_000, PRICE - 100_000, None]


def test_a_second_paid_invoice_is_refunded_by_itself(world: World) -> None:
    world.standin.set_fault("paid_twice", times=1)
    placed = paid_order(world, "QRIS")
    second = next(
        one["id"]
        for one in world.standin.invoices(placed.code)
        if one["id"] != world.invoice_id(placed)
    )
    world.callback(placed, id=second)
    world.work()

    refund = refund_of(world, placed)
    assert refund.reason is RefundReason.DOUBLE_PAYMENT
    assert (refund.invoice_id, refund.amount) == (second, PRICE)
    assert refund.status in (RefundStatus.SENT, RefundStatus.SUCCEEDED)
    assert CaseKind.DOUBLE_PAYMENT.value in refund.reference_id


def test_a_paid_order_that_staff_cancels_is_refunded_from_end_to_end(each_world: World) -> None:
    placed = sent_refund(each_world)
    end_at_xendit(each_world, placed)
    each_world.advance(hours=2)
    each_world.work(refunding.FOLLOW_REFUND)

    assert state(each_world, placed) == ("succeeded", "xendit")
    standing = each_world.standing(placed)
    assert (standing.order, standing.payment, standing.sold) == ("CANCELLED", "PAID", 0)
    assert each_world.violations() == []

"""Following refunds: webhooks are hints, Xendit's word is read; lost webhooks change nothing."""

from datetime import timedelta
from typing import Any

import pytest

from app.extensions import db
from app.integrations.xendit_refunds import XenditRefundStatus
from app.models import Callback
from app.services.money import deciding, refunding
from app.services.money.letters import BANK_DETAILS, REFUND_SENT
from app.services.money.refunding import CONFIRM_REFUND, FOLLOW_REFUND
from app.services.money.refunds import SEND_REFUND
from tests.money.refunded import (
    STAFF,
    at_xendit,
    cancelled_order,
    end_at_xendit,
    envelope,
    letters,
    refund_callback,
    refund_of,
    send_again,
    sent_refund,
    state,
)
from tests.money.world import World

SENT = ("sent", "xendit")
SUCCEEDED = ("succeeded", "xendit")
FAILED = ("failed", "by_hand")


def kept(world: World) -> list[tuple[str, str, int]]:
    """Return id, event and number of the refund webhooks that were kept."""
    with world.app.app_context():
        found = db.session.query(Callback).filter(Callback.status.startswith("refund"))
        return [(one.invoice_id, one.status, one.deliveries) for one in found]


@pytest.mark.parametrize("nested", [False, True])
def test_a_webhook_has_the_refund_read(each_world: World, nested: bool) -> None:
    placed = sent_refund(each_world)
    end_at_xendit(each_world, placed)
    (found,) = at_xendit(each_world, placed)

    answer = refund_callback(each_world, envelope(found.id, nested=nested))

    assert (answer.status_code, answer.get_json()["received"]) == (200, True)
    assert state(each_world, placed) == SENT  # the webhook itself changed nothing
    each_world.work(CONFIRM_REFUND)
    assert state(each_world, placed) == SUCCEEDED
    assert letters(each_world) == [REFUND_SENT]
    assert refund_of(each_world, placed).finished_by == "xendit"


def test_doubled_webhooks_are_counted_and_the_buyer_is_told_once(each_world: World) -> None:
    placed = sent_refund(each_world)
    end_at_xendit(each_world, placed)
    (found,) = at_xendit(each_world, placed)

    answers = each_world.in_threads(4, lambda _: refund_callback(each_world, envelope(found.id)))
    each_world.in_threads(4, lambda _: each_world.work(CONFIRM_REFUND))

    assert [getattr(answer, "status_code", answer) for answer in answers] == [200] * 4
    assert kept(each_world) == [(found.id, "refund.succeeded", 4)]
    assert state(each_world, placed) == SUCCEEDED
    assert letters(each_world) == [REFUND_SENT]


def test_a_forged_success_changes_nothing(world: World) -> None:
    placed = sent_refund(world)
    (found,) = at_xendit(world, placed)

    refund_callback(world, envelope(found.id, amount=1, failure_code=None))
    world.work(CONFIRM_REFUND)

    assert state(world, placed) == SENT
    assert letters(world) == []


def test_a_refund_of_another_order_changes_nothing_here(world: World) -> None:
    mine, other = sent_refund(world, "DANA"), sent_refund(world, "QRIS")
    end_at_xendit(world, other)
    (strange,) = at_xendit(world, other)
    reference = refund_of(world, mine).reference_id

    with world.app.app_context():
        refunding.confirm_refund(
            refund_of(world, mine).id,
            now=world.now(),
            gateway=world.gateway,
            xendit_refund_id=strange.id,
        )

    assert strange.reference != reference
    assert state(world, mine) == SENT


@pytest.mark.parametrize("token", ["", "not-the-token"])
def test_a_wrong_token_is_refused_and_nothing_is_kept(world: World, token: str) -> None:
    placed = sent_refund(world)

    answer = refund_callback(world, envelope(at_xendit(world, placed)[0].id), token=token)

    assert answer.status_code == 401
    assert answer.get_json()["code"] == "callback_token_invalid"
    assert kept(world) == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[",
        "[" * 5000,
        "[]",
        "{}",
        '{"data": []}',
        '{"data": {"id": 7}}',
        '{"data": {"id": ""}}',
    ],
)
def test_a_body_without_a_refund_is_malformed(world: World, body: str) -> None:
    answer = refund_callback(world, body)

    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed_json")


def test_a_stranger_is_kept_and_left_alone(world: World) -> None:
    answer = refund_callback(world, envelope("rfd-nobody-knows", invoice_id="0" * 24))

    assert answer.status_code == 200
    assert kept(world) == [("rfd-nobody-knows", "refund.succeeded", 1)]
    assert world.jobs(CONFIRM_REFUND, None) == []


def test_an_id_that_xendit_does_not_know_is_not_asked_about_for_ever(world: World) -> None:
    placed = sent_refund(world)
    hint: dict[str, Any] = {"invoice_id": world.invoice_id(placed)}

    refund_callback(world, envelope("../v2/invoices", **hint))
    refund_callback(world, envelope("rfd-unknown", **hint))
    world.work(CONFIRM_REFUND)

    assert world.jobs(CONFIRM_REFUND) == []
    assert state(world, placed) == SENT


@pytest.mark.parametrize("by", ["reference_id", "invoice_id"])
def test_a_webhook_before_the_answer_makes_the_refund_known(world: World, by: str) -> None:
    placed = cancelled_order(world)
    world.standin.set_fault("refund_answer_lost", times=1)
    world.work(SEND_REFUND)
    end_at_xendit(world, placed)
    (found,) = at_xendit(world, placed)
    names = {"reference_id": found.reference, "invoice_id": world.invoice_id(placed)}

    body = envelope(found.id)
    body["data"][by] = names[by]
    refund_callback(world, body)
    world.work(CONFIRM_REFUND)
    send_again(world)

    assert state(world, placed) == SUCCEEDED
    assert len(at_xendit(world, placed)) == 1
    assert letters(world) == [REFUND_SENT]


def test_without_any_webhook_it_is_read_every_hour(world: World) -> None:
    placed = sent_refund(world)
    for _ in range(3):
        (job,) = world.jobs(FOLLOW_REFUND)
        assert timedelta(minutes=59) < job.due_at - world.now() < timedelta(minutes=61)
        world.advance_ours(hours=1, minutes=1)
        world.work(FOLLOW_REFUND)
    assert state(world, placed) == SENT

    end_at_xendit(world, placed)
    world.advance_ours(hours=1, minutes=1)
    world.work(FOLLOW_REFUND)

    assert state(world, placed) == SUCCEEDED
    assert world.jobs(FOLLOW_REFUND) == []


def test_a_failed_refund_asks_the_buyer_for_an_account(world: World) -> None:
    placed = sent_refund(world)
    end_at_xendit(world, placed, fails="ACCOUNT_NOT_FOUND")
    (found,) = at_xendit(world, placed)

    for _ in range(2):
        refund_callback(world, envelope(found.id, "refund.failed"))
        world.work(CONFIRM_REFUND)

    refund = refund_of(world, placed)
    assert state(world, placed) == FAILED
    assert (refund.failure_code, refund.needs_bank_details) == ("ACCOUNT_NOT_FOUND", True)
    assert letters(world) == [BANK_DETAILS]


def test_a_failed_refund_can_be_sent_once_more_and_old_webhooks_do_not_stop_it(
    world: World,
) -> None:
    placed = sent_refund(world)
    end_at_xendit(world, placed, fails="INSUFFICIENT_BALANCE")
    (first,) = at_xendit(world, placed)
    refund_callback(world, envelope(first.id, "refund.failed"))
    world.work(CONFIRM_REFUND)

    with world.app.app_context():
        deciding.retry_refund(refund_of(world, placed).id, by="tests", now=world.now())
    refund_callback(world, envelope(first.id, "refund.failed"))
    world.work(CONFIRM_REFUND)
    assert state(world, placed) == ("due", "xendit")
    world.standin.set_fault("refund_answer_lost", times=1)
    send_again(world)
    send_again(world, hours=2)

    second = at_xendit(world, placed)[1:]
    assert [one.reference for one in second] == [f"{first.reference}-{first.id[-8:]}"]
    assert refund_of(world, placed).xendit_refund_id == second[0].id


def test_money_that_went_by_hand_and_by_xendit_is_called_out(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    placed = sent_refund(world)
    (found,) = at_xendit(world, placed)
    refund_id = refund_of(world, placed).id
    with world.app.app_context():
        failed = type(found)(found.id, found.reference, XenditRefundStatus.FAILED, "X")
        refunding.record(refund_id, failed, now=world.now())
        deciding.mark_refund_done(refund_id, by=STAFF, note="BCA 4711", now=world.now())
    end_at_xendit(world, placed)

    refund_callback(world, envelope(found.id))
    world.work(CONFIRM_REFUND)

    assert state(world, placed)[0] == "done_by_hand"
    assert "this money goes back twice: stop one of them" in caplog.messages

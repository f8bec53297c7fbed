"""Bank details: asked of the right person only, kept only while needed, never in a log."""

import logging
from dataclasses import replace

import pytest

from app.errors import OrderNotFound, ValidationFailed
from app.integrations.xendit_refunds import XenditRefund, XenditRefundStatus
from app.services.money import deciding, refunding
from app.services.money.bank_details import BankDetailsNotNeeded, give_bank_details
from app.services.money.letters import BANK_DETAILS, REFUND_SENT
from app.services.money.refunds import SEND_REFUND
from app.services.selling.ordering import PlacedOrder
from tests.money.refunded import (
    STAFF,
    cancelled_order,
    letters,
    refund_of,
    send_again,
    sent_refund,
    state,
)
from tests.money.world import World

GIVEN = ("Bank Senja", "1234567890", "Sari Dewi")
NOTHING = (None, None, None)


def details(world: World, placed: PlacedOrder) -> tuple[str | None, str | None, str | None]:
    refund = refund_of(world, placed)
    return refund.bank_name, refund.account_number, refund.account_holder


def give(
    world: World, placed: PlacedOrder, *typed: str, token: str = "", reference: str = ""
) -> None:
    """Give bank details as the buyer's page does."""
    with world.app.app_context():
        give_bank_details(
            reference or refund_of(world, placed).reference_id,
            token or placed.token,
            *(typed or GIVEN),
        )


def test_a_buyer_names_an_account_and_it_is_erased_when_the_money_was_sent(
    each_world: World,
) -> None:
    placed = sent_refund(each_world, "BCA")
    give(each_world, placed, "  Bank   Senja ", "123 456-7890", "Sari  Dewi")
    assert details(each_world, placed) == GIVEN

    with each_world.app.app_context():
        refund_id = refund_of(each_world, placed).id
        deciding.mark_refund_done(refund_id, by=STAFF, note="BCA 4711", now=each_world.now())

    refund = refund_of(each_world, placed)
    assert state(each_world, placed) == ("done_by_hand", "by_hand")
    assert (refund.finished_by, refund.note) == (STAFF, "BCA 4711")
    assert details(each_world, placed) == NOTHING
    assert letters(each_world) == [BANK_DETAILS, REFUND_SENT]


def test_an_account_is_erased_when_xendit_succeeds_after_all(world: World) -> None:
    placed = sent_refund(world)
    refund = refund_of(world, placed)
    gone = XenditRefund(
        refund.xendit_refund_id or "", refund.reference_id, XenditRefundStatus.FAILED, "X"
    )
    with world.app.app_context():
        refunding.record(refund.id, gone, now=world.now())
    give(world, placed)

    with world.app.app_context():
        arrived = replace(gone, status=XenditRefundStatus.SUCCEEDED)
        refunding.record(refund.id, arrived, now=world.now())

    assert state(world, placed)[0] == "succeeded"
    assert details(world, placed) == NOTHING


def test_an_account_is_erased_when_the_refund_goes_to_xendit_instead(world: World) -> None:
    placed = cancelled_order(world)
    world.standin.set_fault("refund_by_invoice_off", times=1)
    world.work(SEND_REFUND)
    give(world, placed)

    with world.app.app_context():
        deciding.retry_refund(refund_of(world, placed).id, by="tests", now=world.now())
    assert details(world, placed) == NOTHING
    send_again(world)

    assert state(world, placed) == ("sent", "xendit")


@pytest.mark.parametrize("token", ["x", "tökén", "0" * 64])
def test_only_who_has_the_order_page_may_name_an_account(world: World, token: str) -> None:
    placed = sent_refund(world, "BCA")

    with pytest.raises(OrderNotFound):
        give(world, placed, token=token)
    with pytest.raises(OrderNotFound):
        give(world, placed, reference="TXNOBODY-cancelled-00000000")

    assert details(world, placed) == NOTHING


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        (("", "", ""), ["bank_name", "account_number", "account_holder"]),
        ((" ", "1234567890", "Sari"), ["bank_name"]),
        (("B" * 101, "1234567890", "Sari"), ["bank_name"]),
        (("BCA", "1234", "Sari"), ["account_number"]),
        (("BCA", "1" * 35, "Sari"), ["account_number"]),
        (("BCA", "12345x7890", "Sari"), ["account_number"]),
        (("BCA", "١٢٣٤٥٦٧٨٩٠", "Sari"), ["account_number"]),
        (("BCA", "1234567890", "Sa\x00ri"), ["account_holder"]),
        (("BCA", "1234567890", "S" * 101), ["account_holder"]),
    ],
)
def test_what_cannot_be_an_account_is_refused_field_by_field(
    world: World, typed: tuple[str, str, str], fields: list[str]
) -> None:
    placed = sent_refund(world, "BCA")

    with pytest.raises(ValidationFailed) as refused:
        give(world, placed, *typed)

    assert [error.field for error in refused.value.errors] == fields
    assert details(world, placed) == NOTHING


def test_no_account_is_taken_when_none_is_asked_for(world: World) -> None:
    by_xendit, by_hand = sent_refund(world, "DANA"), sent_refund(world, "BCA")
    give(world, by_hand)

    for placed in (by_xendit, by_hand):
        with pytest.raises(BankDetailsNotNeeded):
            give(world, placed, "Bank Lain", "9876543210", "Orang Lain")

    assert details(world, by_xendit) == NOTHING
    assert details(world, by_hand) == GIVEN


def test_an_account_is_never_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    placed = sent_refund(world, "BCA")
    give(world, placed)
    with pytest.raises(BankDetailsNotNeeded):
        give(world, placed)
    with world.app.app_context():
        refund_id = refund_of(world, placed).id
        deciding.mark_refund_done(refund_id, by=STAFF, note="done", now=world.now())

    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "refund done" in logged
    assert not [secret for secret in GIVEN if secret in logged]

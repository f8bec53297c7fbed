"""Refunds: accepted, ended later, refused by channel and amount."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.client import StandIn, wait_until
from tests.sandbox.merchant import Merchant, body_of
from tests.sandbox.receiver import Receiver
from tests.sandbox.shapes import assert_shape_as_recorded


@pytest.fixture
def paid(merchant: Merchant, stand_in: StandIn) -> dict[str, Any]:
    invoice = merchant.create()
    return stand_in.pay(invoice["id"], "DANA", callback=False)


def refund(merchant: Merchant, key: str = "", **changes: Any) -> requests.Response:
    body = {
        "reference_id": "R-1",
        "currency": "IDR",
        "reason": "REQUESTED_BY_CUSTOMER",
        "metadata": {"order_id": "7Q2M"},
    } | changes
    headers = {"idempotency-key": key} if key else {}
    return merchant.call("POST", "/refunds", json=body, headers=headers)


def test_a_refund_is_pending_first_and_succeeds_later(
    paid: dict[str, Any], merchant: Merchant, receiver: Receiver
) -> None:
    answer = refund(merchant, invoice_id=paid["id"])

    assert_shape_as_recorded(answer.json(), "refund_create_by_invoice")
    assert (answer.json()["status"], answer.json()["amount"]) == ("PENDING", 305_000)
    webhook = receiver.wait_for(1)[0]
    assert_shape_as_recorded(webhook.body, "refund_webhook_succeeded")
    read = merchant.call("GET", f"/refunds/{answer.json()['id']}")
    assert read.json()["status"] == "SUCCEEDED"


def test_a_refund_can_end_failed(
    paid: dict[str, Any], merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.set_fault("refund_fails")
    refund(merchant, invoice_id=paid["id"])

    webhook = receiver.wait_for(1)[0]

    assert_shape_as_recorded(webhook.body, "refund_webhook_failed")
    assert webhook.body["event"] == "refund.failed"
    assert webhook.body["data"]["failure_code"] == "INSUFFICIENT_BALANCE"


def test_a_refund_can_stay_pending(
    paid: dict[str, Any], merchant: Merchant, stand_in: StandIn
) -> None:
    stand_in.set_fault("refund_stays_pending")
    made = body_of(refund(merchant, invoice_id=paid["id"]))
    stand_in.advance(86_400)
    other = merchant.create(external_id="LATER", invoice_duration=1)

    def is_expired() -> bool:
        return bool(merchant.read(other["id"])["status"] == "EXPIRED")

    # Once the timer has expired another invoice, it has passed this refund by too.
    wait_until(is_expired, timeout=60, what="the timer")
    assert merchant.call("GET", f"/refunds/{made['id']}").json()["status"] == "PENDING"


def test_a_payment_request_id_names_the_payment_as_well(
    paid: dict[str, Any], merchant: Merchant, stand_in: StandIn
) -> None:
    stand_in.set_fault("refund_by_invoice_off")

    assert refund(merchant, invoice_id=paid["id"]).status_code == 400
    made = refund(merchant, payment_request_id=paid["payment_request_id"])
    assert made.json()["invoice_id"] == paid["id"]


def test_the_same_idempotency_key_refunds_once(paid: dict[str, Any], merchant: Merchant) -> None:
    first = refund(merchant, "key-1", invoice_id=paid["id"], amount=5000)
    again = refund(merchant, "key-1", invoice_id=paid["id"], amount=5000)
    other = refund(merchant, "key-1", invoice_id=paid["id"], amount=6000)

    assert again.json()["id"] == first.json()["id"]
    assert (other.status_code, other.json()["error_code"]) == (409, "IDEMPOTENCY_ERROR")


def test_no_more_is_refunded_than_was_paid(paid: dict[str, Any], merchant: Merchant) -> None:
    assert refund(merchant, invoice_id=paid["id"], amount=300_000).status_code == 200

    more = refund(merchant, invoice_id=paid["id"], amount=5001)

    assert (more.status_code, more.json()["error_code"]) == (400, "MAXIMUM_REFUND_AMOUNT_REACHED")


@pytest.mark.parametrize("channel", ["BCA", "ALFAMART", "OVO", "ASTRAPAY"])
def test_some_channels_cannot_refund(channel: str, merchant: Merchant, stand_in: StandIn) -> None:
    invoice = merchant.create()
    stand_in.pay(invoice["id"], channel, callback=False)

    answer = refund(merchant, invoice_id=invoice["id"])

    assert (answer.status_code, answer.json()["error_code"]) == (403, "REFUND_NOT_SUPPORTED")


def test_some_channels_refund_the_whole_only(merchant: Merchant, stand_in: StandIn) -> None:
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "LINKAJA", callback=False)

    part = refund(merchant, invoice_id=invoice["id"], amount=1000)

    assert part.json()["error_code"] == "PARTIAL_REFUND_NOT_SUPPORTED"
    assert refund(merchant, invoice_id=invoice["id"]).status_code == 200


def test_an_unpaid_or_unknown_invoice_has_nothing_to_refund(merchant: Merchant) -> None:
    unpaid = refund(merchant, invoice_id=merchant.create()["id"])
    unknown = refund(merchant, invoice_id="6a000000bc62165502ccd3c9")

    assert unpaid.json()["error_code"] == "INELIGIBLE_TRANSACTION"
    assert (unknown.status_code, unknown.json()["error_code"]) == (404, "DATA_NOT_FOUND")

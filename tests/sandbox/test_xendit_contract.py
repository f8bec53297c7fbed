"""Answers and webhooks look field by field as recorded at Xendit, or as documented."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.client import StandIn
from tests.sandbox.merchant import Merchant, body_of
from tests.sandbox.receiver import Receiver
from tests.sandbox.shapes import RECORDED, assert_shape_as_recorded, shape

NO_EXTRAS = ("fees", "customer", "customer_notification_preference")


def pay(stand_in: StandIn, invoice: dict[str, Any], channel: str) -> None:
    stand_in.pay(invoice["id"], channel)


def test_a_minimal_create_answers_as_recorded(merchant: Merchant) -> None:
    answer = merchant.call("POST", "/v2/invoices", json={"external_id": "M-1", "amount": 100_000})

    assert answer.status_code == 200
    assert_shape_as_recorded(answer.json(), "create_invoice_minimal")
    assert answer.json()["should_exclude_credit_card"] is False


def test_a_full_create_answers_as_recorded(merchant: Merchant) -> None:
    invoice = merchant.create()

    assert_shape_as_recorded(invoice, "create_invoice")
    assert invoice["status"] == "PENDING"
    assert invoice["should_exclude_credit_card"] is True


def test_a_pending_invoice_reads_as_recorded(merchant: Merchant) -> None:
    invoice = merchant.create()

    assert_shape_as_recorded(merchant.read(invoice["id"]), "get_invoice_pending")


def test_an_invoice_paid_by_virtual_account_reads_as_recorded(
    merchant: Merchant, stand_in: StandIn
) -> None:
    invoice = merchant.create()
    pay(stand_in, invoice, "MANDIRI")

    read = merchant.read(invoice["id"])

    assert_shape_as_recorded(read, "get_invoice_paid_virtual_account")
    assert [b["bank_code"] for b in read["available_banks"] if "bank_account_number" in b] == [
        "MANDIRI"
    ]


def test_an_invoice_paid_by_e_wallet_reads_as_recorded(
    merchant: Merchant, stand_in: StandIn
) -> None:
    invoice = merchant.create(*NO_EXTRAS)
    pay(stand_in, invoice, "DANA")

    assert_shape_as_recorded(merchant.read(invoice["id"]), "get_invoice_paid_ewallet")


def test_an_invoice_expired_by_time_keeps_its_planned_expiry(
    merchant: Merchant, stand_in: StandIn
) -> None:
    invoice = merchant.create(*NO_EXTRAS, "metadata")
    stand_in.advance(1801)

    read = merchant.read(invoice["id"])

    assert_shape_as_recorded(read, "get_invoice_expired_by_time")
    assert read["status"] == "EXPIRED"
    assert read["expiry_date"] == invoice["expiry_date"] < read["updated"]


def test_expiring_answers_the_invoice_with_the_moment_of_expiry(merchant: Merchant) -> None:
    invoice = merchant.create(*NO_EXTRAS, "metadata")

    answer = merchant.expire(invoice["id"])

    assert answer.status_code == 200
    assert_shape_as_recorded(answer.json(), "expire_invoice")
    body = body_of(answer)
    assert body["status"] == "EXPIRED"
    assert body["expiry_date"] == body["updated"] < invoice["expiry_date"]


@pytest.mark.parametrize(
    ("channel", "recorded"),
    [
        ("MANDIRI", "webhook_invoice_paid_virtual_account"),
        ("DANA", "webhook_invoice_paid_ewallet"),
        ("QRIS", "webhook_invoice_paid_qris"),
    ],
)
def test_a_paid_webhook_looks_as_recorded_for_its_channel(
    channel: str, recorded: str, merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    without = () if channel == "MANDIRI" else ("fees",)
    invoice = merchant.create(*without)
    pay(stand_in, invoice, channel)

    webhook = receiver.wait_for(1)[0]

    assert_shape_as_recorded(webhook.body, recorded)
    assert webhook.body["payment_channel"] == channel
    assert webhook.headers["x-callback-token"] == "local-callback-token"
    assert shape(webhook.headers["webhook-id"]) == "uuid"


def test_a_retail_webhook_names_the_outlet_and_the_payment_code(
    merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    invoice = merchant.create()
    pay(stand_in, invoice, "ALFAMART")

    body = receiver.wait_for(1)[0].body

    assert (body["payment_method"], body["payment_channel"]) == ("RETAIL_OUTLET", "ALFAMART")
    assert body["payment_destination"].startswith("TEST")
    assert not {"payment_id", "bank_code", "ewallet_type"} & set(body)


def test_a_card_webhook_carries_the_charge_and_the_token(
    merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    invoice = merchant.create("payment_methods")
    pay(stand_in, invoice, "CREDIT_CARD")

    body = receiver.wait_for(1)[0].body

    assert (body["payment_method"], body["payment_channel"]) == ("CREDIT_CARD", "CREDIT_CARD")
    assert shape(body["credit_card_charge_id"]) == shape(body["credit_card_token"]) == "hex24"


def test_an_expired_webhook_looks_as_documented(
    merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.set_fault("expired_webhook")
    merchant.expire(merchant.create()["id"])

    assert_shape_as_recorded(receiver.wait_for(1)[0].body, "webhook_invoice_expired")


@pytest.mark.parametrize(
    ("recorded", "changes"),
    [
        ("error_400_validation", {"external_id": None}),
        ("error_400_unavailable_payment_method", {"payment_methods": ["BCA", "KREDIVO"]}),
    ],
)
def test_a_refused_create_looks_as_recorded(
    recorded: str, changes: dict[str, Any], merchant: Merchant
) -> None:
    answer = merchant.try_to_create(**changes)

    assert answer.status_code == RECORDED[recorded]["status"]
    assert_shape_as_recorded(answer.json(), recorded)


def test_the_recorded_validation_error_is_given_word_for_word(merchant: Merchant) -> None:
    answer = merchant.try_to_create(external_id=None)

    assert answer.json()["errors"] == [
        {
            "field": ["external_id"],
            "location": "body",
            "messages": ['"external_id" must be a string'],
            "types": ["string.base"],
        }
    ]


def test_a_body_that_is_no_json_is_refused(merchant: Merchant) -> None:
    headers = {"Content-Type": "application/json"}
    answer = merchant.call("POST", "/v2/invoices", data="{oops", headers=headers)

    assert answer.status_code == 400
    assert_shape_as_recorded(answer.json(), "error_400_invalid_json")
    assert answer.json()["error_code"] == "INVALID_JSON_FORMAT"


def test_a_wrong_key_is_refused(stand_in: StandIn) -> None:
    answer = Merchant(stand_in.base_url, "xnd_development_other").call("GET", "/v2/invoices")

    assert answer.status_code == 401
    assert_shape_as_recorded(answer.json(), "error_401_invalid_api_key")
    assert answer.json()["error_code"] == "INVALID_API_KEY"


def test_an_unknown_invoice_is_not_found(merchant: Merchant) -> None:
    answer = merchant.call("GET", "/v2/invoices/6a000000bc62165502ccd3c9")

    assert answer.status_code == 404
    assert_shape_as_recorded(answer.json(), "error_404_get_invoice")
    assert answer.json() == {
        "error_code": "INVOICE_NOT_FOUND_ERROR",
        "message": "Could not find invoice by id 6a000000bc62165502ccd3c9",
    }


@pytest.mark.parametrize(
    ("switch", "recorded"),
    [("rate_limited", "error_429_rate_limit"), ("server_error", "error_500")],
)
def test_trouble_looks_as_documented(
    switch: str, recorded: str, merchant: Merchant, stand_in: StandIn
) -> None:
    stand_in.set_fault(switch)

    answer = merchant.try_to_create()

    assert answer.status_code == RECORDED[recorded]["status"]
    assert_shape_as_recorded(answer.json(), recorded)


def test_a_refusal_to_expire_looks_as_reported(merchant: Merchant) -> None:
    invoice = merchant.create()
    merchant.expire(invoice["id"])

    assert_shape_as_recorded(merchant.expire(invoice["id"]).json(), "expire_invoice_not_pending")


@pytest.mark.parametrize(
    ("url", "recorded"),
    [
        ("https://tickets.example/callback", "set_invoice_webhook_url"),
        ("no url", "set_invoice_webhook_url_invalid"),
    ],
)
def test_registering_a_webhook_url_looks_as_documented(
    url: str, recorded: str, merchant: Merchant
) -> None:
    answer = merchant.call("POST", "/callback_urls/invoice", json={"url": url})

    assert answer.status_code == RECORDED[recorded]["status"]
    assert_shape_as_recorded(answer.json(), recorded)


def test_every_answer_carries_the_recorded_headers(merchant: Merchant) -> None:
    answer = merchant.call("GET", "/v2/invoices")

    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Request-Id"].isdecimal()
    assert answer.headers["Rate-Limit-Limit"] == "60"
    assert answer.headers["Rate-Limit-Remaining"] == "59"
    assert 0 < float(answer.headers["Rate-Limit-Reset"]) <= 60

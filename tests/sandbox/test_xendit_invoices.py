"""What happens to invoices: created, listed, expired, paid, paid late, settled."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.client import SandboxError, StandIn, wait_until
from tests.sandbox.merchant import Merchant, body_of
from tests.sandbox.receiver import Receiver


def test_the_same_external_id_makes_a_second_payable_invoice(
    merchant: Merchant, stand_in: StandIn
) -> None:
    first, second = merchant.create(), merchant.create()

    stand_in.pay(first["id"], "BCA")
    stand_in.pay(second["id"], "BCA")

    found = merchant.call("GET", "/v2/invoices", params={"external_id": first["external_id"]})
    assert [each["id"] for each in found.json()] == [second["id"], first["id"]]
    assert {each["status"] for each in found.json()} == {"PAID"}


def test_ids_begin_with_the_second_of_creation(merchant: Merchant) -> None:
    earlier, later = merchant.create(), merchant.create()

    assert 0 <= int(later["id"][:8], 16) - int(earlier["id"][:8], 16) <= 5
    assert earlier["id"] != later["id"]


def test_create_works_with_a_trailing_slash(merchant: Merchant) -> None:
    body = {"external_id": "S-1", "amount": 20_000}

    assert merchant.call("POST", "/v2/invoices/", json=body).status_code == 200


def test_decimals_of_the_amount_are_cut_off(merchant: Merchant) -> None:
    assert merchant.create(amount=4550.5)["amount"] == 4550


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "150000"}, "amount"),
        ({"amount": 0}, "amount"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 256}, "external_id"),
        ({"invoice_duration": 0}, "invoice_duration"),
        ({"invoice_duration": 31_536_001}, "invoice_duration"),
        ({"locale": "fr"}, "locale"),
        ({"items": [{"name": "A", "price": 1}]}, "items.0.quantity"),
        ({"customer": {"email": 5}}, "customer.email"),
        ({"success_redirect_url": "u" * 256}, "success_redirect_url"),
    ],
)
def test_a_field_that_breaks_its_rule_is_named(
    changes: dict[str, Any], field: str, merchant: Merchant, stand_in: StandIn
) -> None:
    answer = merchant.try_to_create(**changes)

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [[field]]
    assert stand_in.invoices() == []


def test_a_missing_field_is_named(merchant: Merchant) -> None:
    assert merchant.try_to_create("amount").json()["errors"][0]["types"] == ["any.required"]


def test_another_currency_is_refused(merchant: Merchant) -> None:
    answer = merchant.try_to_create(currency="EUR")

    assert (answer.status_code, answer.json()["error_code"]) == (400, "UNSUPPORTED_CURRENCY")


@pytest.mark.parametrize("path", ["/invoices/{}/expire!", "/invoices/{}/expire%21"])
def test_both_spellings_of_expire_work(path: str, merchant: Merchant) -> None:
    invoice = merchant.create()

    assert merchant.call("POST", path.format(invoice["id"])).json()["status"] == "EXPIRED"


def test_expire_below_v2_does_not_exist_but_is_recorded(
    merchant: Merchant, stand_in: StandIn
) -> None:
    path = f"/v2/invoices/{merchant.create()['id']}/expire"

    assert merchant.call("POST", path).status_code == 404
    assert [each["status"] for each in stand_in.requests(path=path)] == [404]


@pytest.mark.parametrize("first", ["expire", "pay"])
def test_only_a_pending_invoice_can_be_expired(
    first: str, merchant: Merchant, stand_in: StandIn
) -> None:
    invoice = merchant.create()
    if first == "pay":
        stand_in.pay(invoice["id"], "BCA")
    else:
        stand_in.expire(invoice["id"])

    answer = merchant.expire(invoice["id"])

    assert answer.status_code == 404
    message = body_of(answer)["message"]
    assert message == f"Could not find and update PENDING invoice {invoice['id']}"


def test_time_expires_an_invoice_without_being_asked(
    merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.set_fault("expired_webhook")
    invoice = merchant.create(invoice_duration=1)

    webhook = receiver.wait_for(1)[0]

    assert (webhook.body["id"], webhook.body["status"]) == (invoice["id"], "EXPIRED")


def test_no_webhook_tells_of_an_expiry_unless_switched_on(
    merchant: Merchant, stand_in: StandIn
) -> None:
    invoice = merchant.create()
    stand_in.expire(invoice["id"])

    assert stand_in.deliveries() == []


def test_lists_filter_page_and_limit(merchant: Merchant, stand_in: StandIn) -> None:
    ids = [merchant.create(external_id=f"L-{n}")["id"] for n in range(12)]
    stand_in.pay(ids[3], "BCA")
    stand_in.expire(ids[4])

    def listed(**filters: Any) -> list[str]:
        answer = merchant.call("GET", "/v2/invoices", params=filters)
        assert answer.status_code == 200
        return [each["id"] for each in answer.json()]

    assert listed() == ids[:1:-1]
    assert listed(limit=2) == ids[:9:-1]
    assert listed(limit=2, last_invoice=ids[10]) == [ids[9], ids[8]]
    assert listed(external_id="L-5") == [ids[5]]
    assert listed(external_id="nobody") == []
    assert listed(statuses='["PAID","EXPIRED"]') == [ids[4], ids[3]]
    assert listed(statuses=["PAID", "EXPIRED"]) == [ids[4], ids[3]]
    assert listed(paid_after="2020-01-01T00:00:00Z") == [ids[3]]
    assert listed(created_before="2020-01-01T00:00:00Z") == []


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "created_after=yesterday"])
def test_a_filter_that_cannot_be_read_is_refused(query: str, merchant: Merchant) -> None:
    assert merchant.call("GET", f"/v2/invoices?{query}").status_code == 400


def test_paid_at_of_banks_has_whole_seconds(merchant: Merchant, stand_in: StandIn) -> None:
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "BCA")

    assert merchant.read(invoice["id"])["paid_at"].endswith(".000Z")


def test_a_paid_invoice_settles(merchant: Merchant, stand_in: StandIn) -> None:
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "BCA")
    stand_in.settle(invoice["id"])

    assert merchant.read(invoice["id"])["status"] == "SETTLED"


def test_an_invoice_is_paid_once_only(merchant: Merchant, stand_in: StandIn) -> None:
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "BCA")

    with pytest.raises(SandboxError, match="is PAID"):
        stand_in.pay(invoice["id"], "BCA")


def test_a_late_payment_turns_an_expired_invoice_paid(
    merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    invoice = merchant.create()
    stand_in.expire(invoice["id"])
    with pytest.raises(SandboxError, match="is EXPIRED"):
        stand_in.pay(invoice["id"], "QRIS")

    stand_in.pay(invoice["id"], "QRIS", after_expiry=True)

    assert merchant.read(invoice["id"])["status"] == "PAID"
    assert receiver.wait_for(1)[0].body["status"] == "PAID"


def test_a_payment_without_callback_is_seen_by_reading_only(
    merchant: Merchant, stand_in: StandIn
) -> None:
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "BCA", callback=False, amount=300_000)

    assert merchant.read(invoice["id"])["paid_amount"] == 300_000
    assert stand_in.deliveries() == []


def test_the_webhook_url_can_be_registered(
    merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    elsewhere = receiver.url + "?registered=yes"

    answer = merchant.call("POST", "/callback_urls/invoice", json={"url": elsewhere})
    stand_in.pay(merchant.create()["id"], "BCA")

    assert answer.json()["callback_token"] == "local-callback-token"
    assert stand_in.deliveries()[0]["url"] == elsewhere
    refused = merchant.call("POST", "/callback_urls/invoice", json={"url": "no url"})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_URL_FORMAT")


def test_calls_are_recorded_with_headers_but_without_the_key(
    merchant: Merchant, stand_in: StandIn
) -> None:
    headers = {"X-Request-ID": "request-0001"}
    merchant.call("POST", "/v2/invoices", json={"external_id": "R-1"}, headers=headers)

    recorded = stand_in.requests("POST", "/v2/invoices")

    assert len(recorded) == 1
    assert recorded[0]["body"] == {"external_id": "R-1"}
    assert recorded[0]["status"] == 400
    assert recorded[0]["headers"]["X-Request-Id"] == "request-0001"
    assert "Authorization" not in recorded[0]["headers"]


def test_reset_forgets_everything(merchant: Merchant, stand_in: StandIn) -> None:
    merchant.create()
    stand_in.set_fault("html_502")
    stand_in.advance(3600)

    stand_in.reset()

    assert (stand_in.invoices(), stand_in.requests()) == ([], [])
    assert stand_in.faults()["on"] == {}
    assert merchant.try_to_create().status_code == 200


def test_the_control_api_refuses_what_it_does_not_know(
    merchant: Merchant, stand_in: StandIn
) -> None:
    invoice = merchant.create()
    url = f"{stand_in.base_url}/_control/invoices/{invoice['id']}/pay"

    answer = requests.post(url, json={"chanel": "BCA"}, timeout=60)

    assert answer.status_code == 400
    assert "chanel" in answer.json()["error"]
    assert stand_in.invoice(invoice["id"])["status"] == "PENDING"


def test_a_minute_takes_so_many_calls_an_endpoint(merchant: Merchant, stand_in: StandIn) -> None:
    assert merchant.call("GET", "/v2/invoices").headers["Rate-Limit-Limit"] == "60"
    stand_in.set_fault("rate_limit", per_minute=3)  # sixty might take a slow machine a minute

    answers = [merchant.call("GET", "/v2/invoices") for _ in range(3)]

    assert [a.status_code for a in answers] == [200, 200, 429]
    assert answers[-1].json()["error_code"] == "RATE_LIMIT_EXCEEDED"
    assert answers[-1].headers["Rate-Limit-Remaining"] == "0"
    assert merchant.try_to_create().status_code == 200, "another endpoint has its own window"

    stand_in.advance(float(answers[-1].headers["Rate-Limit-Reset"]))

    def passes() -> bool:
        return merchant.call("GET", "/v2/invoices").status_code == 200

    wait_until(passes, timeout=60, what="the end of the window")

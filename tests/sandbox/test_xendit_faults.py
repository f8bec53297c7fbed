"""Every switch of the stand-in does what its table says."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests

from sandbox.client import SandboxError, StandIn, wait_until
from sandbox.xendit.faults import SWITCHES
from tests.sandbox.merchant import SENT, Merchant
from tests.sandbox.receiver import Receiver


def test_an_unknown_switch_is_refused_with_the_known_ones(stand_in: StandIn) -> None:
    url = f"{stand_in.base_url}/_control/faults"

    answer = requests.put(url, json={"html_502": {}, "html_503": {}}, timeout=60)

    assert answer.status_code == 400
    assert set(answer.json()["known"]) == {switch.name for switch in SWITCHES}
    assert stand_in.faults()["on"] == {}, "a wrong wish must change nothing"


@pytest.mark.parametrize(
    "settings", [{"secs": 1}, {"seconds": "1"}, {"times": 0}, {"commit_first": 1}]
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], stand_in: StandIn) -> None:
    with pytest.raises(SandboxError):
        stand_in.set_fault("create_slow", **settings)


def test_a_switch_can_be_read_and_cleared(stand_in: StandIn, merchant: Merchant) -> None:
    stand_in.set_fault("html_502", call="create", times=2)
    assert stand_in.faults()["on"] == {"html_502": {"call": "create", "times": 2}}

    assert merchant.call("GET", "/v2/invoices").status_code == 200, "only create is broken"
    assert merchant.try_to_create().status_code == 502
    stand_in.clear_faults()

    assert merchant.try_to_create().status_code == 200


def test_a_switch_turns_itself_off_after_its_times(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("server_error", times=2)

    statuses = [merchant.call("GET", "/v2/invoices").status_code for _ in range(3)]

    assert statuses == [500, 500, 200]


def test_the_edge_answers_html(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("html_502")

    answer = merchant.try_to_create()

    assert answer.status_code == 502
    assert answer.headers["Content-Type"] == "text/html"
    assert stand_in.invoices() == []


def test_an_error_can_lack_its_message(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("error_without_message", status=403, error_code="ACCESS_SUSPENDED")

    answer = merchant.try_to_create()

    assert (answer.status_code, answer.json()) == (403, {"error_code": "ACCESS_SUSPENDED"})


def test_the_rate_limit_can_strike_early(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("rate_limited", times=1, reset_seconds=0.25)

    answer = merchant.try_to_create()

    assert (answer.status_code, answer.headers["Rate-Limit-Remaining"]) == (429, "0")
    assert float(answer.headers["Rate-Limit-Reset"]) == 0.25
    assert merchant.try_to_create().status_code == 200


def test_the_rate_limit_can_be_changed(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("rate_limit", per_minute=1)

    statuses = [merchant.call("GET", "/v2/invoices").status_code for _ in range(2)]

    assert statuses == [200, 429]


def test_a_dropped_connection_does_nothing(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("connection_dropped", times=1)

    with pytest.raises(requests.ConnectionError):
        merchant.try_to_create()

    assert stand_in.invoices() == []


def test_a_lost_answer_as_502_leaves_an_invoice(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("create_answer_lost", how="502")

    assert merchant.try_to_create().status_code == 502
    assert [each["status"] for each in stand_in.invoices(SENT["external_id"])] == ["PENDING"]


def test_a_lost_answer_by_dropping_leaves_an_invoice(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("create_answer_lost", how="dropped")

    with pytest.raises(requests.ConnectionError):
        merchant.try_to_create()

    assert len(stand_in.invoices()) == 1


def test_a_lost_answer_by_timeout_leaves_an_invoice(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("create_answer_lost", how="timeout", seconds=60)

    with pytest.raises(requests.ReadTimeout):
        merchant.call("POST", "/v2/invoices", json=SENT, timeout=0.5)

    wait_until(stand_in.invoices, timeout=60, what="the invoice")
    stand_in.clear_faults()
    assert len(stand_in.invoices()) == 1


def test_a_slow_create_may_commit_before_its_wait(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("create_slow", seconds=60)

    with pytest.raises(requests.ReadTimeout):
        merchant.call("POST", "/v2/invoices", json=SENT, timeout=0.5)

    wait_until(stand_in.invoices, timeout=60, what="the invoice")
    stand_in.clear_faults()
    assert len(stand_in.invoices()) == 1


def test_a_slow_create_may_commit_after_its_wait(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("create_slow", seconds=60, commit_first=False, times=1)

    with pytest.raises(requests.ReadTimeout):
        merchant.call("POST", "/v2/invoices", json=SENT, timeout=0.5)
    wait_until(lambda: not stand_in.faults()["on"], timeout=60, what="the wait")

    assert stand_in.invoices() == []
    stand_in.clear_faults()
    wait_until(stand_in.invoices, timeout=60, what="the invoice")


def test_a_call_that_waits_does_not_reach_beyond_a_reset(
    merchant: Merchant, stand_in: StandIn
) -> None:
    stand_in.set_fault("create_slow", seconds=60, commit_first=False, times=1)
    outcomes: list[type[BaseException] | int] = []

    def create() -> None:
        try:
            outcomes.append(merchant.try_to_create().status_code)
        except requests.ConnectionError as error:
            outcomes.append(type(error))

    caller = threading.Thread(target=create)
    caller.start()
    wait_until(lambda: not stand_in.faults()["on"], timeout=60, what="the call")
    stand_in.reset()
    caller.join(timeout=60)

    assert outcomes == [requests.ConnectionError]
    assert stand_in.invoices() == []


def test_latency_delays_every_call(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("latency", milliseconds=300)
    began = time.monotonic()

    merchant.call("GET", "/v2/invoices")

    assert time.monotonic() - began >= 0.3


def test_a_webhook_can_come_before_the_create_answer(
    merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.set_fault("webhook_before_answer", channel="BCA")
    receiver.open_gate.clear()
    answers: list[dict[str, Any]] = []
    caller = threading.Thread(target=lambda: answers.append(merchant.create()))
    caller.start()

    webhook = receiver.wait_for(1)[0]
    assert answers == [], "create must not answer before the webhook was"
    receiver.open_gate.set()
    caller.join(timeout=60)

    assert answers[0]["status"] == "PENDING"
    assert (webhook.body["id"], webhook.body["status"]) == (answers[0]["id"], "PAID")


def test_channels_can_be_inactive(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("inactive_channels", codes=["OVO"])

    answer = merchant.try_to_create()

    assert answer.json()["error_code"] == "UNAVAILABLE_PAYMENT_METHOD_ERROR"
    assert merchant.try_to_create(payment_methods=["BCA"]).status_code == 200


def test_unknown_banks_fields_and_a_null_metadata_appear(
    merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    for name in ("unknown_bank_code", "unknown_fields", "metadata_null"):
        stand_in.set_fault(name)

    invoice = merchant.create()
    stand_in.pay(invoice["id"], "BCA")

    assert invoice["available_banks"][-1]["bank_code"] == "BANKBARU"
    assert invoice["metadata"] is None
    assert "field_of_tomorrow" in invoice
    assert "field_of_tomorrow" in receiver.wait_for(1)[0].body


def test_a_paid_invoice_can_read_settled_at_once(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("settled_at_once")
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "BCA")

    assert merchant.read(invoice["id"])["status"] == "SETTLED"


def test_a_list_can_lag_behind(merchant: Merchant, stand_in: StandIn) -> None:
    merchant.create()
    stand_in.set_fault("list_empty", times=1)

    lengths = [len(merchant.call("GET", "/v2/invoices").json()) for _ in range(2)]

    assert lengths == [0, 1]


def test_the_refusal_to_expire_can_be_changed(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("expire_refused", status=400, error_code="INVALID_STATE")
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "BCA")

    answer = merchant.expire(invoice["id"])

    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_STATE")


def test_a_payment_can_win_against_the_expire_call(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("paid_before_expire")
    invoice = merchant.create()

    assert merchant.expire(invoice["id"]).status_code == 404
    assert merchant.read(invoice["id"])["status"] == "PAID"


def test_the_paid_amount_can_differ(
    merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.set_fault("paid_amount_differs", by=-1000)
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "BCA")

    assert merchant.read(invoice["id"])["paid_amount"] == 304_000
    assert receiver.wait_for(1)[0].body["paid_amount"] == 304_000


@pytest.mark.parametrize("created", [1, 2])
def test_two_invoices_of_one_external_id_can_be_paid(
    created: int, merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.set_fault("paid_twice", times=1)
    invoices = [merchant.create() for _ in range(created)]
    stand_in.pay(invoices[0]["id"], "BCA")

    webhooks = receiver.wait_for(2)

    assert [each["status"] for each in stand_in.invoices(SENT["external_id"])] == ["PAID"] * 2
    assert len({webhook.body["id"] for webhook in webhooks}) == 2


def test_a_late_payment_can_leave_the_invoice_expired(
    merchant: Merchant, stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.set_fault("late_payment_stays_expired")
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "QRIS", after_expiry=True)

    read = merchant.read(invoice["id"])

    assert (read["status"], read["paid_amount"]) == ("EXPIRED", 305_000)
    assert receiver.wait_for(1)[0].body["status"] == "PAID"

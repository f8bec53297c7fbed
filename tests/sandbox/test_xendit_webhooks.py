"""Webhooks: lost, doubled, out of order, forged, retried by the table, given up on."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.client import StandIn, wait_until
from sandbox.xendit.webhooks import RETRY_SECONDS
from tests.sandbox.merchant import Merchant
from tests.sandbox.processes import ROOT, running
from tests.sandbox.receiver import Receiver

# The fixtures' stand-in runs its waits 36,000 times as fast as Xendit.
SCALE = 1 / 36_000


@pytest.fixture
def invoice(merchant: Merchant) -> dict[str, Any]:
    return merchant.create()


def test_a_lost_webhook_is_noted_but_never_sent(
    invoice: dict[str, Any], stand_in: StandIn, merchant: Merchant, receiver: Receiver
) -> None:
    stand_in.set_fault("webhook_lost", times=1)
    stand_in.pay(invoice["id"], "BCA")
    other = merchant.create()
    stand_in.pay(other["id"], "BCA")

    received = receiver.wait_for(1)

    assert [webhook.body["id"] for webhook in received] == [other["id"]]
    assert stand_in.deliveries(invoice["id"])[0]["state"] == "lost"


def test_a_duplicate_has_the_same_webhook_id_unless_told(
    invoice: dict[str, Any], stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.set_fault("webhook_duplicate", copies=3)
    stand_in.pay(invoice["id"], "BCA")

    received = receiver.wait_for(3)

    assert len({webhook.headers["webhook-id"] for webhook in received}) == 1
    assert received[0].body == received[1].body == received[2].body


@pytest.mark.parametrize(
    ("switch", "order"),
    [("expired_after_paid", ["PAID", "EXPIRED"]), ("paid_after_expired", ["EXPIRED", "PAID"])],
)
def test_webhooks_can_contradict_each_other_in_either_order(
    switch: str,
    order: list[str],
    invoice: dict[str, Any],
    stand_in: StandIn,
    merchant: Merchant,
    receiver: Receiver,
) -> None:
    stand_in.set_fault(switch)
    stand_in.pay(invoice["id"], "BCA")

    assert [webhook.body["status"] for webhook in receiver.wait_for(2)] == order
    assert merchant.read(invoice["id"])["status"] == "PAID"


def test_a_webhook_can_carry_a_wrong_token(
    invoice: dict[str, Any], stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.set_fault("webhook_wrong_token", token="forged")
    stand_in.pay(invoice["id"], "BCA")

    assert receiver.wait_for(1)[0].headers["x-callback-token"] == "forged"


def test_a_late_payment_can_go_without_webhook(invoice: dict[str, Any], stand_in: StandIn) -> None:
    stand_in.set_fault("late_webhook_off")
    stand_in.pay(invoice["id"], "BCA", after_expiry=True)

    assert stand_in.deliveries() == []


def test_a_delayed_webhook_waits_for_its_time(
    invoice: dict[str, Any], stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.set_fault("webhook_delayed", seconds=3600)
    stand_in.pay(invoice["id"], "BCA")
    assert stand_in.deliveries()[0]["state"] == "pending"
    assert receiver.received == []

    stand_in.advance(3600)

    receiver.wait_for(1)


def test_a_bad_answer_is_retried_six_times_by_the_table(
    invoice: dict[str, Any], stand_in: StandIn, receiver: Receiver
) -> None:
    receiver.statuses.extend([500] * 7)
    stand_in.pay(invoice["id"], "BCA")

    delivery = stand_in.wait_for_delivery(invoice["id"], state="failed", timeout=60)

    received = receiver.wait_for(7)
    waits = [late.at - early.at for early, late in itertools.pairwise(received)]
    assert len(delivery["attempts"]) == len(received) == 7
    # Never early; how late a loaded machine is does not matter.
    assert all(
        wait > seconds * SCALE * 0.9 for wait, seconds in zip(waits, RETRY_SECONDS, strict=True)
    )
    assert len({webhook.headers["webhook-id"] for webhook in received}) == 1


def test_retries_end_with_the_first_good_answer(
    invoice: dict[str, Any], stand_in: StandIn, receiver: Receiver
) -> None:
    receiver.statuses.extend([500, 302, 204])
    stand_in.pay(invoice["id"], "BCA")

    delivery = stand_in.wait_for_delivery(invoice["id"])

    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 302, 204]
    assert delivery["next_attempt_at"] is None


def test_a_timeout_is_not_retried_unless_switched_on(
    invoice: dict[str, Any], stand_in: StandIn, merchant: Merchant, receiver: Receiver
) -> None:
    stand_in.set_fault("webhook_timeout", seconds=0.2)
    receiver.open_gate.clear()
    stand_in.pay(invoice["id"], "BCA")
    delivery = stand_in.wait_for_delivery(invoice["id"], state="timeout")
    assert len(delivery["attempts"]) == 1

    stand_in.set_fault("webhook_retry_after_timeout")
    other = merchant.create()
    stand_in.pay(other["id"], "BCA")

    wait_until(
        lambda: len(stand_in.deliveries(other["id"])[0]["attempts"]) > 1, timeout=60, what="a retry"
    )


def test_a_slow_receiver_blocks_nobody(
    invoice: dict[str, Any], stand_in: StandIn, merchant: Merchant, receiver: Receiver
) -> None:
    receiver.open_gate.clear()
    stand_in.pay(invoice["id"], "BCA")
    receiver.wait_for(1)

    other = merchant.create()
    stand_in.pay(other["id"], "BCA")

    assert {webhook.body["id"] for webhook in receiver.wait_for(2)} == {invoice["id"], other["id"]}


def test_any_callback_can_be_sent_by_hand(
    invoice: dict[str, Any], stand_in: StandIn, receiver: Receiver
) -> None:
    receiver.statuses.extend([200, 401])

    first, second = (
        *stand_in.callback(invoice["id"], status="EXPIRED"),
        *stand_in.callback(invoice["id"], token="forged", fields={"amount": 1}),
    )

    assert [each["attempts"][0]["status"] for each in (first, second)] == [200, 401]
    assert first["body"]["status"] == "EXPIRED"
    assert (second["body"]["status"], second["body"]["amount"]) == ("PAID", 1)
    assert receiver.received[1].headers["x-callback-token"] == "forged"
    assert stand_in.invoice(invoice["id"])["status"] == "PENDING"


def test_the_dashboard_sample_and_a_body_of_ones_own_can_be_sent(
    stand_in: StandIn, receiver: Receiver
) -> None:
    stand_in.callback(sample=True)
    stand_in.callback(body={"own": "body"}, copies=2)

    assert receiver.received[0].body["external_id"] == "invoice_123124123"
    assert [each.body for each in receiver.received[1:]] == [{"own": "body"}] * 2


def test_the_process_says_where_it_is_logs_json_lines_and_stops_cleanly(tmp_path: Path) -> None:
    output = tmp_path / "output.log"
    with running("sandbox.xendit", "--port", "0", output=output) as process:
        url = process.first_line.rsplit(" ", 1)[1]
        requests.get(f"{url}/v2/invoices", headers={"X-Request-ID": "abcdefgh"}, timeout=60)

        assert process.stop() == 0

    assert '"requestId": "abcdefgh"' in output.read_text().splitlines()[1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--secret-key", "xnd_production_x"], "only a xnd_development_ key"),
        (["--channels", "BCA,PAYPAL"], "unknown: PAYPAL"),
        (["--time-scale", "0"], "above 0"),
    ],
)
def test_wrong_settings_are_refused_at_start(arguments: list[str], reason: str) -> None:
    command = [sys.executable, "-m", "sandbox.xendit", "--port", "0", *arguments]

    ended = subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == 2
    assert reason in ended.stderr

"""GET /balance: what the stand-in's own transactions, refunds and withdrawals add up to."""

from __future__ import annotations

from sandbox.client import StandIn
from tests.sandbox.merchant import Merchant


def balance(merchant: Merchant, **asked: str) -> int:
    answer = merchant.call("GET", "/balance", params=asked)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["balance"]
    return int(answer.json()["balance"])


def settled(merchant: Merchant, stand_in: StandIn) -> int:
    """Have a payment settled, and return what is left of it after its charges."""
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "DANA", callback=False)
    stand_in.settle(invoice["id"])
    [listed] = merchant.call("GET", "/transactions").json()["data"]
    return int(listed["net_amount"])


def test_money_is_in_the_balance_once_it_is_settled(merchant: Merchant, stand_in: StandIn) -> None:
    assert balance(merchant) == 0

    stand_in.pay(merchant.create()["id"], "BCA", callback=False)
    assert balance(merchant) == 0

    stand_in.advance(2 * 86_400)
    [listed] = merchant.call("GET", "/transactions").json()["data"]
    assert balance(merchant) == listed["net_amount"] > 0


def test_what_left_is_gone_and_comes_back_when_it_fails(
    merchant: Merchant, stand_in: StandIn
) -> None:
    net = settled(merchant, stand_in)
    gone = stand_in.withdraw(50_000, fee=2_500, vat=275, status="PENDING")
    assert balance(merchant) == net - 52_775

    stand_in.change_withdrawal(gone["id"], "REVERSED")

    assert balance(merchant) == net


def test_a_refund_leaves_the_balance(merchant: Merchant, stand_in: StandIn) -> None:
    net = settled(merchant, stand_in)
    [paid] = stand_in.invoices()
    body = {"invoice_id": paid["id"], "amount": 1_000, "reason": "REQUESTED_BY_CUSTOMER"}

    assert merchant.call("POST", "/refunds", json=body).status_code == 200

    assert balance(merchant) == net - 1_000


def test_only_rupiah_and_known_kinds_are_told(merchant: Merchant, stand_in: StandIn) -> None:
    settled(merchant, stand_in)

    assert balance(merchant, account_type="HOLDING", currency="IDR") == 0
    for asked in ({"currency": "USD"}, {"account_type": "GOLD"}):
        assert merchant.call("GET", "/balance", params=asked).status_code == 400


def test_the_balance_can_be_refused_or_differ(merchant: Merchant, stand_in: StandIn) -> None:
    net = settled(merchant, stand_in)
    stand_in.set_fault("balance_differs", by=-700)
    assert balance(merchant) == net - 700

    stand_in.set_fault("balance_forbidden")
    assert merchant.call("GET", "/balance").status_code == 403

"""GET /transactions: fees, settlement, pages, filters."""

from __future__ import annotations

from typing import Any

from sandbox.client import StandIn
from tests.sandbox.merchant import Merchant


def listed(merchant: Merchant, **filters: str) -> dict[str, Any]:
    answer = merchant.call("GET", "/transactions", params=filters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_payment_is_listed_with_its_fee_and_when_it_settles(
    merchant: Merchant, stand_in: StandIn
) -> None:
    invoice = merchant.create()
    stand_in.pay(invoice["id"], "DANA", callback=False)

    page = listed(merchant, reference_id=invoice["external_id"])

    assert (page["has_more"], page["links"]) == (False, [])
    [found] = page["data"]
    assert (found["type"], found["status"], found["currency"]) == ("PAYMENT", "SUCCESS", "IDR")
    assert found["product_data"] == {"payment_link_id": invoice["id"]}
    charges = found["fee"]["xendit_fee"] + found["fee"]["value_added_tax"]
    assert found["net_amount"] == found["amount"] - charges
    assert found["settlement_status"] == "PENDING"


def test_it_is_settled_when_its_time_has_come(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.pay(merchant.create()["id"], "BCA", callback=False)
    stand_in.advance(2 * 86_400)

    [found] = listed(merchant)["data"]

    assert (found["settlement_status"], found["fee"]["status"]) == ("SETTLED", "COMPLETED")


def test_pages_follow_each_other_by_the_last_id(merchant: Merchant, stand_in: StandIn) -> None:
    for _ in range(3):
        stand_in.pay(merchant.create()["id"], "DANA", callback=False)
    first = listed(merchant, limit="2")
    second = listed(merchant, limit="2", after_id=first["data"][-1]["id"])

    assert (len(first["data"]), first["has_more"]) == (2, True)
    assert (len(second["data"]), second["has_more"]) == (1, False)
    ids = {each["id"] for each in first["data"] + second["data"]}
    assert len(ids) == 3


def test_a_page_may_be_empty(merchant: Merchant) -> None:
    assert listed(merchant, types="WITHDRAWAL") == {"has_more": False, "data": [], "links": []}


def test_times_and_limits_that_cannot_be_read_are_refused(merchant: Merchant) -> None:
    for filters in ({"limit": "51"}, {"limit": "many"}):
        assert merchant.call("GET", "/transactions", params=filters).status_code == 400


def test_a_key_without_the_right_is_told_so(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.set_fault("transactions_forbidden")

    answer = merchant.call("GET", "/transactions")

    assert (answer.status_code, answer.json()["error_code"]) == (403, "REQUEST_FORBIDDEN_ERROR")


def test_what_leaves_the_balance_is_listed_with_the_payments(
    merchant: Merchant, stand_in: StandIn
) -> None:
    stand_in.pay(merchant.create()["id"], "BCA", callback=False)
    gone = stand_in.withdraw(50_000, fee=2_500, vat=275, status="PENDING")
    stand_in.change_withdrawal(gone["id"], "SUCCESS")

    both = listed(merchant)["data"]
    [found] = listed(merchant, types="WITHDRAWAL")["data"]

    assert [each["type"] for each in both] == ["WITHDRAWAL", "PAYMENT"]
    assert (found["id"], found["status"], found["cashflow"]) == (gone["id"], "SUCCESS", "MONEY_OUT")
    assert found["settlement_status"] is None


def test_one_transaction_is_read_by_its_id(merchant: Merchant, stand_in: StandIn) -> None:
    stand_in.pay(merchant.create()["id"], "BCA", callback=False)
    [listed_one] = listed(merchant)["data"]

    answer = merchant.call("GET", f"/transactions/{listed_one['id']}")

    assert (answer.status_code, answer.json()) == (200, listed_one)
    assert merchant.call("GET", "/transactions/txn_none").status_code == 404

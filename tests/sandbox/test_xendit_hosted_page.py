"""The hosted page by plain form posts, as a browser without JavaScript would use it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from sandbox.client import StandIn
from tests.sandbox.merchant import SENT, Merchant
from tests.sandbox.receiver import Receiver


def post(page: str, action: str, **form: str) -> requests.Response:
    return requests.post(f"{page}/{action}", data=form, timeout=60, allow_redirects=False)


def text_of(page: str, **query: str) -> str:
    answer = requests.get(page, params=query, timeout=60)
    assert answer.status_code == 200
    return answer.text


@pytest.fixture
def invoice(merchant: Merchant) -> dict[str, Any]:
    return merchant.create()


def test_the_page_shows_amount_items_time_left_and_grouped_channels(
    invoice: dict[str, Any],
) -> None:
    page = text_of(invoice["invoice_url"])

    assert "Rp 305.000" in page
    assert "2 × Regular" in page
    assert "Service fee" in page
    assert re.search(r"\(sisa 29 menit\)", page)
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Virtual account",
        "QRIS",
        "Dompet digital",
        "Gerai ritel",
    ]
    assert "<script" not in page
    assert "tiruan lokal" in page


def test_the_page_speaks_the_invoices_language(merchant: Merchant) -> None:
    page = text_of(merchant.create(locale="en")["invoice_url"])

    assert '<html lang="en">' in page
    assert "Choose how to pay" in page


def test_channels_whose_limits_exclude_the_amount_are_not_shown(merchant: Merchant) -> None:
    page = text_of(merchant.create(amount=9_000)["invoice_url"])

    assert 'value="BNI"' in page
    assert 'value="BCA"' not in page
    assert 'value="ALFAMART"' not in page


def test_choosing_a_bank_shows_its_number_which_the_api_then_knows(
    invoice: dict[str, Any], merchant: Merchant
) -> None:
    chosen = post(invoice["invoice_url"], "choose", channel="BCA")
    page = text_of(invoice["invoice_url"], channel="BCA")

    banks = {bank["bank_code"]: bank for bank in merchant.read(invoice["id"])["available_banks"]}
    assert chosen.status_code == 303
    assert banks["BCA"]["bank_account_number"] in page
    assert "bank_account_number" not in banks["BNI"]


def test_paying_redirects_to_the_merchant_and_sends_the_webhook(
    invoice: dict[str, Any], merchant: Merchant, receiver: Receiver
) -> None:
    answer = post(invoice["invoice_url"], "pay", channel="QRIS")

    assert answer.status_code == 303
    assert answer.headers["Location"] == SENT["success_redirect_url"]
    assert merchant.read(invoice["id"])["status"] == "PAID"
    assert receiver.wait_for(1)[0].body["payment_channel"] == "QRIS"
    assert "Pembayaran diterima" in text_of(invoice["invoice_url"])


def test_without_a_redirect_url_the_payer_stays_on_the_page(merchant: Merchant) -> None:
    invoice = merchant.create("success_redirect_url")

    answer = post(invoice["invoice_url"], "pay", channel="BCA")

    assert answer.headers["Location"] == f"/web/{invoice['id']}"


def test_a_failed_attempt_leaves_the_invoice_pending_and_tells_nobody(
    invoice: dict[str, Any], merchant: Merchant, stand_in: StandIn
) -> None:
    answer = post(invoice["invoice_url"], "fail", channel="OVO")
    location = requests.compat.urljoin(invoice["invoice_url"], answer.headers["Location"])

    assert "Pembayaran gagal" in text_of(location)
    assert merchant.read(invoice["id"])["status"] == "PENDING"
    assert stand_in.invoice(invoice["id"])["failed_attempts"] == 1
    assert stand_in.deliveries() == []


def test_an_expired_invoice_links_back_and_takes_late_money(
    invoice: dict[str, Any], merchant: Merchant, stand_in: StandIn
) -> None:
    stand_in.expire(invoice["id"])
    page = text_of(invoice["invoice_url"])
    assert f'href="{SENT["failure_redirect_url"]}"' in page
    assert post(invoice["invoice_url"], "pay", channel="BCA").status_code == 409

    late = post(invoice["invoice_url"], "pay", channel="BCA", after_expiry="yes")

    assert late.status_code == 303
    assert merchant.read(invoice["id"])["status"] == "PAID"


@pytest.mark.parametrize("form", [{}, {"channel": "KREDIVO"}])
def test_a_channel_that_is_not_offered_cannot_be_used(
    form: dict[str, str], invoice: dict[str, Any]
) -> None:
    assert post(invoice["invoice_url"], "pay", **form).status_code == 409


def test_an_unknown_invoice_has_no_page(stand_in: StandIn) -> None:
    url = f"{stand_in.base_url}/web/6a000000bc62165502ccd3c9"

    assert requests.get(url, timeout=60).status_code == 404


def test_what_the_merchant_sends_cannot_inject_markup(merchant: Merchant) -> None:
    invoice = merchant.create(description="<b>bold</b>", external_id="<i>id</i>")

    page = text_of(invoice["invoice_url"])

    assert "<b>bold" not in page
    assert "<i>id" not in page

"""A buyer and their money in a real browser: more time, and choosing when it came too late."""

import io
import re
from datetime import timedelta

import pypdfium2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.purchase import (
    ORDER_PAGE,
    choose,
    expect_paid,
    fill_in,
    go_to_pay,
    invoice_of,
    pay,
)
from tests.harness.browser import PHONE, browsing
from tests.harness.service import EVENT_STARTS_AT, Service

OPENS = (EVENT_STARTS_AT - timedelta(days=365)).isoformat()
CLOSES = EVENT_STARTS_AT.isoformat()


def ticket(name: str, price: int, amount: int) -> str:
    fields = f"type: {name}, description: Untuk uji, price: {price}, amount: {amount}"
    return f'  - {{{fields}, maxPerOrder: 2, validFrom: "{OPENS}", validUntil: "{CLOSES}"}}\n'


@pytest.mark.parametrize("has_javascript", [True, False], ids=["javascript", "no javascript"])
def test_a_buyer_who_needs_more_time_gets_it_and_pays_the_new_invoice(
    service: Service, browser: Browser, has_javascript: bool
) -> None:
    email = f"slow-{has_javascript}@example.com".lower()
    with browsing(browser, size=PHONE, java_script_enabled=has_javascript) as page:
        choose(page, service, "Reguler", 1)
        fill_in(page, email=email)
        go_to_pay(page, service)
        old = invoice_of(service, email)
        page.goto(old["failure_redirect_url"])

        page.get_by_role("button", name="Tambah waktu").click()
        page.wait_for_url(ORDER_PAGE)
        link = page.get_by_role("link", name="Bayar")
        expect(link).to_be_visible()
        assert link.get_attribute("href") != old["invoice_url"]
        assert service.standin.invoice(old["id"])["status"] == "EXPIRED"

        link.click()
        page.wait_for_url(f"{service.standin.base_url}/web/*")
        pay(page, service)
        expect_paid(page)
    service.flask("check-invariants")


def test_a_buyer_whose_money_came_too_late_takes_other_seats(
    service: Service, browser: Browser
) -> None:
    service.load_catalogue(
        "tickets:\n" + ticket("Baris Depan", 250_000, 1) + ticket("Baris Samping", 200_000, 5)
    )
    with browsing(browser, size=PHONE) as late, browsing(browser, size=PHONE) as other:
        choose(late, service, "Baris Depan", 1)
        fill_in(late, email="late@example.com")
        go_to_pay(late, service)
        invoice = invoice_of(service, "late@example.com")
        late.goto(invoice["failure_redirect_url"])
        service.standin.expire(invoice["id"])
        service.standin.callback(invoice["id"], status="EXPIRED")
        expect(late.get_by_role("heading", level=1)).to_contain_text("kedaluwarsa")
        choose(other, service, "Baris Depan", 1)
        fill_in(other, email="other@example.com")
        go_to_pay(other, service)

        service.standin.pay(invoice["id"], "DANA", after_expiry=True)
        letter = service.mailbox.wait_for_mail("late@example.com", subject="Silakan pilih")
        late.goto(_link(letter["text"]))
        choice = late.get_by_role("listitem").filter(
            has=late.get_by_role("heading", name="Baris Samping")
        )
        expect(choice).to_contain_text("50.000 kembali kepada Anda")
        choice.get_by_role("button", name="Ambil 1 kursi ini").click()

        expect_paid(late)
        expect(late.get_by_text("Uang kembali")).to_be_visible()
        pdf = _download(late, service)
    assert "Baris Samping" in pdf
    mail = service.mailbox.wait_for_mail("late@example.com", subject="E-tiket")
    assert mail["attachments"]
    service.flask("check-invariants")


def _link(text: str) -> str:
    found = re.search(r"http\S+" + ORDER_PAGE.pattern, text)
    assert found, text
    return found.group(0)


def _download(page: Page, service: Service) -> str:
    href = page.get_by_role("link", name="Unduh").get_attribute("href") or ""
    document = pypdfium2.PdfDocument(io.BytesIO(page.request.get(f"{service.url}{href}").body()))
    return "\n".join(each.get_textpage().get_text_range() for each in document)

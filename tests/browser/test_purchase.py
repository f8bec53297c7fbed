"""The whole way through real processes and a real browser: catalogue, pay, mail, QR codes."""

import io

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Browser, Page, expect

from tests.browser.purchase import choose, expect_paid, fill_in, go_to_pay, invoice_of, pay
from tests.harness.browser import DESKTOP, PHONE, browsing
from tests.harness.service import Service


@pytest.mark.parametrize("has_javascript", [True, False], ids=["javascript", "no javascript"])
def test_a_person_buys_two_tickets_and_a_phone_reads_both_codes(
    service: Service, browser: Browser, has_javascript: bool
) -> None:
    email = f"buyer-{has_javascript}@example.com".lower()
    with browsing(browser, size=PHONE, java_script_enabled=has_javascript) as page:
        choose(page, service, "Reguler", 2)
        fill_in(page, email=email, name="Dewi Ayu")
        page.get_by_label("Reguler, tiket 2").fill("王小明")
        go_to_pay(page, service)
        expect(page.get_by_text("Rp 500.000").first).to_be_visible()
        pay(page, service)
        expect_paid(page)
        pdf_link = page.get_by_role("link", name="Unduh")
        expect(pdf_link).to_be_visible()
        href = pdf_link.get_attribute("href") or ""
        downloaded = page.request.get(f"{service.url}{href}").body()
        page_text = page.inner_text("main")

    mail = service.mailbox.wait_for_mail(email)
    assert "Dewi Ayu" in mail["text"]
    assert "/orders/" in mail["text"]
    attached = service.mailbox.attachment(mail)
    codes = _scan(attached)
    assert len(set(codes)) == 2
    assert _scan(downloaded) == codes
    text = _text(attached)
    assert "Dewi Ayu" in text
    assert "王小明" in text
    assert page_text.count("-") >= 2, "the short codes are shown"
    service.flask("check-invariants")


def test_a_buyer_who_leaves_comes_back_to_a_clear_page(service: Service, phone: Page) -> None:
    choose(phone, service, "Reguler", 1)
    fill_in(phone, email="leaver@example.com")
    go_to_pay(phone, service)
    invoice = invoice_of(service, "leaver@example.com")

    phone.goto(invoice["failure_redirect_url"])
    pay_button = phone.get_by_role("link", name="Bayar")
    expect(pay_button).to_be_visible()
    service.standin.expire(invoice["id"])
    service.standin.callback(invoice["id"], status="EXPIRED")

    expect(phone.get_by_role("heading", level=1)).to_contain_text("kedaluwarsa")
    phone.get_by_role("button", name="Coba lagi").click()
    phone.wait_for_url("**/checkout?*")
    expect(phone.get_by_label("Nama lengkap")).to_have_value("Sari Dewi")
    expect(phone.get_by_label("Email")).to_have_value("leaver@example.com")


def test_a_slow_xendit_is_told_and_waited_for(service: Service, desktop: Page) -> None:
    service.standin.set_fault("rate_limited", times=1)
    choose(desktop, service, "Reguler", 1)
    fill_in(desktop, email="patient@example.com")

    desktop.get_by_role("button", name="Bayar").click()
    desktop.wait_for_url("**/orders/*")

    expect(desktop.get_by_role("link", name="Bayar")).to_be_visible()


def test_the_last_seat_goes_while_somebody_types(service: Service, browser: Browser) -> None:
    with browsing(browser, size=DESKTOP) as slow, browsing(browser, size=PHONE) as fast:
        choose(slow, service, "Early Bird", 2)
        fill_in(slow, email="slow@example.com", name="Budi Lambat")
        choose(fast, service, "Early Bird", 2)
        fill_in(fast, email="fast@example.com")
        go_to_pay(fast, service)

        slow.get_by_role("button", name="Bayar").click()

        expect(slow.get_by_label("Nama lengkap")).to_have_value("Budi Lambat")
        expect(slow.get_by_role("alert").first).to_be_visible()
        assert "/checkout" in slow.url


def _scan(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    pages = [page.render(scale=2).to_pil() for page in document]
    return [code.text for page in pages for code in zxingcpp.read_barcodes(page)]


def _text(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return "\n".join(page.get_textpage().get_text_range() for page in document)

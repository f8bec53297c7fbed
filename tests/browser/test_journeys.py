"""Whole purchases as different people make them: by keyboard alone, by name alone, in English."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.keyboard import tab_to, tour
from tests.browser.purchase import ORDER_PAGE, arrive_at_invoice, invoice_of
from tests.harness.browser import DESKTOP, PHONE, browsing
from tests.harness.service import Service

TABLET = (768, 1024)


def press(page: Page, selector: str, key: str = "Enter") -> None:
    """Go to a control by Tab and use it."""
    tab_to(page, selector)
    page.keyboard.press(key)


def type_into(page: Page, selector: str, text: str) -> None:
    tab_to(page, selector)
    page.keyboard.type(text)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_person_buys_with_the_keyboard_alone(
    service: Service, browser: Browser, size: tuple[int, int]
) -> None:
    with browsing(browser, size=size, reduced_motion="reduce") as page:
        page.goto(f"{service.url}/")
        assert len(tour(page)) > 5
        press(page, ".skip")
        expect(page.locator("main")).to_be_focused()
        press(page, "#t2-more")
        press(page, "#choose")
        page.wait_for_url("**/checkout?*")

        press(page, "#pay")
        expect(page.locator("#problems")).to_be_focused()
        press(page, "#problems a")
        expect(page.locator("#full_name")).to_be_focused()
        page.keyboard.type("Sari Dewi")
        type_into(page, "#email", f"keys-{size[0]}@example.com")
        type_into(page, "#no_hp", "0812 3456 7890")
        press(page, "#pay")

        arrive_at_invoice(page, service)
        page.get_by_role("button", name="BCA", exact=True).press("Enter")
        page.get_by_role("button", name="Simulasikan pembayaran berhasil").press("Enter")
        page.wait_for_url(re.compile(re.escape(service.url) + ORDER_PAGE.pattern))
        expect(page.get_by_text("Lunas", exact=True)).to_be_visible()
        press(page, "#open-tickets")
        expect(page.get_by_role("heading", level=1)).to_contain_text("e-tiket Anda")
        assert len(tour(page)) > 5


def test_a_person_who_only_hears_the_page_buys_in_english(
    service: Service, browser: Browser
) -> None:
    """Every step is found by its role and name, as a screen reader offers it; news are said."""
    with browsing(browser, size=TABLET, locale="en-US") as page:
        page.goto(f"{service.url}/")
        page.get_by_role("button", name="One more: Reguler").press("Enter")
        page.get_by_role("button", name="Continue").press("Enter")
        page.get_by_role("textbox", name="Full name").fill("Sari Dewi")
        page.get_by_role("textbox", name="E-mail").fill("listener@gmial.com")
        page.get_by_role("textbox", name="Mobile number").fill("0812 3456 7890")
        page.get_by_role("button", name="Yes, use it").press("Enter")
        expect(page.get_by_role("textbox", name="E-mail")).to_have_value("listener@gmail.com")
        page.get_by_role("button", name="Continue to payment").press("Enter")
        arrive_at_invoice(page, service)
        invoice = invoice_of(service, "listener@gmail.com")
        page.goto(invoice["failure_redirect_url"])
        expect(page.get_by_role("link", name=re.compile("^Pay"))).to_be_visible()
        service.standin.pay(invoice["id"])
        expect(page.get_by_role("status").first).to_have_text("See you there!")
        expect(page.get_by_role("heading", level=1)).to_have_text("See you there!")
        page.get_by_role("link", name="Show e-tickets").press("Enter")
        expect(page.get_by_role("img", name=re.compile("QR code of the ticket"))).to_be_visible()
    assert "e-ticket" in service.mailbox.wait_for_mail("listener@gmail.com")["subject"]

"""What a buyer does, page by page; shared by the tests and the pictures of the documentation."""

import re

from playwright.sync_api import Page, expect

from sandbox.client import Json
from tests.harness.service import Service

ORDER_PAGE = re.compile(r"/orders/[\w-]{32}")


def choose(page: Page, service: Service, ticket: str, quantity: int) -> None:
    """Open the catalogue, choose so many of a ticket, and go on to the checkout."""
    page.goto(f"{service.url}/")
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=ticket))
    card.get_by_role("spinbutton").fill(str(quantity))
    page.get_by_role("button", name="Lanjut").click()
    page.wait_for_url("**/checkout?*")


def fill_in(
    page: Page, *, email: str, name: str = "Sari Dewi", phone: str = "0812 3456 7890"
) -> None:
    """Type the buyer's own data."""
    page.get_by_label("Nama lengkap").fill(name)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Nomor ponsel").fill(phone)


def go_to_pay(page: Page, service: Service) -> None:
    """Send the form, and arrive on the invoice page at the other origin."""
    page.get_by_role("button", name="Bayar").click()
    arrive_at_invoice(page, service)


def arrive_at_invoice(page: Page, service: Service) -> None:
    """Wait for the invoice page, by way of the order's own page when the invoice comes late.

    On a busy machine it is not made while the form is answered: then that page leads to it.
    """
    invoices = f"{service.standin.base_url}/web/"
    page.wait_for_url(lambda url: url.startswith(invoices) or bool(ORDER_PAGE.search(url)))
    if not page.url.startswith(invoices):
        page.locator("a#pay").press("Enter")
        page.wait_for_url(f"{invoices}*")


def invoice_of(service: Service, email: str) -> Json:
    """Return the newest invoice of a buyer, as Xendit has it."""
    found = service.standin.invoices()
    return next(each for each in found if each["customer"]["email"] == email)


def pay(page: Page, service: Service, channel: str = "BCA") -> None:
    """Pay on the stand-in's page, and arrive back on the order page."""
    page.get_by_role("button", name=channel, exact=True).click()
    page.get_by_role("button", name="Simulasikan pembayaran berhasil").click()
    page.wait_for_url(re.compile(re.escape(service.url) + ORDER_PAGE.pattern))


def expect_paid(page: Page) -> None:
    """Wait until the page says by itself that the order is paid."""
    expect(page.get_by_text("Lunas", exact=True)).to_be_visible()

"""A whole sale set up from nothing in one browser, and bought from in another."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as BrowserPage

from app.models import Role
from tests.browser.log_in import log_in
from tests.door.web import web_server
from tests.harness.browser import PHONE, browsing
from tests.office.catalogue_forms import TICKETS, the_ticket, typed_time
from tests.pages.axe import violations
from tests.pages.shop import BUYER
from tests.staff.office import Office, fresh_code

LINK = "/?voucher=BANK-SENJA"


@pytest.fixture
def address(sqlite_app: Flask) -> Iterator[str]:
    """The address of the application as a small real web server."""
    with web_server(sqlite_app) as address:
        yield address


def press(page: BrowserPage, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: BrowserPage, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def add_ticket(
    page: BrowserPage, name: str, price: str, *, shares: str = "", is_hidden: bool = False
) -> None:
    """Add a ticket that is on sale, looking at its preview first."""
    follow(page, "Tambah tiket")
    page.fill("#type", name)
    page.fill("#description", f"Keterangan {name}")
    page.fill("#price", price)
    page.fill("#amount", "10")
    page.fill("#valid_from", typed_time(days=-1))
    page.fill("#valid_until", typed_time(days=9))
    if shares:
        page.select_option("#quota_id", label=shares)
    if is_hidden:
        page.check("#is_hidden")
    press(page, "Pratinjau")
    expect(page.locator("#preview")).to_contain_text(f"Rp\N{NO-BREAK SPACE}{price}")
    assert not violations(page)
    press(page, "Tambahkan tiket")
    expect(page.locator("tbody")).to_contain_text(name)


def set_up(page: BrowserPage) -> None:
    """Make a quota, two tickets that share it, a hidden one, and a voucher that opens it."""
    follow(page, "Tambah kuota bersama")
    page.fill("#name", "Aula")
    page.fill("#amount", "3")
    press(page, "Tambahkan kuota bersama")
    follow(page, "Tiket")
    add_ticket(page, "Reguler", "250.000", shares="Aula")
    add_ticket(page, "Early Bird", "150.000", shares="Aula")
    page.get_by_role("button", name="Naikkan Early Bird").click()
    expect(page.locator("tbody tr").first).to_contain_text("Early Bird")
    add_ticket(page, "Sponsor", "500.000", is_hidden=True)
    assert not violations(page)
    follow(page, "Voucher")
    follow(page, "Buat voucher")
    page.fill("#code", "BANK-SENJA")
    page.select_option("#effect", "percent")
    page.fill("#value", "20")
    page.check("text=Sponsor")
    press(page, "Buat")
    expect(page.locator("#link")).to_have_value(f"http://localhost{LINK}")
    assert not violations(page)


def test_a_sale_is_set_up_from_nothing_and_a_buyer_orders(
    small_office: Office, address: str, desktop: BrowserPage, browser: Browser
) -> None:
    admin = small_office.hire(Role.ADMIN)
    log_in(desktop, f"{address}/staff/quotas", admin, lambda: fresh_code(small_office.app))
    set_up(desktop)
    with browsing(browser, size=PHONE) as buyer:
        buyer.goto(address)
        expect(buyer.locator("main h3")).to_have_text(["Early Bird", "Reguler"])
        expect(buyer.locator(".ticket").first).to_contain_text("Sisa 3 tiket")
        buyer.goto(f"{address}{LINK}")
        sponsor = buyer.locator(".ticket", has_text="Sponsor")
        expect(sponsor).to_contain_text("Rp\N{NO-BREAK SPACE}400.000")
        sponsor.locator("input[type=number]").fill("1")
        buyer.locator(".ticket", has_text="Early Bird").locator("input[type=number]").fill("2")
        buyer.locator("#choose").click()
        for name, value in BUYER.items():
            buyer.fill(f"#{name}", value)
        buyer.locator("#pay").click()
        buyer.wait_for_url("**/orders/*")
        expect(buyer.locator("main")).to_contain_text("Rp\N{NO-BREAK SPACE}700.000")
    held = [the_ticket(small_office, number).held for number in (1, 2, 3)]
    assert held == [0, 2, 1]
    desktop.goto(f"{address}{TICKETS}")
    expect(desktop.locator("tbody tr").nth(1).locator("td").nth(2)).to_have_text("1")

"""Acting on an order in Chromium, on a phone: two tabs and no script; and what axe finds."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as BrowserPage

from app.models import Role
from tests.browser.log_in import bring_session
from tests.door.web import web_server
from tests.harness.browser import PHONE, browsing
from tests.office.desk import WHY, Desk
from tests.pages import axe
from tests.staff.office import Office

pytestmark = pytest.mark.usefixtures("_cheap_passwords")


@pytest.fixture
def address(sqlite_app: Flask) -> Iterator[str]:
    """The address of the application as a small real web server."""
    with web_server(sqlite_app) as address:
        yield address


def test_of_two_tabs_the_second_is_told_and_keeps_what_was_typed(
    small_office: Office, address: str, phone_without_javascript: BrowserPage
) -> None:
    desk, first = Desk(small_office.app), phone_without_javascript
    code = desk.paid_order(desk.add_ticket("Reguler"))
    bring_session(small_office.log_in(Role.FINANCE), first, address)
    first.goto(f"{address}/staff/orders/{code}")
    second = first.context.new_page()
    second.goto(first.url)
    first.get_by_role("link", name="Cancel the order").click()
    first.fill("#reason", WHY)
    second.get_by_role("link", name="Correct names on seats").click()
    second.fill("#name_2", "Bima Santoso")
    second.press("#name_2", "Enter")
    expect(second.locator(".done")).to_have_text("The names were corrected.")

    first.press("#reason", "Enter")
    expect(first.get_by_role("alert")).to_contain_text("the names on the seats")
    expect(first.locator("#reason")).to_have_value(WHY)
    first.press("#reason", "Enter")

    expect(first.locator(".done")).to_have_text("The order was cancelled.")
    assert desk.refunds(code) == [("cancelled", 300_000)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(
    small_office: Office, address: str, browser: Browser, scheme: str
) -> None:
    desk = Desk(small_office.app)
    ticket, other = desk.add_ticket("VIP Baris Depan", price=400_000), desk.add_ticket("Tribun")
    code, odd = desk.paid_order(ticket, 3), desk.paid_order(other, amount=310_000)
    case_id = desk.read(odd, lambda facts: facts.cases[0].id)
    paths = [f"{code}/{move}" for move in ("resend", "buyer", "names", "seats", "cancel", "refund")]
    paths += [f"{code}/seats?seat=1&ticket={other}", f"{code}/refund?amount=50000"]
    paths += [f"{odd}/cases/{case_id}", f"{odd}/refund", "free", f"{code}/seats?ticket=0"]
    found: list[str] = []
    rules = axe.COLOURS if scheme == "dark" else ()
    with browsing(browser, size=PHONE, color_scheme=scheme) as page:
        bring_session(small_office.log_in(Role.ADMIN, "id"), page, address)
        for path in paths:
            page.goto(f"{address}/staff/orders/{path}")
            expect(page.locator("h1")).to_be_visible()
            found += [f"{path}: {each}" for each in axe.violations(page, rules=rules)]
            width = page.evaluate("document.documentElement.scrollWidth")
            found += [f"{path}: {width} wide"] if width > PHONE[0] else []
    assert found == []

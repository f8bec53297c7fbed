"""A whole event in the organiser's browser: set up, sell, resend, move, refund, close a day."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app_factory import make_settings, running_app
from tests.browser.log_in import log_in
from tests.browser.purchase import choose, expect_paid, fill_in, go_to_pay, pay
from tests.harness.browser import DESKTOP, PHONE, browsing
from tests.harness.database import fresh_sqlite
from tests.harness.service import Service
from tests.office.catalogue_forms import typed_time
from tests.staff.office import PASSWORD, SECRET, code_at

ADMIN = "admin@tedxsenja.example"
WRONG, RIGHT = "sari@example.con", "sari@example.org"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Service]:
    """The whole service, in which an earlier sale has left some weeks of orders; one admin."""
    running = Service(fresh_sqlite(tmp_path), tmp_path)
    with running_app(make_settings(running.database_url)):
        pass  # migrated
    running.flask("demo-data", "--orders", "60", "--ledger")
    account = ("staff", "add", ADMIN, "--role", "admin", "--password-stdin")
    running.flask(*account, "--totp-secret", SECRET, stdin=PASSWORD)
    running.start_neighbours()
    running.start_web()
    running.start_worker()
    running.wait_until_ready()
    yield running
    running.stop()


@pytest.fixture
def admin(browser: Browser, shop: Service) -> Iterator[Page]:
    """The browser of the admin, logged in."""
    with browsing(browser, size=DESKTOP, locale="en-US") as page:
        log_in(page, f"{shop.url}/staff", ADMIN, lambda: code_at(SECRET, datetime.now(UTC)))
        expect(page.locator("h1")).to_have_text("Staff")
        yield page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def set_up(page: Page, name: str, price: str) -> None:
    """Put a ticket on sale."""
    follow(page, "Tickets")
    follow(page, "Add a ticket")
    page.fill("#type", name)
    page.fill("#description", "Upstairs")
    page.fill("#price", price)
    page.fill("#amount", "10")
    page.fill("#valid_from", typed_time(days=-1))
    page.fill("#valid_until", typed_time(days=9))
    press(page, "Add the ticket")
    expect(page.locator("tbody")).to_contain_text(name)


def buy(browser: Browser, shop: Service, ticket: str) -> None:
    """Buy two seats as somebody with a slip in the address."""
    with browsing(browser, size=PHONE) as phone:
        choose(phone, shop, ticket, 2)
        fill_in(phone, email=WRONG)
        go_to_pay(phone, shop)
        pay(phone, shop)
        expect_paid(phone)


def find_order(page: Page, shop: Service, email: str) -> None:
    """Find the order by its buyer's address."""
    page.goto(f"{shop.url}/staff/orders")
    page.fill("#q", email)
    page.press("#q", "Enter")
    page.get_by_role("link", name="Sari Dewi").first.click()
    expect(page.locator("h1")).to_contain_text("Order TX")


def resend(page: Page, shop: Service) -> None:
    """Correct the buyer's address; the e-tickets go there."""
    follow(page, "Correct the buyer")
    page.fill("#email", RIGHT)
    press(page, "Correct")
    expect(page.locator(".done")).to_be_visible()
    assert shop.mailbox.attachment(shop.mailbox.wait_for_mail(RIGHT))[:5] == b"%PDF-"


def move_one_seat(page: Page, to: str) -> None:
    """Change the first seat to a cheaper type; the difference goes back."""
    follow(page, "Change seats to another type")
    page.uncheck("#seat_2")
    label = page.locator("#ticket option", has_text=to).inner_text()
    page.select_option("#ticket", label=label)
    press(page, "Look at the change")
    expect(page.locator("main")).to_contain_text("Rp\N{NO-BREAK SPACE}100.000 goes back")
    page.fill("#reason", "Is a student")
    press(page, "Change the seats")
    expect(page.locator(".done")).to_be_visible()


def refund(page: Page, amount: str) -> None:
    """Send a part back."""
    follow(page, "Send money back")
    page.fill("#amount", amount)
    press(page, "Look at the refund")
    page.fill("#reason", "For the wait")
    press(page, f"Send Rp\N{NO-BREAK SPACE}{amount} back")
    expect(page.locator(".done")).to_be_visible()


def close_first_day(page: Page, shop: Service) -> None:
    """Close the oldest open day, with a word on what differs."""
    page.goto(f"{shop.url}/staff/finance/days")
    page.get_by_role("link", name="Next to close").click()
    follow(page, "Close this day")
    expect(page.locator("h1")).to_contain_text("Close ")
    if page.locator("#explanation").count():
        page.fill("#explanation", "Looked at with the bank's list: as it should be.")
    press(page, "Close the day")
    expect(page.get_by_text("The day is closed.")).to_be_visible()


def test_a_whole_event_without_a_terminal(shop: Service, admin: Page, browser: Browser) -> None:
    set_up(admin, "Gallery", "250.000")
    set_up(admin, "Student", "150.000")
    buy(browser, shop, "Gallery")

    find_order(admin, shop, WRONG)
    resend(admin, shop)
    move_one_seat(admin, "Student")
    refund(admin, "50.000")

    story = admin.locator("main")
    for happened in (f"Mail to {RIGHT}", "Is a student", "For the wait"):
        expect(story).to_contain_text(happened)
    admin.goto(f"{shop.url}/staff/tickets")
    for name in ("Gallery", "Student"):
        row = admin.locator("tbody tr", has_text=name)
        expect(row.locator("td").first).to_have_text("1")
    close_first_day(admin, shop)
    shop.flask("check-invariants")

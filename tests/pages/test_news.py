"""What an open order page says aloud, and when: each news once, and the focus stays."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect

from tests.harness.waiting import eventually
from tests.pages.asking import ask_now, settle
from tests.pages.order_states import opened
from tests.pages.shop import Shop

COUNT_WHAT_IS_SAID = """
window.said = [];
new MutationObserver(() => window.said.push(document.getElementById("announcement").textContent))
  .observe(document.getElementById("announcement"), {childList: true, characterData: true});
"""
WARNING = "Waktu membayar tinggal kurang dari 5 menit"
LAST_WARNING = "Waktu membayar tinggal kurang dari satu menit"
COUNT_QUESTIONS = """
window.asked = 0;
document.addEventListener("htmx:beforeRequest", () => (window.asked += 1));
"""
ADD_UP_SHIFTS = """
window.shifts = 0;
const add = (list) => list.getEntries().forEach((entry) => (window.shifts += entry.value));
new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
"""


def let_pay(shop: Shop, token: str, left: timedelta) -> None:
    """Move the end of the time to pay."""
    with shop.changing(token) as order:
        order.payment.invoice_expires_at = datetime.now(UTC) + left


def test_the_warning_is_said_once_while_the_minutes_pass(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    token = shop.order(shop.add_ticket())
    shop.give_invoice(token)
    let_pay(shop, token, timedelta(minutes=9))
    phone.goto(f"{address}/orders/{token}")
    phone.evaluate(COUNT_WHAT_IS_SAID)
    expect(phone.locator("#status")).to_contain_text("Sisa waktu 9 menit.")
    let_pay(shop, token, timedelta(minutes=8))
    ask_now(phone)
    expect(phone.locator("#status")).to_contain_text("Sisa waktu 8 menit.")
    for minutes in (4, 3, 2):
        let_pay(shop, token, timedelta(minutes=minutes))
        ask_now(phone)
        expect(phone.locator("#status")).to_contain_text(f"Sisa waktu {minutes} menit.")
    assert phone.evaluate("window.said") == [WARNING]
    let_pay(shop, token, timedelta(seconds=50))
    ask_now(phone)
    expect(phone.locator("#announcement")).to_have_text(LAST_WARNING)
    assert phone.evaluate("window.said") == [WARNING, LAST_WARNING]


def test_the_focus_stays_on_more_time_while_the_minutes_pass(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    token = shop.order(shop.add_ticket())
    shop.give_invoice(token)
    let_pay(shop, token, timedelta(minutes=9))
    phone.goto(f"{address}/orders/{token}")
    phone.locator("#more-time").focus()
    let_pay(shop, token, timedelta(minutes=4))
    expect(phone.locator("#status")).to_contain_text(WARNING)
    expect(phone.locator("#more-time")).to_be_focused()


def open_for_long(shop: Shop, address: str, phone: BrowserPage) -> str:
    """Open a page that has waited so long that it asks only every 15 seconds; its order's token."""
    token = shop.order(shop.add_ticket())
    shop.give_invoice(token)
    let_pay(shop, token, timedelta(minutes=9))
    phone.clock.install()
    phone.goto(f"{address}/orders/{token}{opened(600)}")
    expect(phone.locator(".time-left__clock")).to_have_text(re.compile(r"^Sisa 8:[0-5]\d$"))
    return token


def test_the_time_left_runs_by_the_second_and_is_read_aloud_in_minutes(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    open_for_long(shop, address, phone)
    clock = phone.locator(".time-left__clock")
    first = clock.inner_text()
    expect(clock).not_to_have_text(first)
    expect(clock).to_have_attribute("aria-hidden", "true")
    expect(phone.locator(".time-left__words")).to_have_text("Sisa waktu 9 menit.")


def test_the_last_minute_is_announced_when_it_begins(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    token = open_for_long(shop, address, phone)
    let_pay(shop, token, timedelta(seconds=55))
    phone.clock.fast_forward("08:05")
    expect(phone.locator("#announcement")).to_have_text(LAST_WARNING)


def test_the_page_turns_when_the_time_is_over(shop: Shop, address: str, phone: BrowserPage) -> None:
    token = open_for_long(shop, address, phone)
    expect(phone.locator("#pay")).to_be_visible()
    let_pay(shop, token, -timedelta(seconds=1))
    phone.clock.fast_forward("09:01")
    expect(phone.locator(".status--closing")).to_be_visible()


def test_news_move_nothing_that_is_looked_at(shop: Shop, address: str, phone: BrowserPage) -> None:
    phone.add_init_script(ADD_UP_SHIFTS)
    token = shop.order(shop.add_ticket())
    shop.give_invoice(token)
    let_pay(shop, token, timedelta(minutes=9))
    phone.goto(f"{address}/orders/{token}")
    settle(phone)
    phone.evaluate("window.shifts = 0")
    for minutes in (8, 7):
        let_pay(shop, token, timedelta(minutes=minutes))
        ask_now(phone)
        expect(phone.locator("#status")).to_contain_text(f"Sisa waktu {minutes} menit.")
    settle(phone)
    assert phone.evaluate("window.shifts") < 0.01


def test_a_hidden_page_asks_for_nothing(shop: Shop, address: str, phone: BrowserPage) -> None:
    token = shop.order(shop.add_ticket())
    shop.give_invoice(token)
    phone.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.isAway})")
    phone.add_init_script("window.isAway = true")
    phone.add_init_script(COUNT_QUESTIONS)
    phone.goto(f"{address}/orders/{token}")
    shop.pay(token)
    eventually(lambda: phone.evaluate("window.asked") >= 2, what="two due questions")
    expect(phone.locator("#pay")).to_be_visible()
    phone.evaluate("window.isAway = false")
    expect(phone.locator("h1")).to_have_text("Sampai jumpa!")

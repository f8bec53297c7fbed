"""What an open order page says aloud, and when: each news once, and the focus stays."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect

from tests.pages.shop import Shop

COUNT_WHAT_IS_SAID = """
window.said = [];
new MutationObserver(() => window.said.push(document.getElementById("announcement").textContent))
  .observe(document.getElementById("announcement"), {childList: true, characterData: true});
"""
WARNING = "Waktu membayar tinggal kurang dari 5 menit"


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
    expect(phone.locator("#status")).to_contain_text("Sisa waktu 8 menit.")
    for minutes in (4, 3, 2):
        let_pay(shop, token, timedelta(minutes=minutes))
        expect(phone.locator("#status")).to_contain_text(f"Sisa waktu {minutes} menit.")
    assert phone.evaluate("window.said") == [WARNING]


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

"""The checkout in a browser: what its scripts add, and that nothing needs them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Locator, expect
from playwright.sync_api import Page as BrowserPage

from tests.harness.browser import browsing
from tests.pages.shop import BUYER, Shop
from tests.pages.test_in_browser import count_requests

LEAST_TARGET = 44  # CSS pixels


@pytest.fixture
def plain(browser: Browser) -> Iterator[BrowserPage]:
    """A phone without JavaScript."""
    with browsing(browser, java_script_enabled=False) as page:
        yield page


def fill_in(page: BrowserPage, **typed: str) -> None:
    for name, value in {**BUYER, **typed}.items():
        page.fill(f"#{name}", value)


def empty(field: Locator) -> None:
    field.press("Control+A")
    field.press("Backspace")


def test_plus_counts_at_once_and_the_total_follows_said_once(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket(price=100_000)
    phone.clock.install()
    phone.goto(f"{address}/checkout?t{ticket}=1")
    asked = count_requests(phone, "POST", "/checkout")
    more = phone.locator(f"#t{ticket}-more")
    phone.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))  # both presses at one moment
    more.click()
    more.click()
    expect(phone.locator(f"#t{ticket}")).to_have_value("3")
    phone.clock.resume()
    expect(phone.locator("#pay")).to_contain_text("Rp\N{NO-BREAK SPACE}300.000")
    expect(phone.locator("#announcement")).to_have_text(
        "Reguler: 3. Total Rp\N{NO-BREAK SPACE}300.000"
    )
    expect(more).to_be_focused()
    assert len(asked) == 1
    assert "/checkout?" in phone.url


def test_at_the_limit_plus_stays_in_reach_and_says_why(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket(most=2)
    phone.goto(f"{address}/checkout?t{ticket}=1")
    more, limit = phone.locator(f"#t{ticket}-more"), phone.locator(f"#t{ticket}-limit")
    expect(limit).to_be_hidden()
    more.click()
    expect(limit).to_be_visible()
    expect(more).to_have_attribute("aria-disabled", "true")
    expect(phone.locator("#announcement")).to_contain_text("Reguler: 2")
    more.press("Enter")
    expect(phone.locator("#announcement")).to_have_text("Paling banyak 2 per pesanan")
    expect(more).to_be_focused()
    expect(phone.locator(f"#t{ticket}")).to_have_value("2")
    phone.click(f"#t{ticket}-less")
    expect(limit).to_be_hidden()
    expect(more).not_to_have_attribute("aria-disabled", "true")


def test_a_field_that_is_empty_for_a_moment_gives_up_no_seats(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    phone.clock.install()
    phone.goto(f"{address}/checkout?t{ticket}=2")
    phone.fill(f"#a{ticket}_2", "Budi")
    asked = count_requests(phone, "POST", "/checkout")
    field = phone.locator(f"#t{ticket}")
    empty(field)
    phone.clock.run_for(5_000)  # milliseconds
    field.press("3")
    expect(phone.locator(f"#a{ticket}_3")).to_be_visible()
    assert len(asked) == 1 + 1  # and the seat that was left
    expect(phone.locator(f"#a{ticket}_2")).to_have_value("Budi")
    empty(field)
    phone.focus("#full_name")
    expect(field).to_have_value("0")
    expect(phone.locator(f"#a{ticket}_2")).to_be_hidden()
    phone.fill(f"#t{ticket}", "2")
    expect(phone.locator(f"#a{ticket}_2")).to_have_value("Budi")


def test_enter_in_a_quantity_sends_nothing(shop: Shop, address: str, phone: BrowserPage) -> None:
    ticket = shop.add_ticket()
    phone.goto(f"{address}/checkout?t{ticket}=1")
    phone.fill(f"#t{ticket}", "2")
    phone.press(f"#t{ticket}", "Enter")
    expect(phone.locator(f"#a{ticket}_2")).to_be_visible()
    expect(phone.locator("#problems")).to_have_count(0)


def test_what_has_ended_meanwhile_is_given_up_and_seen_to_be(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ended, there = shop.add_ticket("Pelajar"), shop.add_ticket("Reguler", price=250_000)
    phone.goto(f"{address}/checkout?t{ended}=1&t{there}=1")
    fill_in(phone)
    shop.change(ended, valid_until=datetime.now(UTC) - timedelta(hours=1))
    phone.click("#pay")
    summary = phone.locator("#problems a")
    expect(summary).to_have_text("Pelajar: Penjualan tiket ini sudah berakhir. Pilih 0.")
    expect(summary).not_to_have_attribute("data-mended", "")
    phone.click(f"#t{ended}-less")
    expect(phone.locator(f"#t{ended}-error")).to_be_hidden()
    expect(phone.locator(f"#state-{ended}")).to_have_text("Penjualan sudah berakhir")
    expect(summary).to_have_attribute("data-mended", "")
    phone.click("#pay")
    expect(phone.locator("#status")).to_be_visible()


def test_the_suggested_address_is_taken_with_one_press(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    phone.goto(f"{address}/checkout?t{ticket}=1")
    fill_in(phone, email="sari@gmial.com")
    phone.get_by_role("button", name="Ya, pakai ini").click()
    expect(phone.locator("#email")).to_have_value("sari@gmail.com")
    expect(phone.locator("#email")).to_be_focused()
    expect(phone.locator("#email-suggestion")).to_have_count(0)
    assert "/checkout?" in phone.url


def test_every_target_is_large_and_nothing_is_wider_than_the_phone(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket("Tiket Terusan Pelajar dan Mahasiswa", price=12_750_000)
    phone.set_viewport_size({"width": 320, "height": 640})
    phone.goto(f"{address}/checkout?t{ticket}=1")
    fill_in(phone, email="seseorang.dengan.alamat.yang.sangat.panjang@gmial.com")
    phone.focus("#full_name")
    expect(phone.locator("#take-suggestion")).to_be_visible()
    controls = "#checkout-form :is(button, input:not([type=hidden])), .top__button"
    for control in phone.locator(controls).all():
        box = control.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= LEAST_TARGET, control
    assert phone.evaluate("document.documentElement.scrollWidth") <= 320


def test_who_orders_again_in_a_second_tab_is_asked_and_may_go_on(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    other = phone.context.new_page()
    for tab in (phone, other):
        tab.goto(f"{address}/checkout?t{ticket}=1")
        fill_in(tab)
        tab.focus("#full_name")
        expect(tab.locator("#no_hp-error")).to_be_hidden()
    phone.click("#pay")
    expect(phone.locator("#status")).to_be_visible()
    other.click("#pay")
    expect(other.locator("#problems")).to_be_focused()
    other.get_by_role("button", name="Buat satu pesanan lagi").click()
    expect(other.locator("#status")).to_be_visible()
    assert shop.count_orders() == 2


def test_a_whole_order_by_keyboard_alone_without_javascript(
    shop: Shop, address: str, plain: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    plain.goto(f"{address}/checkout")
    seen: list[str] = []

    def tab_to(control: str) -> None:
        for _ in range(30):
            plain.keyboard.press("Tab")
            reached = plain.locator("*:focus").get_attribute("id") or ""
            seen.append(reached)
            if reached == control:
                return
        raise AssertionError(f"{control} is not reached: {seen}")

    for expected in ("1", "2"):
        if expected == "1":
            tab_to(f"t{ticket}-more")
        plain.keyboard.press("Enter")
        expect(plain.locator(f"#t{ticket}")).to_have_value(expected)
        expect(plain.locator(f"#t{ticket}-more")).to_be_focused()
    for name, value in BUYER.items():
        tab_to(name)
        plain.keyboard.type(value)
    tab_to("pay")
    plain.keyboard.press("Enter")
    expect(plain.locator("#status")).to_be_visible()
    assert shop.held(ticket) == 2


def test_enter_in_a_text_goes_on_and_takes_no_ticket_away_without_javascript(
    shop: Shop, address: str, plain: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    plain.goto(f"{address}/checkout?t{ticket}=2")
    plain.fill("#full_name", "Sari Dewi")
    plain.press("#full_name", "Enter")
    expect(plain.locator("#problems")).to_be_focused()
    expect(plain.locator(f"#t{ticket}")).to_have_value("2")
    plain.locator("#problems a").first.press("Enter")
    expect(plain.locator("#email")).to_be_focused()


def test_another_language_keeps_what_was_typed_without_javascript(
    shop: Shop, address: str, plain: BrowserPage
) -> None:
    ticket = shop.add_ticket()
    plain.goto(f"{address}/checkout?t{ticket}=2")
    fill_in(plain, email="sari@")
    plain.fill(f"#a{ticket}_2", "Budi")
    plain.get_by_role("button", name="English").click()
    expect(plain.locator("html")).to_have_attribute("lang", "en")
    expect(plain.locator("#email")).to_have_value("sari@")
    expect(plain.locator(f"#a{ticket}_2")).to_have_value("Budi")
    expect(plain.locator(f"#t{ticket}")).to_have_value("2")
    expect(plain.locator("#problems")).to_have_count(0)

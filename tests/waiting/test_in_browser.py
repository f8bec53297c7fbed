"""The waiting room in a browser: with its script, without it, and for who has it read aloud."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app.routes.waiting_page import write_page
from app.services.waiting.news import News, State
from tests.harness.browser import browsing
from tests.pages import axe
from tests.waiting.hall import Hall

ASK = "document.dispatchEvent(new Event('visibilitychange'))"
OPENS_AT = datetime(2027, 1, 10, 3, 0, tzinfo=UTC)
EVERY_NEWS = [
    News(state, 30, ahead=1234, minutes=9, is_scarce=True, opens_in=754 * (state is State.BEFORE))
    for state in State
]


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    with browsing(browser) as page:
        yield page


def test_on_a_quiet_day_nobody_notices_the_door(hall: Hall, hall_address: str, phone: Page) -> None:
    ticket = hall.add_ticket()
    phone.goto(f"{hall_address}/checkout?t{ticket}=2")
    expect(phone.locator(f"#t{ticket}")).to_have_value("2")
    expect(phone.locator(".turn")).to_contain_text("Giliran Anda")


def test_who_waits_is_let_in_without_touching_anything(
    hall: Hall, hall_address: str, phone: Page
) -> None:
    ticket = hall.add_ticket()
    hall.set_door(is_paused=True)
    phone.goto(f"{hall_address}/checkout?t{ticket}=2")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Antrean dijeda sebentar")
    phone.reload()
    hall.set_door(is_paused=False)
    phone.evaluate(ASK)

    expect(phone.locator(f"#t{ticket}")).to_have_value("2")
    assert hall.count_places() == 1


def test_news_are_shown_in_place_and_said_once(hall: Hall, hall_address: str, phone: Page) -> None:
    hall.add_ticket()
    hall.set_door(is_paused=True)
    told = {"state": "waiting", "pause": 30, "ahead": 1, "minutes": 3, "isScarce": True}

    def tell(route: Route) -> None:
        route.fulfill(json={**told, "opensAt": None})

    phone.route("**/waiting/news", tell)
    phone.goto(f"{hall_address}/waiting")
    # The page goes once by itself, for its place: a question of before that would be lost.
    expect(phone.get_by_role("heading", level=1)).to_have_text("Antrean dijeda sebentar")
    said = phone.locator("#announcement")
    phone.evaluate(ASK)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Ada 1 orang di depan Anda.")
    expect(phone.get_by_text("Giliran Anda sekitar 3 menit lagi.")).to_be_visible()
    expect(said).to_have_text("Ada 1 orang di depan Anda.")
    assert phone.title().startswith("(1) ")

    told.update(ahead=0, minutes=2)
    phone.evaluate(ASK)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Anda yang berikutnya.")
    expect(said).to_have_text("Ada 1 orang di depan Anda.")
    told.update(minutes=1)
    phone.evaluate(ASK)
    expect(said).to_have_text("Giliran Anda kurang dari satu menit lagi.")


def test_a_page_nobody_looks_at_does_not_begin_the_turn(
    hall: Hall, hall_address: str, phone: Page
) -> None:
    hall.add_ticket()
    phone.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.asleep})")
    phone.add_init_script("window.asleep = true")
    phone.goto(f"{hall_address}/waiting")
    assert hall.count_places() == 0
    phone.evaluate(f"window.asleep = false; {ASK}")
    expect(phone.locator("#checkout-form")).to_be_visible()


def test_the_time_to_the_opening_counts_down(hall: Hall, hall_address: str, phone: Page) -> None:
    opens_at = datetime.now(UTC) + timedelta(hours=2)
    hall.set_door(drawn_at=None, seed=None, lot_last=None, opens_at=opens_at)
    phone.goto(f"{hall_address}/waiting")
    clock = phone.get_by_role("timer")
    expect(clock).to_contain_text("1:59:")
    first = clock.inner_text()
    expect(clock).not_to_have_text(first)


def test_without_javascript_one_button_leads_on(
    hall: Hall, hall_address: str, browser: Browser
) -> None:
    ticket = hall.add_ticket()
    with browsing(browser, java_script_enabled=False) as page:
        page.goto(f"{hall_address}/checkout?t{ticket}=2")
        page.get_by_role("button", name="Ambil tempat saya").click()
        expect(page.locator(f"#t{ticket}")).to_have_value("2")


def test_who_keeps_no_cookies_is_told_so(hall: Hall, hall_address: str, browser: Browser) -> None:
    hall.add_ticket()
    with browsing(browser) as page:
        page.add_init_script("sessionStorage.setItem('place asked for', String(Date.now()))")
        page.goto(f"{hall_address}/waiting")
        expect(page.get_by_text("Izinkan cookie untuk halaman ini, lalu")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_is_accessible_and_fits_a_small_phone(
    hall: Hall, hall_address: str, browser: Browser, scheme: str
) -> None:
    found: list[str] = []
    drawn = {"body": ""}
    with browsing(browser, color_scheme=scheme) as page:
        page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => true})")
        page.route("**/waiting", lambda route: route.fulfill(**drawn, content_type="text/html"))
        for language, news in itertools.product(("id", "en"), EVERY_NEWS):
            cookie = {"Cookie": f"language={language}"}
            with hall.app.test_request_context("/waiting", headers=cookie):
                drawn["body"] = write_page(news, OPENS_AT)
            page.goto(f"{hall_address}/waiting")
            name = f"{language} {news.state.value}"
            found += [f"{name}: {each}" for each in axe.violations(page)]
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            found += [f"{name}: wider than the screen"] * wide
            expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert not found, "\n".join(found)

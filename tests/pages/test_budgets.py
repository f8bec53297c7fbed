"""Budgets: what a first visit weighs on the line, and that nothing moves under the reader."""

import gzip
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.harness.browser import PHONE, browsing
from tests.pages import order_states
from tests.pages.asking import TWO_FRAMES, ask_now, settle
from tests.pages.shop import Shop

GZIP_LEVEL = 6  # as proxies compress by default
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")
FIRST_VISIT = 60_000  # bytes without pictures: a second on a line of 480 kbit/s
FRAGMENT = 2_500  # bytes of a page's answer to its own question
# A tenth of what counts as good: the fonts may come a moment after the words, which move by a hair.
A_HAIR = 0.01
TRIES = 3  # on a busy machine a typeface may come late; what is ours moves each time
# CLS as https://web.dev/articles/cls counts it; without moves that a reader's hand caused.
WATCH_MOVES = """
window.moves = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const sources = entry.sources.map((source) => source.node?.outerHTML?.slice(0, 80));
    window.moves.push([entry.value, `${sources}`]);
  }
}).observe({type: "layout-shift", buffered: true});
"""
PageOf = Callable[[Shop], str]


def catalogue(shop: Shop) -> str:
    for number in range(12):
        shop.add_ticket(f"Tiket {number}", price=number * 50_000, amount=20)
    return "/"


def checkout(shop: Shop) -> str:
    return f"/checkout?t{shop.add_ticket()}=5"


def order(shop: Shop) -> str:
    return f"/orders/{order_states.payable(shop)}"


def etickets(shop: Shop) -> str:
    return f"/orders/{order_states.mailed(shop)}/tickets"


def staff(_shop: Shop) -> str:
    return "/staff/log-in"


@pytest.mark.parametrize("page_of", [catalogue, checkout, order, etickets, staff])
def test_a_first_visit_is_light(shop: Shop, address: str, phone: Page, page_of: PageOf) -> None:
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    phone.on("response", note)
    phone.goto(address + page_of(shop), wait_until="networkidle")
    weights = {answer.url: weigh(answer) for answer in answers}
    kinds = {answer.request.resource_type for answer in answers}
    assert {"document", "stylesheet", "script", "font"} <= kinds
    assert sum(weights.values()) < FIRST_VISIT, weights


def weigh(answer: Response) -> int:
    """Return a file's bytes as a compressing proxy sends them; pictures count for nothing."""
    body = answer.body()
    if answer.headers["content-type"] in PICTURES:
        return 0
    return min(len(body), len(gzip.compress(body, GZIP_LEVEL)))


@pytest.mark.parametrize("page_of", [catalogue, order])
def test_a_pages_own_questions_are_lighter_still(shop: Shop, page_of: PageOf) -> None:
    body = shop.client.get(page_of(shop), headers={"HX-Request": "true"}).data
    assert len(gzip.compress(body, GZIP_LEVEL)) < FRAGMENT


def watched(page: Page, address: str) -> list[tuple[float, str]]:
    """Open a page that notes every move of its layout; return those of its loading."""
    page.add_init_script(WATCH_MOVES)
    page.goto(address, wait_until="networkidle")
    settle(page)
    loading = moves(page)
    page.evaluate("window.moves = []")
    return loading


def moves(page: Page) -> list[tuple[float, str]]:
    """Return how much of the window moved how far, from 0 to 1 each, and what it was."""
    page.evaluate(TWO_FRAMES)
    found: list[tuple[float, str]] = page.evaluate("window.moves")
    return found


@pytest.mark.parametrize("page_of", [catalogue, checkout, order, etickets])
def test_hardly_anything_moves_while_a_page_loads(
    shop: Shop, address: str, browser: Browser, page_of: PageOf
) -> None:
    path, tries = page_of(shop), []
    for _ in range(TRIES):
        with browsing(browser, size=PHONE) as phone:  # anew: with nothing kept from before
            loading = watched(phone, address + path)
        if sum(share for share, _what in loading) < A_HAIR:
            return
        tries.append(loading)
    pytest.fail(f"moves each time: {tries}")


def test_nothing_moves_when_fewer_tickets_are_left(shop: Shop, address: str, phone: Page) -> None:
    ticket = shop.add_ticket(amount=9)
    shop.change(ticket, held=1)
    watched(phone, f"{address}/")
    before = phone.locator(f"#state-{ticket}").inner_text()
    for held in (2, 3, 4):
        shop.change(ticket, held=held)
        ask_now(phone)
        expect(phone.locator(f"#state-{ticket}")).not_to_have_text(before)
    assert moves(phone) == []


def test_nothing_moves_while_an_order_waits_for_its_payment(
    shop: Shop, address: str, phone: Page
) -> None:
    watched(phone, address + order(shop))
    phone.locator("#pay").focus()
    for _ in range(3):
        ask_now(phone)
    expect(phone.locator("#pay")).to_be_focused()
    assert moves(phone) == []


def test_a_move_would_be_seen(shop: Shop, address: str, phone: Page) -> None:
    watched(phone, address + catalogue(shop))
    phone.evaluate("document.querySelector('main').style.marginTop = '80px'")
    [(share, _what)] = moves(phone)
    assert share > A_HAIR

"""An open catalogue in a browser: news of what is left arrive, and nothing typed is ever lost."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Request, Response, Route, expect
from playwright.sync_api import Page as BrowserPage

from tests.pages.shop import Shop

LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({type: "layout-shift"});
"""
# Frames are drawn, and what they moved is told, before the second one begins.
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def look_again(page: BrowserPage) -> Response:
    """Let the page ask, as when one comes back to it, and return the answer."""
    with page.expect_response(lambda response: urlsplit(response.url).path == "/") as answer:
        page.evaluate(LOOK_AGAIN)
    answer.value.finished()
    return answer.value


def is_question(request: Request) -> bool:
    """Tell whether a page asks for news."""
    return urlsplit(request.url).path == "/"


def questions(page: BrowserPage) -> list[str]:
    """Return a list that grows with each question for news."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if is_question(request):
            asked.append(request.url)

    page.on("request", note)
    return asked


def field(page: BrowserPage, ticket: int) -> Locator:
    return page.locator(f"#t{ticket}")


def state(page: BrowserPage, ticket: int) -> Locator:
    return page.locator(f"#state-{ticket}")


@pytest.fixture
def ticket(shop: Shop) -> int:
    return shop.add_ticket(amount=50)


def test_plus_and_minus_count_within_what_can_be_had(
    ticket: int, address: str, phone: BrowserPage
) -> None:
    phone.goto(address)
    plus = phone.get_by_role("button", name="Tambah satu: Reguler")
    minus = phone.get_by_role("button", name="Kurangi satu: Reguler")
    expect(minus).to_have_attribute("aria-disabled", "true")
    for expected in ("1", "2", "3", "4", "5", "5"):
        plus.click(force=True)  # at the end of its road it is dim, but there
        expect(field(phone, ticket)).to_have_value(expected)
    expect(plus).to_have_attribute("aria-disabled", "true")
    minus.click()
    expect(field(phone, ticket)).to_have_value("4")
    expect(phone.locator("#announcement")).to_have_text("Reguler: 4")
    phone.get_by_role("button", name="Lanjut").click()
    phone.wait_for_url(f"**/checkout?t{ticket}=4")


def test_what_is_typed_stays_with_its_focus_when_numbers_change(
    shop: Shop, ticket: int, address: str, phone: BrowserPage
) -> None:
    phone.goto(address)
    field(phone, ticket).fill("2")
    shop.change(ticket, held=45)
    answer = look_again(phone)
    assert urlsplit(answer.url).query == ""  # everybody asks the same, so one answer serves all
    expect(state(phone, ticket)).to_have_text("Sisa 5 tiket")
    expect(field(phone, ticket)).to_have_value("2")
    expect(field(phone, ticket)).to_be_focused()
    shop.change(ticket, held=47)
    look_again(phone)
    expect(field(phone, ticket)).to_have_attribute("max", "3")
    expect(field(phone, ticket)).to_have_value("2")


def test_what_is_typed_while_the_answer_is_on_its_way_stays(
    shop: Shop, ticket: int, address: str, phone: BrowserPage
) -> None:
    phone.goto(address)
    held_back: list[Route] = []

    def hold_back(route: Route) -> None:
        held_back.append(route)

    phone.route(f"{address}/", hold_back)
    with phone.expect_request(f"{address}/"):
        phone.evaluate(LOOK_AGAIN)
    field(phone, ticket).fill("3")
    shop.change(ticket, held=45)
    expect(field(phone, ticket)).to_have_value("3")  # lets the route's handler run
    [route] = held_back
    route.continue_()
    expect(state(phone, ticket)).to_have_text("Sisa 5 tiket")
    expect(field(phone, ticket)).to_have_value("3")


def test_what_is_typed_stays_when_the_whole_sale_looks_different(
    shop: Shop, ticket: int, address: str, phone: BrowserPage
) -> None:
    phone.goto(address)
    field(phone, ticket).fill("3")
    later = shop.add_ticket("Tambahan")
    look_again(phone)
    expect(field(phone, later)).to_have_value("0")
    expect(field(phone, ticket)).to_have_value("3")
    expect(field(phone, ticket)).to_be_focused()


def test_a_choice_that_is_gone_stays_until_the_buyer_gives_it_up(
    shop: Shop, ticket: int, address: str, phone: BrowserPage
) -> None:
    other = shop.add_ticket("Lain", amount=50)
    phone.goto(address)
    field(phone, ticket).fill("2")
    for each in (ticket, other):
        shop.change(each, held=50)
    shop.add_ticket("Baru")  # something is still on sale
    look_again(phone)
    expect(state(phone, ticket)).to_have_text("Habis terjual")
    expect(field(phone, ticket)).to_have_value("2")
    expect(field(phone, other)).to_have_count(0)
    look_again(phone)
    expect(field(phone, ticket)).to_have_value("2")
    shop.change(ticket, held=0)
    look_again(phone)
    expect(state(phone, ticket)).to_have_text("Tersedia")
    expect(field(phone, ticket)).to_have_value("2")
    expect(field(phone, ticket)).to_have_count(1)


def test_an_unchanged_sale_costs_a_few_bytes_and_touches_nothing(
    ticket: int, address: str, phone: BrowserPage
) -> None:
    phone.goto(address)
    look_again(phone)  # what the browser keeps from now on is the part, no longer the page
    phone.evaluate(f"window.words = document.getElementById('state-{ticket}')")
    with phone.expect_request_finished(is_question) as asked:
        phone.evaluate(LOOK_AGAIN)
    assert asked.value.sizes()["responseBodySize"] == 0
    phone.evaluate(TWO_FRAMES)
    assert phone.evaluate(f"window.words === document.getElementById('state-{ticket}')")


def test_a_hidden_page_asks_nothing(ticket: int, address: str, phone: BrowserPage) -> None:
    phone.add_init_script("Object.defineProperty(document, 'hidden', {get: () => !window.isSeen})")
    phone.goto(address)
    asked = questions(phone)
    phone.evaluate(LOOK_AGAIN)
    phone.evaluate(TWO_FRAMES)
    assert asked == []
    phone.evaluate("window.isSeen = true")
    look_again(phone)
    assert asked != []


def test_a_page_whose_sale_has_ended_asks_no_more_and_says_so(
    shop: Shop, ticket: int, address: str, phone: BrowserPage
) -> None:
    phone.goto(address)
    shop.change(ticket, valid_until=datetime.now(UTC) - timedelta(hours=1))
    look_again(phone)
    expect(phone.locator("#tickets h2")).to_have_text("Penjualan sudah berakhir")
    expect(phone.locator("#announcement")).to_have_text("Penjualan sudah berakhir")
    asked = questions(phone)
    phone.evaluate(LOOK_AGAIN)
    phone.evaluate(TWO_FRAMES)
    assert asked == []


def test_a_sale_that_opens_says_so_and_can_be_bought_from(
    shop: Shop, address: str, phone: BrowserPage
) -> None:
    ticket = shop.add_ticket(opens_in=timedelta(hours=1))
    phone.goto(address)
    expect(phone.locator("#choose")).to_have_count(0)
    shop.change(ticket, valid_from=datetime.now(UTC) - timedelta(hours=1))
    look_again(phone)
    expect(phone.locator("#announcement")).to_have_text("Penjualan sudah dibuka.")
    phone.get_by_role("button", name="Tambah satu: Reguler").click()
    phone.get_by_role("button", name="Lanjut").click()
    phone.wait_for_url(f"**/checkout?t{ticket}=1")


def test_nothing_moves_when_numbers_change(
    shop: Shop, ticket: int, address: str, phone: BrowserPage
) -> None:
    gone = shop.add_ticket("Lain", amount=50)
    phone.goto(address)
    phone.evaluate("document.fonts.ready.then(() => {})")
    phone.evaluate(TWO_FRAMES)
    phone.evaluate(WATCH_SHIFTS)
    shop.change(ticket, held=45)
    shop.change(gone, held=50)
    look_again(phone)
    expect(state(phone, ticket)).to_have_text("Sisa 5 tiket")
    expect(state(phone, gone)).to_have_text("Habis terjual")
    phone.evaluate(TWO_FRAMES)
    assert phone.evaluate("window.shifts") == []


def test_without_javascript_a_quantity_is_a_plain_field(
    ticket: int, address: str, phone_without_javascript: BrowserPage
) -> None:
    page = phone_without_javascript
    page.goto(address)
    expect(page.get_by_role("button", name="Tambah satu")).to_have_count(0)
    page.get_by_label("Jumlah Reguler").fill("2")
    page.get_by_role("button", name="Lanjut").click()
    page.wait_for_url(f"**/checkout?t{ticket}=2")


def test_the_total_follows_what_is_chosen(shop: Shop, address: str, phone: BrowserPage) -> None:
    cheap = shop.add_ticket("Pelajar", price=100_000)
    dear = shop.add_ticket("Reguler", price=250_000)
    phone.goto(address)
    total = phone.locator("#total")
    expect(total).to_be_hidden()
    field(phone, dear).fill("2")
    field(phone, cheap).press_sequentially("3")  # replaces the 0
    expect(total).to_have_text("Rp\N{NO-BREAK SPACE}800.000")
    shop.change(dear, price=200_000)
    look_again(phone)
    expect(total).to_have_text("Rp\N{NO-BREAK SPACE}700.000")
    for each in (cheap, dear):
        field(phone, each).fill("0")
    expect(total).to_be_hidden()

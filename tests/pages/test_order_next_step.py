"""One clear next step in every state of an order, in the same place, in both languages."""

import pytest

from tests.pages.html import Element, Page
from tests.pages.order_states import (
    State,
    cancelled,
    cancelling,
    checking,
    choosing,
    closing,
    expired,
    failed,
    in_line,
    late,
    mailed,
    money_back,
    paid,
    payable,
    preparing,
    refunding,
    seats_gone,
    show,
    underpaid,
)
from tests.pages.shop import Shop

NOTHING = {"en": "Nothing", "id": "Tidak ada"}


TO_DO: dict[State, str] = {
    payable: "pay",
    paid: "open-tickets",
    mailed: "open-tickets",
    expired: "again",
    cancelled: "again",
    failed: "again",
}
NOTHING_TO_DO: list[State] = [
    preparing,
    checking,
    closing,
    late,
    cancelling,
    in_line,
    underpaid,
    refunding,
]
WITH_WORDS: dict[State, str] = {
    choosing: "Please choose what happens with your money.",
    seats_gone: "we will write to s•••@example.com",
    money_back: "Tell us where to send your money: see below.",
}


def main_buttons(page: Page) -> list[Element]:
    """Return the buttons that ask to be pressed: the loud ones."""
    controls = [e for e in page.by_id("status").walk() if e.tag in ("a", "button")]
    classes = [(e, e.attributes.get("class", "").split()) for e in controls]
    return [e for e, names in classes if "button" in names and "button--quiet" not in names]


@pytest.mark.parametrize("state", TO_DO)
def test_where_there_is_something_to_do_one_button_stands_out(shop: Shop, state: State) -> None:
    page = show(shop, state(shop))
    (box,) = page.all("div", class_="next")
    (button,) = main_buttons(page)
    assert button.attributes["id"] == TO_DO[state]
    assert button in list(box.walk())


@pytest.mark.parametrize("language", NOTHING)
@pytest.mark.parametrize("state", NOTHING_TO_DO)
def test_where_there_is_nothing_to_do_it_says_so(shop: Shop, state: State, language: str) -> None:
    headers = {"Accept-Language": language}
    page = Page(shop.client.get(f"/orders/{state(shop)}", headers=headers))
    (box,) = page.all("div", class_="next")
    assert next(e.text for e in box.walk() if e.tag == "p").startswith(NOTHING[language])
    assert not main_buttons(page)


@pytest.mark.parametrize("state", WITH_WORDS)
def test_a_buyer_whose_money_came_too_late_is_told_what_is_asked(shop: Shop, state: State) -> None:
    page = show(shop, state(shop))
    (box,) = page.all("div", class_="next")
    assert WITH_WORDS[state] in box.text


@pytest.mark.parametrize(
    ("state", "done", "now"),
    [(preparing, 0, "1Seats held"), (payable, 1, "2Pay"), (mailed, 3, None)],
)
def test_the_page_shows_how_far_the_order_is(
    shop: Shop, state: State, done: int, now: str | None
) -> None:
    page = show(shop, state(shop))
    (steps,) = page.all("ol", class_="steps")
    assert sum("(done)" in e.text for e in steps.walk() if e.tag == "li") == done
    assert [e.text for e in page.all("li", aria_current="step")] == ([now] if now else [])


def test_who_waits_for_the_payment_page_sees_the_place_in_line(shop: Shop) -> None:
    ticket = shop.add_ticket()
    first, second, third = (shop.order(ticket) for _ in range(3))
    assert show(shop, first).by_id("line").text == "It should take less than a minute."
    page = show(shop, third)
    assert page.by_id("line").text.startswith("2 orders are ahead of yours. It should take")
    assert "1 order is ahead of yours." in show(shop, second).text


def test_an_order_that_waits_too_long_at_the_front_is_promised_no_time(shop: Shop) -> None:
    token = shop.order(shop.add_ticket())
    with shop.changing(token) as order:
        order.expires_at -= 2 * (order.expires_at - order.created_at) / 3
    assert "It takes longer than usual" in show(shop, token).by_id("line").text


def test_a_new_place_in_line_is_news(shop: Shop) -> None:
    ticket = shop.add_ticket()
    first, second = shop.order(ticket), shop.order(ticket)
    seen = [show(shop, token).by_id("status").attributes["hx-get"] for token in (first, second)]
    assert seen[0].split("seen=")[1] != seen[1].split("seen=")[1]

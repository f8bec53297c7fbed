"""Plus and minus without JavaScript: buttons of the form that count and lose nothing."""

import pytest
from flask.testing import FlaskClient

from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, open_form


def press(client: FlaskClient, page: Page, button: str, **typed: str) -> Page:
    """Send the form as it stands, with these fields typed, by the button with this id."""
    pressed = page.by_id(button).attributes
    sent = {**page.fields, **typed, pressed["name"]: pressed["value"]}
    return Page(client.post("/checkout", data=sent))


def test_plus_and_minus_count_and_keep_what_was_typed(shop: Shop) -> None:
    ticket, client = shop.add_ticket(price=100_000), shop.client
    form = open_form(client, **{f"t{ticket}": 1})
    more = press(client, form, f"t{ticket}-more", **BUYER, **{f"a{ticket}_1": "Budi"})
    assert more.status == 200
    assert more.fields[f"t{ticket}"] == "2"
    assert more.fields["shown_total"] == "200000"
    assert more.fields.items() >= BUYER.items()
    assert [more.fields[f"a{ticket}_{n}"] for n in (1, 2)] == ["Budi", "Sari Dewi"]
    less = press(client, more, f"t{ticket}-less")
    assert less.fields[f"t{ticket}"] == "1"
    assert less.fields[f"a{ticket}_1"] == "Budi"
    assert shop.count_orders() == 0


@pytest.mark.parametrize("button", ["more", "less"])
def test_the_pressed_button_has_the_focus_on_the_page_that_comes_back(
    shop: Shop, button: str
) -> None:
    ticket, client = shop.add_ticket(), shop.client
    page = press(client, open_form(client, **{f"t{ticket}": 2}), f"t{ticket}-{button}")
    (focused,) = [e for e in page.elements if "autofocus" in e.attributes]
    assert focused.attributes["id"] == f"t{ticket}-{button}"


@pytest.mark.parametrize(
    ("amount", "most", "reason"),
    [(100, 3, "Paling banyak 3 per pesanan"), (3, 5, "Tidak ada lagi yang tersisa")],
)
def test_plus_stops_at_the_limit_and_says_why(
    shop: Shop, amount: int, most: int, reason: str
) -> None:
    ticket, client = shop.add_ticket(amount=amount, most=most), shop.client
    page = open_form(client, **{f"t{ticket}": 2})
    assert "hidden" in page.by_id(f"t{ticket}-limit").attributes
    for _ in range(2):
        page = press(client, page, f"t{ticket}-more")
        assert page.fields[f"t{ticket}"] == "3"
        limit, button = page.by_id(f"t{ticket}-limit"), page.by_id(f"t{ticket}-more")
        assert limit.text == reason
        assert "hidden" not in limit.attributes
        assert button.attributes["aria-disabled"] == "true"
        assert limit.attributes["id"] in button.attributes["aria-describedby"].split()
        assert not page.has_id("problems")


def test_minus_stops_at_nothing(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    page = press(client, open_form(client), f"t{ticket}-less")
    assert page.fields[f"t{ticket}"] == "0"
    assert page.by_id(f"t{ticket}-less").attributes["aria-disabled"] == "true"


@pytest.mark.parametrize(("button", "quantity"), [("more", "5"), ("less", "2")])
def test_more_than_can_be_had_is_only_lowered_by_the_buyer(
    shop: Shop, button: str, quantity: str
) -> None:
    ticket, client = shop.add_ticket(), shop.client
    page = open_form(client, **{f"t{ticket}": 5})
    shop.change(ticket, amount=2)
    page = press(client, page, f"t{ticket}-{button}")
    assert page.fields[f"t{ticket}"] == quantity
    assert bool(page.by_id(f"t{ticket}-error").text) == (quantity == "5")


def test_a_name_on_a_seat_given_up_is_back_when_the_seat_is(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    page = open_form(client, **{f"t{ticket}": 2})
    fewer = press(client, page, f"t{ticket}-less", **{f"a{ticket}_2": "Budi"})
    assert fewer.by_id(f"a{ticket}_2").attributes["type"] == "hidden"
    again = press(client, fewer, f"t{ticket}-more")
    assert again.by_id(f"a{ticket}_2").attributes["type"] == "text"
    assert again.fields[f"a{ticket}_2"] == "Budi"


def test_a_seat_given_up_gets_no_name_on_the_order(shop: Shop) -> None:
    ticket, client = shop.add_ticket(), shop.client
    page = open_form(client, **{f"t{ticket}": 2})
    fewer = press(client, page, f"t{ticket}-less", **BUYER, **{f"a{ticket}_2": "Budi"})
    answer = press(client, fewer, "pay")
    with shop.changing(answer.headers["Location"].rpartition("/")[2]) as order:
        assert order.items[0].attendees == ["Sari Dewi"]


@pytest.mark.parametrize("typed", ["1.5", "-1", "two", "1e3", "1000"])
def test_what_is_no_small_whole_number_is_kept_and_asked_for(shop: Shop, typed: str) -> None:
    ticket, client = shop.add_ticket(), shop.client
    page = press(client, open_form(client), "pay", **BUYER, **{f"t{ticket}": typed})
    assert page.status == 422
    assert page.fields[f"t{ticket}"] == typed
    assert page.by_id(f"t{ticket}-error").text == "Mohon isi dengan bilangan bulat, misalnya 2."
    assert shop.count_orders() == 0


@pytest.mark.parametrize("name", ["t999999999", "t", "order_token", "", "x" * 400, "t1" * 100])
def test_a_step_of_nothing_that_is_sold_changes_nothing(shop: Shop, name: str) -> None:
    ticket, client = shop.add_ticket(), shop.client
    sent = open_form(client, **{f"t{ticket}": 1}).fields
    page = Page(client.post("/checkout", data=sent | {"more": name, "less": name}))
    assert page.status == 200
    assert page.fields["order_token"] == sent["order_token"]
    assert page.fields[f"t{ticket}"] == "1"


def test_enter_presses_the_button_that_goes_on(shop: Shop) -> None:
    """A browser takes the first button of a form, wherever in the page it stands."""
    page = open_form(shop.client, **{f"t{shop.add_ticket()}": 1})
    form = list(page.by_id("checkout-form").walk())
    owned = [b for b in page.all("button") if b in form or "form" in b.attributes]
    first = owned[0].attributes
    assert (first["name"], first["value"]) == ("intent", "pay")
    assert (first["tabindex"], first["aria-hidden"]) == ("-1", "true")


@pytest.mark.parametrize(
    ("price", "language", "words"),
    [
        (300_000, "id", "Lanjut ke pembayaran · Rp 300.000"),
        (300_000, "en", "Continue to payment · Rp 300.000"),
        (0, "id", "Ambil tiket"),
        (0, "en", "Get tickets"),
    ],
)
def test_the_button_says_what_happens_next(
    shop: Shop, price: int, language: str, words: str
) -> None:
    ticket = shop.add_ticket(price=price)
    headers = {"Accept-Language": language}
    page = Page(shop.client.get(f"/checkout?t{ticket}=1", headers=headers))
    assert page.by_id("pay").text == words


def test_seats_that_are_gone_are_not_in_the_total(shop: Shop) -> None:
    gone, there = shop.add_ticket("Gone", price=100_000), shop.add_ticket("There", price=50_000)
    shop.change(gone, amount=0)
    page = open_form(shop.client, **{f"t{gone}": 1, f"t{there}": 1})
    (total,) = [
        e for e in page.by_id("summary").walk() if e.attributes.get("class") == "sums__total"
    ]
    assert "Rp 50.000" in total.text

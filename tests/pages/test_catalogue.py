"""The catalogue page: every state of a ticket and of the whole sale, in words."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.pages.html import Page
from tests.pages.shop import Shop

TOMORROW = timedelta(days=1)
FRAGMENT = {"HX-Request": "true", "Accept-Language": "en"}
ENGLISH = {"Accept-Language": "en"}


def catalogue(client: FlaskClient, path: str = "/") -> Page:
    return Page(client.get(path, headers=ENGLISH))


def test_it_names_event_date_in_words_and_venue(shop: Shop) -> None:
    text = catalogue(shop.client).text
    assert "TEDxSenja Jakarta" in text
    assert "Saturday, 26 January 2030, 09:00 WIB" in text
    assert "Gedung Kesenian Senja, Jakarta" in text


def test_a_ticket_on_sale_offers_as_many_as_one_order_may_take(shop: Shop) -> None:
    ticket = shop.add_ticket("Reguler", price=250_000, amount=100, most=4)
    page = catalogue(shop.client)
    choices = [e.attributes["value"] for e in page.by_id(f"t{ticket}").walk()]
    assert choices == ["0", "1", "2", "3", "4"]
    assert "Rp 250.000" in page.by_id(f"ticket-{ticket}").text
    assert page.by_id(f"state-{ticket}").text.startswith("On sale until")


def test_it_offers_no_more_than_are_left(shop: Shop) -> None:
    ticket = shop.add_ticket(amount=2, most=4)
    choices = [e.attributes["value"] for e in catalogue(shop.client).by_id(f"t{ticket}").walk()]
    assert choices == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("amount", "held", "words"),
    [
        (100, 90, "Only 10 tickets left"),
        (100, 89, "On sale until"),
        (1000, 900, "Only 100 tickets left"),
        (1000, 899, "On sale until"),
        (100, 99, "Only 1 ticket left"),
        (100, 100, "Sold out"),
    ],
)
def test_what_is_left_is_told_in_words(shop: Shop, amount: int, held: int, words: str) -> None:
    ticket = shop.add_ticket(amount=amount)
    shop.change(ticket, held=held)
    assert catalogue(shop.client).by_id(f"state-{ticket}").text.startswith(words)


def test_a_ticket_outside_its_period_says_so_and_cannot_be_chosen(shop: Shop) -> None:
    later = shop.add_ticket("Later", opens_in=TOMORROW)
    past = shop.add_ticket("Past", closes_in=-TOMORROW)
    page = catalogue(shop.client)
    assert page.by_id(f"state-{later}").text.startswith("Opens ")
    assert page.by_id(f"state-{past}").text == "The sale has ended"
    assert not page.all("select")
    assert not page.has_id("choose")


def test_an_empty_catalogue_says_so(shop: Shop) -> None:
    page = catalogue(shop.client)
    assert "There are no tickets yet" in page.text
    assert "data-poll" not in page.by_id("tickets").attributes


def test_a_sale_not_open_yet_says_so_and_waits_for_it(shop: Shop) -> None:
    shop.add_ticket(opens_in=TOMORROW)
    page = catalogue(shop.client)
    assert "The sale has not opened yet" in page.text
    assert "data-poll" in page.by_id("tickets").attributes


def test_when_all_is_sold_out_it_says_so(shop: Shop) -> None:
    shop.add_ticket(amount=0)
    assert "All tickets are sold or being paid for" in catalogue(shop.client).text


def test_when_the_sale_is_over_it_says_so_and_asks_no_more(shop: Shop) -> None:
    shop.add_ticket(closes_in=-TOMORROW)
    page = catalogue(shop.client)
    assert "Thank you for your interest" in page.text
    assert "data-poll" not in page.by_id("tickets").attributes


def test_the_refreshed_list_is_one_element_and_keeps_what_was_chosen(shop: Shop) -> None:
    ticket = shop.add_ticket(most=5)
    page = Page(shop.client.get(f"/?t{ticket}=3", headers=FRAGMENT))
    assert [e.attributes["id"] for e in page.root.children if not isinstance(e, str)] == ["tickets"]
    assert page.fields[f"t{ticket}"] == "3"
    assert "HX-Request" in page.headers["Vary"]


def test_a_restored_history_entry_gets_the_whole_page(shop: Shop) -> None:
    headers = {**FRAGMENT, "HX-History-Restore-Request": "true"}
    assert Page(shop.client.get("/", headers=headers)).all("html")


def test_the_form_leads_to_the_checkout_with_what_was_chosen(shop: Shop) -> None:
    ticket = shop.add_ticket()
    form = catalogue(shop.client).by_id("tickets")
    assert (form.attributes["action"], form.attributes["method"]) == ("/checkout", "get")
    page = Page(shop.client.get(f"/checkout?t{ticket}=2"))
    assert page.fields[f"t{ticket}"] == "2"


@pytest.mark.parametrize("typed", ["-1", "abc", "", "1e3", "99999999999999999999", "２", "\x00"])
def test_nonsense_in_the_address_chooses_nothing(shop: Shop, typed: str) -> None:
    ticket = shop.add_ticket()
    page = Page(shop.client.get("/", query_string={f"t{ticket}": typed, "t": "1", "tx": "1"}))
    assert page.status == 200
    assert page.fields[f"t{ticket}"] == "0"


def test_a_hostile_ticket_name_is_shown_as_text(shop: Shop) -> None:
    shop.add_ticket("<script>alert(1)</script>")
    page = catalogue(shop.client)
    assert "<script>alert(1)</script>" in page.text
    assert not [e for e in page.all("script") if "src" not in e.attributes]

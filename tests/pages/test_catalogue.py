"""The catalogue page: every state of a ticket and of the whole sale, in words."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from tests.pages.html import Page
from tests.pages.shop import Shop

TOMORROW = timedelta(days=1)
FRAGMENT = {"HX-Request": "true", "Accept-Language": "en"}
ENGLISH = {"Accept-Language": "en"}


def catalogue(client: FlaskClient, path: str = "/") -> Page:
    return Page(client.get(path, headers=ENGLISH))


def ways_on(page: Page) -> set[str]:
    """Return where the links in the words above the list lead."""
    return {e.attributes["href"] for e in page.by_id("tickets").walk() if e.tag == "a"}


def test_it_names_event_date_in_words_and_venue(shop: Shop) -> None:
    text = catalogue(shop.client).text
    assert "TEDxSenja Jakarta" in text
    assert "Saturday, 26 January 2030, 09:00 WIB" in text
    assert "Gedung Kesenian Senja, Jakarta" in text


def test_a_ticket_on_sale_offers_as_many_as_one_order_may_take(shop: Shop) -> None:
    ticket = shop.add_ticket("Reguler", price=250_000, amount=100, most=4)
    page = catalogue(shop.client)
    field = page.by_id(f"t{ticket}").attributes
    assert (field["type"], field["min"], field["max"], field["value"]) == ("number", "0", "4", "0")
    assert "Rp 250.000" in page.by_id(f"ticket-{ticket}").text
    assert page.by_id(f"state-{ticket}").text == "On sale"


def test_it_offers_no_more_than_are_left(shop: Shop) -> None:
    ticket = shop.add_ticket(amount=2, most=4)
    assert catalogue(shop.client).by_id(f"t{ticket}").attributes["max"] == "2"


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no second pass on the page between the making of a ticket and a look at it."""
    moment = datetime.now(UTC)
    monkeypatch.setattr("app.routes.catalogue.utcnow", lambda: moment)


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(
    ("closes_in", "words"),
    [
        (timedelta(days=3, hours=1), None),
        (timedelta(hours=50, minutes=1), "Sale ends in 2 days"),
        (timedelta(hours=3, minutes=1), "Sale ends in 3 hours"),
        (timedelta(seconds=50), "Sale ends in 1 minute"),
    ],
)
def test_a_near_end_of_the_sale_is_told(
    shop: Shop, closes_in: timedelta, words: str | None
) -> None:
    ticket = shop.add_ticket(closes_in=closes_in)
    page = catalogue(shop.client)
    ends = [e.text for e in page.all("p", class_="state state--ending")]
    assert [text.startswith(words or "") for text in ends] == ([True] if words else [])
    assert page.by_id(f"state-{ticket}").text == "On sale"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Opens in 3 hours"), ("id", "Dibuka dalam 3 jam")],
)
def test_an_opening_is_told_in_words_and_exactly(shop: Shop, language: str, words: str) -> None:
    ticket = shop.add_ticket(opens_in=timedelta(hours=3, minutes=1))
    page = Page(shop.client.get("/", headers={"Accept-Language": language}))
    state = page.by_id(f"state-{ticket}")
    assert state.text.startswith(words)
    [exact] = [e for e in state.walk() if e.tag == "time"]
    assert exact.text.endswith("WIB")
    assert datetime.fromisoformat(exact.attributes["datetime"]) > datetime.now(UTC)


@pytest.mark.parametrize(
    ("amount", "held", "words"),
    [
        (100, 90, "Only 10 tickets left"),
        (100, 89, "On sale"),
        (1000, 900, "Only 100 tickets left"),
        (1000, 899, "On sale"),
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
    assert not page.all("input")
    assert not page.has_id("choose")


def test_an_empty_catalogue_says_so(shop: Shop) -> None:
    page = catalogue(shop.client)
    assert "There are no tickets yet" in page.text
    assert "data-poll" not in page.by_id("tickets").attributes
    assert {"/event.ics", "mailto:halo@tedxsenja.example"} <= ways_on(page)


def test_a_sale_not_open_yet_says_so_and_waits_for_it(shop: Shop) -> None:
    shop.add_ticket(opens_in=TOMORROW)
    page = catalogue(shop.client)
    assert "The sale has not opened yet" in page.text
    assert "It opens in 1 day." in page.text
    assert {"/event.ics", "mailto:halo@tedxsenja.example"} <= ways_on(page)
    assert "data-poll" in page.by_id("tickets").attributes


def test_when_all_is_sold_out_it_says_so(shop: Shop) -> None:
    shop.add_ticket(amount=0)
    page = catalogue(shop.client)
    assert "All tickets are sold or being paid for" in page.text
    assert "data-poll" in page.by_id("tickets").attributes


def test_when_the_sale_is_over_it_says_so_and_asks_no_more(shop: Shop) -> None:
    shop.add_ticket(closes_in=-TOMORROW)
    page = catalogue(shop.client)
    assert "Thank you for your interest" in page.text
    assert "mailto:halo@tedxsenja.example" in ways_on(page)
    assert "data-poll" not in page.by_id("tickets").attributes


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(
    ("opens_in", "pace"),
    [(timedelta(hours=1), "20"), (timedelta(seconds=50), "5"), (-timedelta(days=1), "20")],
)
def test_an_open_page_asks_oftener_when_a_sale_is_about_to_open(
    shop: Shop, opens_in: timedelta, pace: str
) -> None:
    shop.add_ticket(opens_in=opens_in)
    trigger = catalogue(shop.client).by_id("tickets").attributes["hx-trigger"]
    assert trigger == f"every {pace}s, visibilitychange from:document"


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

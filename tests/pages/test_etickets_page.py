"""The e-tickets as a page: a code a seat, for the door, without scripts and without traces."""

from base64 import b64decode
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image

from tests.pages.html import Page
from tests.pages.order_states import ENGLISH, State, expired, paid, payable, refunding, seats_gone
from tests.pages.shop import Shop

LANGUAGES = ["id", "en"]


def open_tickets(shop: Shop, token: str, language: str = "en") -> Page:
    headers = {"Accept-Language": language}
    return Page(shop.client.get(f"/orders/{token}/tickets", headers=headers))


def read_code(address: str) -> str:
    """Return what a scanner reads in the picture of a `data:` address."""
    picture = Image.open(BytesIO(b64decode(address.partition(",")[2]))).convert("L")
    enlarged = picture.resize((picture.width * 4, picture.height * 4), Image.Resampling.NEAREST)
    (found,) = zxingcpp.read_barcodes(enlarged)
    return found.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_seat_has_its_code_its_name_its_type_and_its_short_code(
    shop: Shop, language: str
) -> None:
    token = paid(shop)
    page = open_tickets(shop, token, language)
    with shop.changing(token) as order:
        texts = [e_ticket.qr_text for e_ticket in order.e_tickets]
        codes = [e_ticket.code for e_ticket in order.e_tickets]
    pictures = [e for e in page.all("img") if e.attributes["src"].startswith("data:")]
    assert [read_code(e.attributes["src"]) for e in pictures] == texts
    assert [e.text for e in page.all("h2", class_="pass__name")] == ["Sari Dewi", "Budi"]
    assert [e.text for e in page.all("p", class_="pass__type")] == ["Reguler", "Reguler"]
    assert [e.text for e in page.all("code")] == codes
    assert all(code in e.attributes["alt"] for code, e in zip(codes, pictures, strict=True))


@pytest.mark.parametrize(("language", "word"), [("id", "Jalur"), ("en", "Lane")])
def test_each_seat_has_the_lane_its_guest_queues_in(shop: Shop, language: str, word: str) -> None:
    token = paid(shop)
    with shop.changing(token) as order:
        lanes = [f"{word} {e_ticket.lane}" for e_ticket in order.e_tickets]
    page = open_tickets(shop, token, language)
    shown = page.all("p", class_="pass__lane")
    assert [e.text for e in shown] == lanes
    assert all("data-on-picture" in e.attributes for e in shown)  # a guest sent one sees it too


def test_one_leads_to_the_next_by_links(shop: Shop) -> None:
    token = shop.order(shop.add_ticket(), quantity=3)
    shop.give_invoice(token)
    shop.pay(token)
    page = open_tickets(shop, token)
    links = [[e.attributes["href"] for e in nav.walk() if e.tag == "a"] for nav in page.all("nav")]
    assert links[1:] == [["#ticket-2"], ["#ticket-1", "#ticket-3"], ["#ticket-2"]]
    for number in (1, 2, 3):
        assert page.has_id(f"ticket-{number}")


def test_nothing_keeps_the_page_unasked(shop: Shop) -> None:
    token = paid(shop)
    for path in ("tickets", "tickets-worker.js"):
        answer = shop.client.get(f"/orders/{token}/{path}", headers=ENGLISH)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        answer.close()
    page = open_tickets(shop, token)
    assert not page.all("form"), "a kept page would carry a token against forgery"
    assert page.all("meta", name="robots")[0].attributes["content"] == "noindex"


def test_buttons_that_need_scripts_are_hidden_without(shop: Shop) -> None:
    page = open_tickets(shop, paid(shop))
    assert page.all("button")
    assert all("hidden" in e.attributes for e in page.all("button"))
    assert page.has_id("download")


@pytest.mark.parametrize("state", [payable, expired, refunding, seats_gone])
def test_there_is_none_of_an_order_that_is_not_paid(shop: Shop, state: State) -> None:
    token = state(shop)
    answer = shop.client.get(f"/orders/{token}/tickets")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/orders/{token}")


def test_an_unknown_order_has_none(shop: Shop) -> None:
    assert open_tickets(shop, "nothing").status == 404

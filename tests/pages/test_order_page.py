"""The order page: each state says what happened and what comes next."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.pages.html import Page
from tests.pages.order_states import (
    ENGLISH,
    State,
    cancelled,
    closing,
    expired,
    failed,
    mailed,
    paid,
    payable,
    preparing,
    refunding,
    seats_gone,
    show,
)
from tests.pages.shop import Shop


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        (preparing, "Your seats are held"),
        (payable, "Pay to keep your seats"),
        (closing, "The time to pay is over"),
        (paid, "See you there!"),
        (expired, "This order has expired"),
        (cancelled, "This order was cancelled"),
        (failed, "We could not prepare the payment page"),
        (seats_gone, "We have your money, but your seats were gone"),
        (refunding, "This order was cancelled"),
    ],
)
def test_each_state_has_its_heading_and_nothing_is_kept(
    shop: Shop, state: State, heading: str
) -> None:
    page = show(shop, state(shop))
    assert page.status == 200
    assert [e.text for e in page.all("h1")] == [heading]
    assert page.headers["Cache-Control"] == "private, no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"


def test_a_payable_order_leads_to_its_invoice_and_says_until_when(shop: Shop) -> None:
    token = preparing(shop)
    url = shop.give_invoice(token)
    page = show(shop, token)
    assert page.by_id("pay").attributes["href"] == url
    assert page.by_id("pay").text == "Pay Rp 500.000"
    with shop.changing(token) as order:
        assert order.payment.invoice_expires_at is not None
        until = order.payment.invoice_expires_at.astimezone(shop.settings.event.timezone)
    assert f"{until:%H:%M} WIB" in page.by_id("status").text


def test_an_order_without_invoice_offers_no_payment(shop: Shop) -> None:
    page = show(shop, preparing(shop))
    assert "payment page is being prepared" in page.text
    assert not page.has_id("pay")


def test_the_page_says_when_the_mail_was_sent(shop: Shop) -> None:
    assert "were sent to s•••@example.com" in show(shop, mailed(shop)).text


def test_a_refused_mail_is_told_and_the_download_is_offered(shop: Shop) -> None:
    token = paid(shop)
    shop.mail_tickets(token, refused="550 no such mailbox")
    page = show(shop, token)
    assert "s•••@example.com did not take our mail" in page.text
    assert page.has_id("download")
    assert "hx-get" not in page.by_id("status").attributes


@pytest.mark.parametrize(("language", "word"), [("en", "e-tickets"), ("id", "e-tiket")])
def test_an_e_ticket_is_not_broken_at_its_hyphen(shop: Shop, language: str, word: str) -> None:
    token = mailed(shop)
    page = Page(shop.client.get(f"/orders/{token}", headers={"Accept-Language": language}))
    assert word in [e.text for e in page.all("span", class_="whole")]


def test_a_paid_order_lists_its_seats_and_masks_the_address(shop: Shop) -> None:
    token = paid(shop)
    page = show(shop, token)
    assert "s•••@example.com" in page.text
    assert "sari@example.com" not in page.source
    assert page.by_id("download").attributes["href"] == f"/orders/{token}/tickets.pdf"
    with shop.changing(token) as order:
        codes = [e_ticket.code for e_ticket in order.e_tickets]
    assert [e.text for e in page.all("code")] == codes
    assert [e.text for e in page.all("span", class_="seats__name")] == ["Sari Dewi", "Budi"]


def test_an_expired_order_was_not_charged_and_can_be_tried_again(shop: Shop) -> None:
    page = show(shop, expired(shop))
    assert "You have not been charged" in page.text
    assert page.by_id("again").text == "Try again"


def test_a_paid_order_goes_into_the_calendar_and_to_friends_but_its_address_does_not(
    shop: Shop,
) -> None:
    token = mailed(shop)
    page = show(shop, token)
    assert page.by_id("calendar").attributes["href"] == "/event.ics"
    link = urlsplit(page.by_id("share").attributes["href"])
    assert (link.scheme, link.netloc) == ("https", "wa.me")
    (text,) = parse_qs(link.query)["text"]
    assert "TEDxSenja Jakarta" in text
    assert text.endswith("http://localhost/")
    assert token not in unquote(link.query)
    assert "noreferrer" in page.by_id("share").attributes["rel"]


def test_money_without_seats_is_said_plainly_with_whom_to_ask(shop: Shop) -> None:
    text = show(shop, seats_gone(shop)).by_id("status").text
    assert "Rp 500.000" in text
    assert "halo@tedxsenja.example" in text
    assert "not been charged" not in text


def test_the_tickets_of_a_paid_order_are_a_pdf_to_keep(shop: Shop) -> None:
    token = paid(shop)
    response = shop.client.get(f"/orders/{token}/tickets.pdf")
    assert response.mimetype == "application/pdf"
    assert response.data.startswith(b"%PDF-")
    with shop.changing(token) as order:
        assert order.code in response.headers["Content-Disposition"]
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("state", [payable, expired, refunding])
def test_there_are_no_tickets_of_an_unpaid_order(shop: Shop, state: State) -> None:
    token = state(shop)
    response = shop.client.get(f"/orders/{token}/tickets.pdf")
    assert (response.status_code, response.headers["Location"]) == (303, f"/orders/{token}")


@pytest.mark.parametrize("path", ["/orders/nothing", "/orders/nothing/tickets.pdf"])
def test_an_unknown_order_is_not_found(shop: Shop, path: str) -> None:
    page = Page(shop.client.get(path, headers=ENGLISH))
    assert page.status == 404
    assert page.all("h1")[0].text == "There is no such order"
    assert page.headers["Cache-Control"] == "private, no-store"

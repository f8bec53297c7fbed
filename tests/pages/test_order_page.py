"""The order page: each state says what happened and what comes next."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import Job, OrderStatus, PaymentStatus
from tests.pages.html import Page
from tests.pages.shop import Shop

ENGLISH = {"Accept-Language": "en"}
FRAGMENT = {**ENGLISH, "HX-Request": "true"}


def show(shop: Shop, token: str, query: str = "") -> Page:
    return Page(shop.client.get(f"/orders/{token}{query}", headers=ENGLISH))


def preparing(shop: Shop) -> str:
    return shop.order(shop.add_ticket())


def payable(shop: Shop) -> str:
    token = preparing(shop)
    shop.give_invoice(token)
    return token


def closing(shop: Shop) -> str:
    token = shop.order(shop.add_ticket(), age=timedelta(hours=1))
    shop.give_invoice(token)
    return token


def paid(shop: Shop) -> str:
    token = payable(shop)
    shop.pay(token)
    return token


def expired(shop: Shop) -> str:
    token = payable(shop)
    shop.end(token, OrderStatus.EXPIRED, payment=PaymentStatus.EXPIRED)
    return token


def cancelled(shop: Shop) -> str:
    token = payable(shop)
    shop.end(token, OrderStatus.CANCELLED, payment=PaymentStatus.EXPIRED)
    return token


def failed(shop: Shop) -> str:
    token = preparing(shop)
    shop.end(token, OrderStatus.CANCELLED, payment=PaymentStatus.FAILED)
    return token


def seats_gone(shop: Shop) -> str:
    token = payable(shop)
    shop.end(token, OrderStatus.EXPIRED, payment=PaymentStatus.PAID)
    return token


def refunding(shop: Shop) -> str:
    token = paid(shop)
    with shop.changing(token) as order:
        order.move_to(OrderStatus.CANCELLED)
    return token


State = Callable[[Shop], str]
WAITING: list[State] = [preparing, payable, closing]
FINAL: list[State] = [paid, expired, cancelled, failed, seats_gone, refunding]


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


@pytest.mark.parametrize("state", WAITING)
def test_a_waiting_page_asks_for_news_with_and_without_javascript(shop: Shop, state: State) -> None:
    page = show(shop, state(shop))
    assert page.by_id("status").attributes["hx-trigger"].startswith("every 2s")
    (refresh,) = page.all("meta", http_equiv="refresh")
    assert refresh.attributes["content"] == "5"


@pytest.mark.parametrize("state", FINAL)
def test_a_final_page_asks_no_more(shop: Shop, state: State) -> None:
    page = show(shop, state(shop))
    assert "hx-get" not in page.by_id("status").attributes
    assert not page.all("meta", http_equiv="refresh")


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


def test_coming_back_from_xendit_has_the_invoice_read_once(shop: Shop) -> None:
    token = payable(shop)
    for _ in range(3):
        page = show(shop, token, "?from=xendit")
    assert page.all("h1")[0].text == "We are checking your payment"
    assert page.by_id("pay").text == "Back to the payment page"
    with shop.app.app_context():
        readings = sa.select(sa.func.count()).where(Job.kind == "confirm_payment")
        assert db.session.scalar(readings) == 1


def test_news_that_are_none_are_not_sent(shop: Shop) -> None:
    token = payable(shop)
    url = show(shop, token).by_id("status").attributes["hx-get"]
    assert shop.client.get(url, headers=FRAGMENT).status_code == 204
    shop.pay(token)
    page = Page(shop.client.get(url, headers=FRAGMENT))
    assert [e.attributes["id"] for e in page.root.children if not isinstance(e, str)] == ["status"]
    assert "See you there!" in page.text
    assert "hx-get" not in page.by_id("status").attributes


@pytest.mark.parametrize(("waited", "pause"), [(0, "2s"), (60, "5s"), (3600, "15s"), (-3600, "2s")])
def test_the_pauses_between_questions_grow(shop: Shop, waited: int, pause: str) -> None:
    since = int(datetime.now(UTC).timestamp()) - waited
    page = Page(shop.client.get(f"/orders/{payable(shop)}?since={since}", headers=FRAGMENT))
    assert page.by_id("status").attributes["hx-trigger"].startswith(f"every {pause}")


@pytest.mark.parametrize("query", ["?since=abc", "?since=99999999999999999999", "?seen=%00&since="])
def test_nonsense_in_the_questions_changes_nothing(shop: Shop, query: str) -> None:
    assert Page(shop.client.get(f"/orders/{payable(shop)}{query}", headers=FRAGMENT)).status == 200


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


def test_an_expired_order_was_not_charged_and_refills_the_catalogue(shop: Shop) -> None:
    token = expired(shop)
    page = show(shop, token)
    assert "You have not been charged" in page.text
    catalogue = Page(shop.client.get(page.by_id("again").attributes["href"]))
    with shop.changing(token) as order:
        expected = {f"t{ticket_id}": str(n) for ticket_id, n in order.quantities.items()}
    assert expected.items() <= catalogue.fields.items()


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

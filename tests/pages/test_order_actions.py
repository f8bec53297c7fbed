"""More time and cancelling: each action, its repeat, and its refusal in every other state."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.models import Order
from app.services.money.payments import CLOSE_INVOICE, CONFIRM
from app.services.selling.ordering import EXPIRE_ORDER
from tests.money.world import World
from tests.pages.buyer import Buyer, clock_of_pages, heading
from tests.pages.html import Page
from tests.pages.shop import Shop


@pytest.fixture
def buyer(world: World, monkeypatch: pytest.MonkeyPatch) -> Buyer:
    """Somebody with an order that waits to be paid."""
    clock_of_pages(world, monkeypatch)
    return Buyer(world, world.order(world.add_ticket()))


def pay(buyer: Buyer) -> None:
    payment = buyer.world.payment(buyer.placed)
    buyer.world.standin.pay(payment.invoice_id or "")
    told = {"id": payment.invoice_id, "external_id": payment.external_id, "status": "PAID"}
    buyer.world.deliver(told)
    buyer.world.work(CONFIRM)


def paid(buyer: Buyer) -> None:
    pay(buyer)
    assert heading(buyer.open()) == "See you there!"


def expired(buyer: Buyer) -> None:
    buyer.world.advance(hours=1)
    buyer.world.work(EXPIRE_ORDER)
    assert heading(buyer.open()) == "This order has expired"


def cancelled(buyer: Buyer) -> None:
    buyer.act("cancel")
    assert heading(buyer.open()) == "This order was cancelled"


State = Callable[[Buyer], None]


def test_the_page_says_how_long_is_left_and_until_when(buyer: Buyer) -> None:
    buyer.world.clock.stop()
    page = buyer.open()
    assert "29 minutes left." in page.by_id("status").text
    assert "You get 30 more minutes from now" in page.text
    assert not page.all("span", data_news="")
    buyer.world.advance(minutes=20)
    assert "9 minutes left." in buyer.open().text


def test_under_five_minutes_the_page_warns_in_one_sentence_that_stays(buyer: Buyer) -> None:
    buyer.world.clock.stop()
    buyer.world.advance(minutes=25)
    page = buyer.open()
    (warning,) = page.all("span", data_news="")
    assert warning.text == "Less than 5 minutes left to pay"
    assert "4 minutes left." in page.text
    news_url = page.by_id("status").attributes["hx-get"]
    buyer.headers = {**buyer.headers, "HX-Request": "true"}
    assert buyer.open(news_url).status == 204
    buyer.world.advance(minutes=1)
    later = buyer.open(news_url)  # another minute is shown; the sentence that is said is the same
    assert "3 minutes left." in later.text
    assert later.all("span", data_news="")[0].text == warning.text
    buyer.world.advance(minutes=2)
    assert "Less than a minute left." in buyer.open(news_url).text


@pytest.mark.parametrize(("language", "words"), [("id", "Tambah waktu"), ("en", "More time")])
def test_more_time_starts_the_hold_anew_with_a_new_payment_page(
    buyer: Buyer, language: str, words: str
) -> None:
    buyer.headers = {"Accept-Language": language}
    buyer.world.advance(minutes=20)
    page = buyer.open()
    old = page.by_id("pay").attributes["href"]
    assert page.by_id("more-time").text == words

    page = buyer.press(page, "more-time")

    new = page.by_id("pay").attributes["href"]
    assert new != old
    assert "29" in page.by_id("status").text
    assert len(buyer.world.payable(buyer.placed)) == 0  # the old one is closed
    with buyer.order() as order:
        assert order.payment.invoice_url == new
    pay(buyer)
    assert buyer.open().has_id("download")
    assert buyer.world.violations() == []


def test_the_same_form_sent_twice_extends_once(buyer: Buyer) -> None:
    page = buyer.open()
    for _ in range(2):
        assert buyer.send(page, "more-time").status == 303
    with buyer.order() as order:
        assert order.extensions == 1


def test_a_hold_can_be_extended_ten_times_and_then_no_more(buyer: Buyer) -> None:
    for _ in range(10):
        buyer.world.advance(minutes=10)
        page = buyer.press(buyer.open(), "more-time")
        assert page.has_id("pay")
    assert not page.has_id("more-time")
    refused = buyer.act("extend")
    assert refused.status == 409
    assert refused.by_id("problems-title").text == "This order cannot be given more time"
    assert refused.has_id("pay")
    pay(buyer)
    assert heading(buyer.open()) == "See you there!"


def test_money_that_reaches_the_old_invoice_all_the_same_counts(buyer: Buyer) -> None:
    old = buyer.world.invoice_id(buyer.placed)
    buyer.press(buyer.open(), "more-time")
    assert buyer.world.standin.invoice(old)["status"] == "EXPIRED"
    buyer.world.standin.pay(old, "BCA", after_expiry=True)
    buyer.world.deliver({"id": old, "external_id": buyer.placed.code, "status": "PAID"})
    buyer.world.work(CONFIRM, CLOSE_INVOICE)
    assert heading(buyer.open()) == "See you there!"
    assert [i["status"] for i in buyer.world.standin.invoices(f"{buyer.placed.code}-2")] == [
        "EXPIRED"
    ]
    assert buyer.world.violations() == []


def test_while_xendit_is_away_the_seats_are_held_and_the_page_follows_by_itself(
    buyer: Buyer,
) -> None:
    buyer.world.standin.set_fault("server_error", call="expire", times=1)
    page = buyer.press(buyer.open(), "more-time")
    assert heading(page) == "Your seats are held"
    assert not page.has_id("pay")
    buyer.world.advance_ours(minutes=1)
    buyer.world.work()
    assert buyer.open().has_id("pay")
    assert len(buyer.world.payable(buyer.placed)) == 0


def test_cancelling_asks_first_and_then_gives_the_seats_back(buyer: Buyer) -> None:
    invoice = buyer.world.invoice_id(buyer.placed)
    question = buyer.open(buyer.open().by_id("cancel").attributes["href"])
    assert heading(question) == "Cancel this order?"
    assert question.by_id("keep").attributes["href"] == buyer.url
    assert question.headers["Cache-Control"] == "private, no-store"
    assert buyer.world.standing(buyer.placed).held == 1  # looking changes nothing

    page = buyer.press(question, "confirm")

    assert heading(page) == "This order was cancelled"
    assert "You have not been charged" in page.text
    assert buyer.world.standin.invoice(invoice)["status"] == "EXPIRED"
    assert buyer.world.standing(buyer.placed).held == 0
    assert buyer.send(question, "confirm").status == 303  # once more: still cancelled
    assert buyer.world.violations() == []


def test_when_xendit_is_away_the_page_says_it_is_being_cancelled(buyer: Buyer) -> None:
    buyer.world.standin.set_fault("server_error", call="expire", times=1)
    question = buyer.open(f"{buyer.url}/cancel")
    page = buyer.press(question, "confirm")
    assert heading(page) == "Your order is being cancelled"
    assert "hx-get" in page.by_id("status").attributes
    assert not page.has_id("pay")
    assert heading(buyer.press(question, "confirm")) == "This order was cancelled"
    assert buyer.world.standing(buyer.placed).held == 0


def test_a_payment_of_the_last_moment_wins_over_cancelling(buyer: Buyer) -> None:
    question = buyer.open(f"{buyer.url}/cancel")
    buyer.world.standin.set_fault("paid_before_expire", channel="BCA", times=1)
    assert heading(buyer.press(question, "confirm")) == "See you there!"
    refused = buyer.send(question, "confirm")
    assert refused.status == 409
    assert "no longer be cancelled" in refused.by_id("problems-title").text
    assert heading(refused) == "See you there!"


@pytest.mark.parametrize("state", [paid, expired, cancelled])
@pytest.mark.parametrize("action", ["extend", "choice"])
def test_what_a_state_does_not_allow_is_refused_with_its_page(
    buyer: Buyer, state: State, action: str
) -> None:
    state(buyer)
    before, where = buyer.world.standing(buyer.placed), heading(buyer.open())
    refused = buyer.act(action, choice="refund")
    assert refused.status == 409
    assert refused.has_id("problems")
    assert heading(refused) == where
    assert buyer.world.standing(buyer.placed) == before


@pytest.mark.parametrize("state", [paid, expired])
def test_an_order_that_ended_cannot_be_cancelled(buyer: Buyer, state: State) -> None:
    state(buyer)
    assert buyer.follow(buyer.open(f"{buyer.url}/cancel")).has_id("status")
    before = buyer.world.standing(buyer.placed)
    assert buyer.act("cancel").status == 409
    assert buyer.world.standing(buyer.placed) == before


@pytest.mark.parametrize("action", ["extend", "cancel", "choice"])
def test_without_the_token_against_forgery_nothing_happens(buyer: Buyer, action: str) -> None:
    page = buyer.post(f"{buyer.url}/{action}", choice="refund")
    assert page.status == 400
    assert "Please press again" in page.by_id("problems").text
    assert page.has_id("pay")
    with buyer.order() as order:
        assert (order.extensions, order.cancel_requested_at) == (0, None)


@pytest.mark.parametrize("action", ["extend", "cancel", "choice"])
def test_an_unknown_token_is_not_found(buyer: Buyer, action: str) -> None:
    answer = buyer.post(f"/orders/nothing/{action}", csrf_token=buyer.csrf())
    assert answer.status == 404
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_over_https_the_browser_may_say_where_the_form_was(buyer: Buyer) -> None:
    page = buyer.open()
    assert page.headers["Referrer-Policy"] == "same-origin"  # so a browser sends the Referer
    token = buyer.csrf()
    answer = buyer.client.post(
        f"{buyer.url}/extend",
        data={"csrf_token": token},
        base_url="https://localhost",
        headers={"Referer": f"https://localhost{buyer.url}"},
    )
    assert answer.status_code == 303


def test_an_order_the_pages_do_not_know_how_to_pay_yet_can_be_cancelled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_of_pages(world, monkeypatch)
    buyer = Buyer(world, world.place(world.add_ticket()))
    page = buyer.open()
    assert not page.has_id("more-time")
    page = buyer.press(buyer.open(page.by_id("cancel").attributes["href"]), "confirm")
    assert heading(page) == "This order was cancelled"
    world.work()
    assert world.payable(buyer.placed) == []


def test_after_the_time_to_pay_nothing_is_offered_any_more(buyer: Buyer) -> None:
    soon = buyer.world.now() - timedelta(seconds=1)
    buyer.world.change(Order, Order.id == buyer.placed.order_id, expires_at=soon)
    buyer.world.advance_ours(minutes=30)
    page = buyer.open()
    assert heading(page) == "The time to pay is over"
    assert not page.has_id("more-time")
    assert buyer.act("extend").status == 409


def test_a_flood_is_slowed_down(limited_shop: Shop) -> None:
    token = limited_shop.order(limited_shop.add_ticket())
    client = limited_shop.client
    sent = {"csrf_token": Page(client.get("/checkout")).fields["csrf_token"]}
    answers = [client.post(f"/orders/{token}/choice", data=sent).status_code for _ in range(121)]
    assert set(answers[:120]) == {422}
    assert answers[120] == 429

"""News on an open order page: asked for while they may come, told once, and not for ever."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.models import Job
from tests.pages.html import Page
from tests.pages.order_states import (
    ENDED,
    FINAL,
    FRAGMENT,
    WAITING,
    State,
    expired,
    failed,
    mailed,
    opened,
    paid,
    payable,
    show,
)
from tests.pages.shop import Shop


@pytest.mark.parametrize("state", WAITING)
def test_a_waiting_page_asks_for_news_with_and_without_javascript(shop: Shop, state: State) -> None:
    page = show(shop, state(shop))
    assert page.by_id("status").attributes["hx-trigger"].startswith("every 2s")
    (refresh,) = page.all("meta", http_equiv="refresh")
    seconds, url = refresh.attributes["content"].split(";url=")
    assert seconds == "5"
    assert url == page.by_id("status").attributes["hx-get"]


@pytest.mark.parametrize("state", FINAL)
def test_a_final_page_asks_no_more(shop: Shop, state: State) -> None:
    page = show(shop, state(shop))
    assert "hx-get" not in page.by_id("status").attributes
    assert not page.all("meta", http_equiv="refresh")


@pytest.mark.parametrize("state", ENDED)
def test_an_ended_page_listens_slowly_for_late_money_but_not_for_ever(
    shop: Shop, state: State
) -> None:
    token = state(shop)
    assert show(shop, token).by_id("status").attributes["hx-trigger"].startswith("every 15s")
    assert "hx-get" not in show(shop, token, opened(3601)).by_id("status").attributes


def test_a_paid_page_does_not_wait_for_its_mail_for_ever(shop: Shop) -> None:
    page = show(shop, paid(shop), opened(601))
    assert "hx-get" not in page.by_id("status").attributes
    assert "on their way to s•••@example.com" in page.text


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (payable, "Waiting for payment – Order TX"),
        (mailed, "Paid – Order TX"),
        (expired, "Expired – Order TX"),
    ],
)
def test_the_title_says_the_state_now_and_after_the_next_news(
    shop: Shop, state: State, title: str
) -> None:
    page = show(shop, state(shop))
    assert page.all("title")[0].text.startswith(title)
    assert page.by_id("status").attributes["data-title"] == page.all("title")[0].text


def test_coming_back_from_xendit_has_the_invoice_read_once(shop: Shop) -> None:
    token = payable(shop)
    for _ in range(3):
        page = show(shop, token, "?from=xendit")
    assert page.all("h1")[0].text == "We are checking your payment"
    assert page.by_id("pay").text == "Back to the payment page"
    with shop.app.app_context():
        readings = sa.select(sa.func.count()).where(Job.kind == "confirm_payment")
        assert db.session.scalar(readings) == 1


@pytest.mark.parametrize("state", ENDED)
def test_who_comes_back_to_an_ended_order_has_late_money_looked_for(
    shop: Shop, state: State
) -> None:
    token = state(shop)
    page = show(shop, token, "?from=xendit")
    assert page.all("h1")[0].text == "We are looking for your payment"
    assert "not been charged" not in page.text
    assert not page.has_id("pay")
    assert "from=xendit" in page.by_id("status").attributes["hx-get"]
    with shop.app.app_context():
        readings = sa.select(sa.func.count()).where(Job.kind == "confirm_payment")
        assert db.session.scalar(readings) == 1


@pytest.mark.parametrize("state", ENDED)
def test_after_minutes_without_money_it_says_so_and_whom_to_write_to(
    shop: Shop, state: State
) -> None:
    token = state(shop)
    page = show(shop, token, f"{opened(181)}&from=xendit")
    text = page.by_id("status").text
    assert "it will be found by itself" in text
    assert "halo@tedxsenja.example" in text
    assert "not been charged" not in text
    with shop.changing(token) as order:
        assert order.code in text


def test_a_failed_order_has_no_invoice_to_look_at(shop: Shop) -> None:
    page = show(shop, failed(shop), "?from=xendit")
    assert page.all("h1")[0].text == "We could not prepare the payment page"
    with shop.app.app_context():
        readings = sa.select(sa.func.count()).where(Job.kind == "confirm_payment")
        assert db.session.scalar(readings) == 0


def test_news_that_are_none_are_not_sent(shop: Shop) -> None:
    token = payable(shop)
    url = show(shop, token).by_id("status").attributes["hx-get"]
    assert shop.client.get(url, headers=FRAGMENT).status_code == 204
    shop.pay(token)
    page = Page(shop.client.get(url, headers=FRAGMENT))
    assert [e.attributes["id"] for e in page.root.children if not isinstance(e, str)] == ["status"]
    assert "See you there!" in page.text


@pytest.mark.parametrize(("waited", "pause"), [(0, "2s"), (60, "5s"), (3600, "15s"), (-3600, "2s")])
def test_the_pauses_between_questions_grow(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, waited: int, pause: str
) -> None:
    token, now = payable(shop), datetime.now(UTC)
    monkeypatch.setattr("app.routes.orders.utcnow", lambda: now)
    since = int(now.timestamp()) - waited
    page = Page(shop.client.get(f"/orders/{token}?since={since}", headers=FRAGMENT))
    assert page.by_id("status").attributes["hx-trigger"].startswith(f"every {pause}")


@pytest.mark.parametrize("query", ["?since=abc", "?since=99999999999999999999", "?seen=%00&since="])
def test_nonsense_in_the_questions_changes_nothing(shop: Shop, query: str) -> None:
    assert Page(shop.client.get(f"/orders/{payable(shop)}{query}", headers=FRAGMENT)).status == 200

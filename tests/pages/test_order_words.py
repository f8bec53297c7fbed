"""What the order page says of time and of money that is due back, in as few words as will do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask_babel import force_locale

from app.extensions import db
from app.formatting import deadline
from app.models import RefundReason
from app.services.money import refunds
from tests.pages.order_states import expired, mailed, payable, show
from tests.pages.shop import Shop

JAKARTA = ZoneInfo("Asia/Jakarta")
NOON = datetime(2027, 1, 23, 5, 0, tzinfo=UTC)  # in Jakarta
GLUE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("hours", "language", "words"),
    [
        (1, "id", "pukul 13.00 WIB"),
        (1, "en", "13:00 WIB"),
        (12, "id", "Minggu, 24 Januari 2027 pukul 00.00 WIB"),
        (12, "en", "Sunday, 24 January 2027, 00:00 WIB"),
    ],
)
def test_a_deadline_names_its_day_only_when_that_is_another(
    shop: Shop, hours: int, language: str, words: str
) -> None:
    with shop.app.test_request_context(), force_locale(language):
        said = deadline(NOON + timedelta(hours=hours), JAKARTA, now=NOON)
    assert said.replace(GLUE, " ") == words


def test_who_is_owed_money_beside_the_tickets_is_led_to_it(shop: Shop) -> None:
    token = mailed(shop)
    assert not show(shop, token).has_id("refunds")
    with shop.changing(token) as order:
        money, reason = refunds.Money("662f", order.total, "BCA"), RefundReason.DIFFERENCE
        now = datetime.now(UTC)
        refunds.open_refund(db.session(), order, money, 1_000, reason, now=now)
    page = show(shop, token)
    (box,) = page.all("div", class_="next")
    assert next(e.attributes["href"] for e in box.walk() if e.tag == "a") == "#refunds"
    assert "Name your bank account" in page.by_id("refunds").text


def test_who_paid_after_all_can_write_with_the_code_as_subject(shop: Shop) -> None:
    page = show(shop, token := expired(shop))
    with shop.changing(token) as order:
        subject = f"?subject={order.code}"
    links = [e.attributes["href"] for e in page.by_id("status").walk() if e.tag == "a"]
    assert any(link.startswith("mailto:") and link.endswith(subject) for link in links)


def test_nothing_to_pay_is_a_word_in_the_sum(shop: Shop) -> None:
    free, dear = shop.order(shop.add_ticket("Komunitas", price=0)), payable(shop)
    assert [e.text for e in show(shop, free).all("dd")] == ["Free", "Free"]
    assert [e.text for e in show(shop, dear).all("dd")] == ["Rp 500.000", "Rp 500.000"]

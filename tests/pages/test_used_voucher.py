"""The voucher of an order is told wherever its price is: page, mails, receipt, API."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from app.extensions import db
from app.integrations.mailer import Letter
from app.models import OrderItem, VoucherEffect
from app.services.money import letters
from app.services.running.mailing import Topic, write_about
from app.services.selling import delivery, voucher_editing
from app.services.selling.ordering import Buyer, OrderRequest, WantedItem, place_order
from app.services.selling.wishes import VoucherWish
from tests.integrations.pdf_reading import close_pdfs, open_pdf, text_of
from tests.pages.html import Page
from tests.pages.shop import Shop

CODE = "TEMAN-2027"
SARI = Buyer("Sari Dewi", "sari@example.com", "+6281234567890")
HALF = VoucherWish(VoucherEffect.PERCENT, 50, None, None, None, None, "")


def order(shop: Shop, wish: VoucherWish = HALF, *, ticket: int | None = None) -> str:
    """Order two seats of 250,000 with a code, and return the token of the order's page."""
    ticket = ticket or shop.add_ticket(price=250_000)
    with shop.working():
        now = datetime.now(UTC)
        voucher_editing.create_voucher(CODE, wish, by="tests", now=now)
        request = OrderRequest(SARI, (WantedItem(ticket, 2),), "en", CODE)
        return place_order(request, now=now, settings=shop.settings).token


def plain(text: str) -> str:
    """Return words and amounts with one blank between them, whatever parts them."""
    return re.sub(r"\s+", " ", re.sub(r"(−?Rp)\s", r" \1 ", unescape(text)))


def details(shop: Shop, token: str) -> str:
    page = Page(shop.client.get(f"/orders/{token}", headers={"Accept-Language": "en"}))
    [found] = page.all("section", class_="details")
    return plain(found.text)


def write(shop: Shop, token: str, name: str) -> Letter:
    """Return the letter about an order, as the mailer gets it."""
    with shop.changing(token) as order:
        topic = Topic(order.id, order.code, name)
        if name == delivery.CONFIRMATION:
            return delivery.write_confirmation(order, topic, None, shop.settings)
        words: dict[str, object] = {"items": order.items, "voucher": order.used_voucher}
        words["pay_until"] = order.pay_until
        return write_about(order, topic, shop.settings, template=name, words=words)


def test_the_order_s_page_adds_up(shop: Shop) -> None:
    shown = details(shop, order(shop))
    assert "2 × Reguler Rp 500.000" in shown
    assert f"{CODE} −Rp 250.000" in shown
    assert "Total Rp 250.000" in shown


def test_a_code_that_only_opens_a_ticket_takes_nothing_off(shop: Shop) -> None:
    ticket = shop.add_ticket(price=250_000)
    shop.change(ticket, is_hidden=True)
    opening = replace(HALF, effect=VoucherEffect.NONE, value=0, ticket_ids=(ticket,))
    token = order(shop, opening, ticket=ticket)

    shown = details(shop, token)

    assert f"{CODE}." in shown
    assert "−" not in shown
    assert "Total Rp 500.000" in shown
    for name in (letters.REMINDER, delivery.CONFIRMATION):
        assert f"Ordered with voucher {CODE}." in write(shop, token, name).text


@pytest.mark.parametrize("name", [letters.REMINDER, letters.EXPIRED])
def test_letters_about_what_was_ordered_add_up(shop: Shop, name: str) -> None:
    letter = write(shop, order(shop), name)
    for text in (plain(letter.text), plain(re.sub(r"<[^>]*>", " ", letter.html))):
        for line in ("2 × Reguler", "Rp 500.000", f"Voucher {CODE}", "−Rp 250.000"):
            assert line in text, line
        assert text.index("−Rp 250.000") < text.rindex("Rp 250.000"), "the total comes last"


def test_the_mail_with_the_e_tickets_says_what_the_code_took_off(shop: Shop) -> None:
    token = order(shop)
    shop.pay(token)
    letter = write(shop, token, delivery.CONFIRMATION)
    for text in (letter.text, letter.html):
        assert f"Voucher {CODE} took Rp 250.000 off." in plain(text)


def test_the_receipt_has_a_line_for_the_code_and_keeps_it(shop: Shop) -> None:
    token = order(shop)
    shop.pay(token)

    def read() -> str:
        text = text_of(open_pdf(shop.client.get(f"/orders/{token}/receipt.pdf").data)[0])
        close_pdfs()
        return plain(text)

    first = read()
    for line in ("Reguler 2 Rp 250.000 Rp 500.000", f"Voucher {CODE} - Rp 250.000"):
        assert line in first
    assert "Total of the order Rp 250.000" in first
    with shop.working():
        db.session.query(OrderItem).update({"voucher_id": None, "list_price": None})
    assert read() == first


def test_an_order_without_a_code_says_nothing_of_one(shop: Shop) -> None:
    token = shop.order(shop.add_ticket())
    shop.pay(token)
    assert "oucher" not in details(shop, token)
    assert "oucher" not in write(shop, token, delivery.CONFIRMATION).text

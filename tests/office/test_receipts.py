"""Receipts and credit notes: what they say, their numbers, and that neither ever changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.config import Organizer, Settings, SettingsError
from app.extensions import db
from app.integrations.receipt_pdf import spell
from app.models import (
    OrderStatus,
    PaymentStatus,
    Receipt,
    Refund,
    RefundReason,
    User,
)
from app.services.money import refunds
from app.services.money.cancelling import cancel_paid
from app.services.office import receipts
from tests.app_factory import ENVIRONMENT
from tests.integrations.pdf_reading import close_pdfs, open_pdf, tags_of, text_of
from tests.pages.html import Page
from tests.pages.shop import Shop
from tests.rows import rows_of

DESK = Organizer("Yayasan Senja", "Jalan Senja 1, Jakarta", "01.234.567.8-901.000")
ISSUED_AT = datetime(2026, 1, 5, 5, tzinfo=UTC)  # before any refund of a test
YEAR = ISSUED_AT.year


def open_shop(app: Flask) -> Shop:
    return Shop(app, app.extensions["settings"])


@pytest.fixture
def shop(sqlite_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop with an organiser, whose documents all bear one day of one year."""
    monkeypatch.setattr("app.routes.receipts.utcnow", lambda: ISSUED_AT)
    settings = sqlite_app.extensions["settings"]
    event = replace(settings.event, organizer=DESK)
    sqlite_app.extensions["settings"] = replace(settings, event=event)
    return open_shop(sqlite_app)


def sell(shop: Shop, ticket_id: int | None = None) -> str:
    """Sell two seats of 250,000 and return the token of the order's page."""
    token = shop.order(ticket_id or shop.add_ticket())
    shop.give_invoice(token)
    shop.pay(token)
    with shop.changing(token) as order:
        order.payment.channel = "QRIS"
    return token


def cancel(shop: Shop, token: str) -> str:
    """Cancel an order as staff do and return the reference of its refund."""
    with shop.changing(token) as order:
        order_id = order.id
    with shop.app.app_context():
        cancel_paid(order_id, by="tests", now=datetime.now(UTC))
        [refund] = rows_of(order_id, Refund)
        return refund.reference_id


def open_receipt(shop: Shop, token: str) -> str:
    """Return the words of an order's receipt."""
    answer = shop.client.get(f"/orders/{token}/receipt.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    return read(answer.data)


def read(data: bytes) -> str:
    text = text_of(open_pdf(data)[0])
    close_pdfs()
    return text


def test_a_receipt_says_who_paid_what_to_whom(shop: Shop) -> None:
    text = open_receipt(shop, sell(shop))
    for words in (
        f"Kuitansi KW-{YEAR}-000001",
        "Yayasan Senja",
        "Jalan Senja 1, Jakarta",
        "NPWP 01.234.567.8-901.000",
        "Sari Dewi",
        "QRIS",
        "Reguler 2 Rp 250.000 Rp 500.000",
        "lima ratus ribu rupiah",
    ):
        assert words in text


def test_the_receipt_of_an_english_order_is_english(shop: Shop) -> None:
    token = sell(shop)
    with shop.changing(token) as order:
        order.locale = "en"
    text = open_receipt(shop, token)
    assert "Receipt KW-" in text
    assert "rupiah" not in text


def test_a_receipt_is_tagged_for_screen_readers(shop: Shop) -> None:
    answer = shop.client.get(f"/orders/{sell(shop)}/receipt.pdf")
    kinds = {tag.kind for tag in tags_of(open_pdf(answer.data)[0])}
    close_pdfs()
    assert {"H1", "Table", "TH", "TD"} <= kinds


def test_a_receipt_says_the_same_for_ever_whatever_changes_meanwhile(shop: Shop) -> None:
    token = sell(shop)
    first = open_receipt(shop, token)
    with shop.changing(token) as order:
        order.user.full_name = "Somebody Else"
        order.items[0].price = 1
        order.total = 2
    settings = shop.app.extensions["settings"]
    moved = replace(settings.event, organizer=Organizer("Others", None, None))
    shop.app.extensions["settings"] = replace(settings, event=moved)
    assert open_receipt(shop, token) == first


def test_numbers_run_on_from_order_to_order(shop: Shop) -> None:
    ticket_id = shop.add_ticket()
    tokens = [sell(shop, ticket_id) for _ in range(3)]
    for number, token in enumerate([*tokens, tokens[0]]):
        assert f"KW-{YEAR}-{number % 3 + 1:06}" in open_receipt(shop, token)


def test_each_year_by_the_clock_of_the_event_begins_at_one(shop: Shop) -> None:
    ticket_id = shop.add_ticket()
    event = shop.app.extensions["settings"].event
    new_year = datetime(2027, 12, 31, 17, 0, tzinfo=UTC)  # midnight in Jakarta
    numbers = []
    for now in (new_year - timedelta(seconds=1), new_year):
        with shop.changing(sell(shop, ticket_id)) as order:
            order_id = order.id
        with shop.app.app_context():
            receipt = receipts.get_receipt(order_id, event=event, now=now)
            numbers.append(receipts.number_of(receipt))
    assert numbers == ["KW-2027-000001", "KW-2028-000001"]


@pytest.mark.parametrize("state", ["unpaid", "free", "late"])
def test_what_was_not_sold_for_money_has_no_receipt(shop: Shop, state: str) -> None:
    token = shop.order(shop.add_ticket(price=0 if state == "free" else 250_000))
    if state == "late":
        shop.end(token, OrderStatus.EXPIRED, payment=PaymentStatus.PAID)
    assert shop.client.get(f"/orders/{token}/receipt.pdf").status_code == 404
    assert "receipt.pdf" not in shop.client.get(f"/orders/{token}").text
    with shop.app.app_context():
        assert db.session.scalar(sa.select(Receipt.id)) is None


def test_too_little_that_was_accepted_is_what_was_received(shop: Shop) -> None:
    token = sell(shop)
    with shop.changing(token) as order:
        order.payment.paid_amount = 400_000
    text = open_receipt(shop, token)
    assert "Total pesanan Rp 500.000" in text
    assert "Diterima Rp 400.000" in text


def test_a_cancelled_order_keeps_its_receipt_and_gets_a_credit_note(shop: Shop) -> None:
    token = sell(shop)
    before = open_receipt(shop, token)
    path = f"/orders/{token}/credit-notes/{cancel(shop, token)}.pdf"
    links = {e.attributes.get("href") for e in Page(shop.client.get(f"/orders/{token}")).all("a")}
    assert {f"/orders/{token}/receipt.pdf", path} <= links
    notes = [read(shop.client.get(path).data) for _ in range(2)]
    assert f"Nota kredit NK-{YEAR}-000001" in notes[0]
    assert f"KW-{YEAR}-000001" in notes[0]
    assert "Rp 500.000" in notes[0]
    assert notes[0] == notes[1]
    assert open_receipt(shop, token) == before


def test_a_credit_note_asked_for_first_makes_the_receipt_it_takes_back(shop: Shop) -> None:
    token = sell(shop)
    reference = cancel(shop, token)
    note = read(shop.client.get(f"/orders/{token}/credit-notes/{reference}.pdf").data)
    assert f"KW-{YEAR}-000001" in note
    assert f"KW-{YEAR}-000001" in open_receipt(shop, token)


def refund_difference(shop: Shop, token: str) -> str:
    with shop.changing(token) as order:
        money = refunds.money_of(order)
        found = refunds.open_refund(
            db.session(), order, money, 50_000, RefundReason.DIFFERENCE, now=datetime.now(UTC)
        )
        assert found
        return found.reference_id


def test_cheaper_seats_are_credited_only_against_a_receipt_that_says_the_old_price(
    shop: Shop,
) -> None:
    ticket_id = shop.add_ticket()
    asked, never_asked = sell(shop, ticket_id), sell(shop, ticket_id)
    open_receipt(shop, asked)
    for token, status in ((asked, 200), (never_asked, 404)):
        path = f"/orders/{token}/credit-notes/{refund_difference(shop, token)}.pdf"
        assert (path in shop.client.get(f"/orders/{token}").text) == (status == 200)
        assert shop.client.get(path).status_code == status


def test_a_credit_note_is_found_only_below_its_own_order(shop: Shop) -> None:
    ticket_id = shop.add_ticket()
    mine, other = sell(shop, ticket_id), sell(shop, ticket_id)
    reference = cancel(shop, mine)
    assert shop.client.get(f"/orders/{other}/credit-notes/{reference}.pdf").status_code == 404


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "nol"),
        (11, "sebelas"),
        (19, "sembilan belas"),
        (100, "seratus"),
        (1_000, "seribu"),
        (1_111, "seribu seratus sebelas"),
        (21_500, "dua puluh satu ribu lima ratus"),
        (1_000_000, "satu juta"),
        (2_150_001_000, "dua miliar seratus lima puluh juta seribu"),
    ],
)
def test_amounts_are_spelt_as_on_a_kuitansi(number: int, words: str) -> None:
    assert spell(number) == words


def test_a_number_whose_document_could_not_be_kept_is_not_lost(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id = shop.add_ticket()
    unlucky, next_one = sell(shop, ticket_id), sell(shop, ticket_id)
    with monkeypatch.context() as crash, pytest.raises(ZeroDivisionError):
        crash.setattr(receipts, "Receipt", lambda **_: 1 / 0)
        shop.client.get(f"/orders/{unlucky}/receipt.pdf")
    assert f"KW-{YEAR}-000001" in open_receipt(shop, next_one)


def test_names_in_any_script_are_printed(shop: Shop) -> None:
    token = sell(shop)
    with shop.changing(token) as order:
        db.session.get_one(User, order.user_id).full_name = "Nguyễn Ánh Łukasz"
    assert "Nguyễn Ánh Łukasz" in open_receipt(shop, token)


@pytest.mark.parametrize("number", ["01.234.567.8-901.000", "0123456789012345"])
def test_the_organisers_tax_number_is_an_npwp_old_or_new(number: str) -> None:
    event = Settings.from_env(ENVIRONMENT | {"EVENT_ORGANIZER_TAX_ID": number}).event
    assert event.organizer == Organizer(event.name, None, number)


@pytest.mark.parametrize("number", ["1234", "0123456789012345x"])
def test_what_is_no_npwp_stops_the_start(number: str) -> None:
    with pytest.raises(SettingsError, match="EVENT_ORGANIZER_TAX_ID"):
        Settings.from_env(ENVIRONMENT | {"EVENT_ORGANIZER_TAX_ID": number})

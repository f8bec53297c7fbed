"""An order's story: everything that happened, in order, in words; and its money, counted once."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import (
    ApiKey,
    CaseKind,
    CaseResolution,
    CaseStatus,
    MoneyCase,
    Order,
    OrderStatus,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
    RefundWay,
)
from app.routes import order_words
from app.services.office import partners
from app.services.office.happenings import What
from app.services.office.order_story import invoice_made_at, sum_up
from tests.harness.processes import ROOT
from tests.office.desk import Desk
from tests.office.eventful import eventful, say


@pytest.fixture
def desk(sqlite_app: Flask) -> Desk:
    return Desk(sqlite_app)


def test_the_story_is_told_in_the_order_in_which_it_happened(app: Flask) -> None:
    desk = Desk(app)
    code = eventful(desk)
    case = desk.read(code, lambda facts: facts.cases[0].id)
    assert say(desk, code) == [
        "Order placed: 2 × Reguler, Rp 300.000",
        f"Rp 300.000 paid by QRIS, invoice inv{code.lower()}",
        f"Invoice inv{code.lower()} read at Xendit: PAID",
        "Order paid, 2 e-tickets made",
        "Webhook PAID about inv-0, 3 times",
        "Mail to sari@example.com: the e-tickets",
        "Mail to sari@example.com refused for good: that money went back (550 no such user)",
        "The buyer asked for the e-tickets again",
        f"Case {case} opened: paid twice, Rp 1.000",
        f"Case {case} closed: sent back, by system",
        f"Refund {code}-0-ref due: Rp 1.000 (paid twice)",
        f"Refund {code}-0-ref: bank account asked for",
        "Sari Dewi came in (gate Utara)",
        "Sari Dewi refused: Has entered already (gate Utara)",
        "Mail to sari@example.com: Ganti pintu 🎉",
        "Mail to sari@example.com perhaps not arrived: Ganti pintu 🎉",
        "Receipt KW-2027-000012 made",
        "Xendit could not be asked about the invoice: 503 from Xendit",
        "A look at the invoice was asked for",
        "tests cancelled an order",
    ]


def test_the_command_tells_the_same_story(desk: Desk) -> None:
    code = eventful(desk)
    told = desk.app.test_cli_runner().invoke(args=["orders", "show", code]).output
    told = told.replace("\N{NO-BREAK SPACE}", " ")
    places = [told.find(sentence) for sentence in say(desk, code)]
    assert -1 not in places, told
    assert places == sorted(places)


def test_everything_that_can_happen_has_words_in_both_languages() -> None:
    assert set(order_words.AREAS) == set(order_words._TELL) == set(What)
    for kind, names in (
        (OrderStatus, order_words.ORDER_STATES),
        (PaymentStatus, order_words.PAYMENT_STATES),
        (CaseKind, order_words.CASE_KINDS),
        (CaseStatus, order_words.CASE_STATES),
        (CaseResolution, order_words.RESOLUTIONS),
        (RefundReason, order_words.REFUND_REASONS),
        (RefundStatus, order_words.REFUND_STATES),
        (RefundWay, order_words.REFUND_WAYS),
    ):
        assert set(names) == set(kind), kind


def test_every_letter_about_an_order_has_words() -> None:
    letters = {one.name for one in (ROOT / "app/templates/email").iterdir() if one.is_dir()}
    assert letters - {"invitation", "message"} == set(order_words.MAILS)


def test_no_line_is_the_same_in_both_languages(desk: Desk) -> None:
    code = eventful(desk)
    pairs = zip(say(desk, code, "en"), say(desk, code, "id"), strict=True)
    assert not [english for english, indonesian in pairs if english == indonesian]


def test_an_order_of_a_partner_says_whose_key_it_came_with(desk: Desk) -> None:
    code = desk.order(desk.add_ticket("Reguler"))
    with desk.working():
        partners.add_key("Komunitas", ("orders:write",), by="tests", now=datetime.now(UTC))
        order = db.session.scalars(sa.select(Order).where(Order.code == code)).one()
        order.api_key_id = db.session.scalars(sa.select(ApiKey.id)).one()
    assert say(desk, code)[0] == "Order placed by Komunitas: 2 × Reguler, Rp 300.000"


def test_an_invoice_tells_when_it_was_made() -> None:
    assert invoice_made_at("6b044264e15ce5967c9b3db6") == datetime.fromtimestamp(0x6B044264, UTC)
    assert invoice_made_at("invtx") is invoice_made_at(None) is invoice_made_at("") is None


def test_an_invoice_stands_in_the_story_where_its_id_can_be_true(desk: Desk) -> None:
    code = desk.order(desk.add_ticket("Reguler"))
    now = datetime.now(UTC)
    for made_at, is_told in ((now, True), (now + timedelta(days=9), False)):
        invoice = f"{int(made_at.timestamp()):08x}e15ce5967c9b3db6"
        with desk.working():
            order = db.session.scalars(sa.select(Order).where(Order.code == code)).one()
            order.payment.invoice_id = invoice
        assert (f"Invoice {invoice} made at Xendit" in say(desk, code)) is is_told
    assert say(desk, code)[0].startswith("Order placed"), "before its invoice, whatever the clocks"


# --- the money ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paid", "case", "refunded", "expected"),
    [
        (None, None, (), (0, 0, 0)),
        (300, None, (), (300, 0, 0)),
        (300, (CaseKind.DOUBLE_PAYMENT, "other", 300), (False, 300), (600, 0, 300)),
        (310, (CaseKind.OVERPAID, "mine", 10), (True, 10), (310, 10, 0)),
        (None, (CaseKind.UNDERPAID, "mine", 290), (), (290, 0, 0)),
        (290, (CaseKind.UNDERPAID, "mine", 290), (), (290, 0, 0)),
        (300, (CaseKind.UNDERPAID, "earlier", 290), (True, 290), (590, 290, 0)),
        (300, (CaseKind.SEATS_GONE, "mine", 300), (True, 300), (300, 300, 0)),
    ],
)
def test_all_money_that_came_and_went_is_counted_once(
    desk: Desk,
    paid: int | None,
    case: tuple[CaseKind, str, int] | None,
    refunded: tuple[bool, int],
    expected: tuple[int, int, int],
) -> None:
    code = desk.order(desk.add_ticket("Reguler"))
    order = desk.read(code, lambda facts: facts.order)
    if paid is not None:
        order.payment.status, order.payment.paid_amount = PaymentStatus.PAID, paid
        order.payment.invoice_id = "mine"
    cases = [MoneyCase(kind=case[0], invoice_id=case[1], amount=case[2])] if case else []
    refunds = []
    if refunded:
        state = RefundStatus.SUCCEEDED if refunded[0] else RefundStatus.DUE
        refunds = [Refund(status=state, amount=refunded[1])]
    sums = sum_up(order, cases, refunds)
    assert (sums.received, sums.sent_back, sums.going_back) == expected
    assert sums.kept == expected[0] - expected[1] - expected[2]

"""Searching orders: found by whatever somebody knows of one, narrowed, page by page."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.gateways import current_settings
from app.models import (
    Callback,
    CaseKind,
    CaseStatus,
    ETicket,
    MoneyCase,
    Order,
    OrderItem,
    OrderStatus,
    PastInvoice,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
    RefundWay,
    User,
    Voucher,
    VoucherEffect,
)
from app.services.office import order_search, order_text
from app.services.office.order_search import OrderFilter, search_orders
from app.services.selling.ordering import Buyer, OrderRequest, WantedItem, place_order
from tests.harness.statements import listening
from tests.office.desk import Desk

NOW = datetime.now(UTC)
INVOICE, OLD_INVOICE, TOLD_INVOICE = "6b04" * 6, "5a03" * 6, "4c02" * 6
SARI = Buyer("Sari Dewi", "sari@example.com", "+6281234567890")
BUDI = Buyer("I Wayan Budi", "wayan_budi@mail.example", "+6281200000777")
MIRAH = Buyer("Mirah 100%", "mirah.sari@example.com", "+628777000111")


@dataclass(frozen=True)
class Shop:
    """Three orders: Sari's is paid (two seats, one Ayu's), Budi's is open, Mirah's has ended."""

    desk: Desk
    sari: str
    budi: str
    mirah: str

    def find(self, text: str = "", **narrowed: object) -> set[str]:
        """Return whose orders are found."""
        with self.desk.app.app_context():
            page = search_orders(OrderFilter(text, **narrowed))  # type: ignore[arg-type]
            return {self.name(order.code) for order in page.orders}

    def name(self, code: str) -> str:
        return {self.sari: "sari", self.budi: "budi", self.mirah: "mirah"}[code]


def place(desk: Desk, ticket_id: int, buyer: Buyer, *names: str) -> str:
    request = OrderRequest(buyer, (WantedItem(ticket_id, len(names), names),), "en")
    with desk.working():
        return place_order(request, now=NOW, settings=current_settings()).code


@pytest.fixture
def shop(app: Flask) -> Shop:
    desk = Desk(app)
    regular, vip = desk.add_ticket("Reguler"), desk.add_ticket("VIP")
    sari = place(desk, regular, SARI, "Sari Dewi", "Ayu Lestari")
    desk.pay(sari, channel="OVO")
    shop = Shop(desk, sari, place(desk, vip, BUDI, "Budi"), place(desk, vip, MIRAH, "Mirah"))
    with desk.working():
        add_traces(shop)
    return shop


def add_traces(shop: Shop) -> None:
    """Give Sari three invoices, and Mirah a voucher, a case and a refund, long ago."""
    payment = one_payment(shop.sari)
    payment.invoice_id = INVOICE
    db.session.add(
        PastInvoice(
            payment_id=payment.id,
            external_id=f"{shop.sari}-1",
            invoice_id=OLD_INVOICE,
            replaced_at=NOW,
        )
    )
    db.session.add(
        Callback(
            payment_id=payment.id,
            invoice_id=TOLD_INVOICE,
            status="PAID",
            body="{}",
            request_id="",
            received_at=NOW,
        )
    )
    order = db.session.scalars(sa.select(Order).where(Order.code == shop.mirah)).one()
    order.status, order.created_at = OrderStatus.EXPIRED, NOW - timedelta(days=9)
    order.payment.status = PaymentStatus.EXPIRED
    facts = {"order_id": order.id, "invoice_id": "x", "amount": 1}
    case = {"kind": CaseKind.UNDERPAID, "status": CaseStatus.OPEN, "opened_at": NOW}
    refund = {"reason": RefundReason.UNDERPAID, "way": RefundWay.XENDIT, "created_at": NOW}
    refund |= {"status": RefundStatus.FAILED, "reference_id": f"{shop.mirah}-underpaid-x"}
    refund["xendit_refund_id"] = "rfd-1-a"
    db.session.add_all([MoneyCase(**facts, **case), Refund(**facts, **refund)])
    voucher = Voucher(code="TEMAN", effect=VoucherEffect.NONE, is_for_all=True, created_at=NOW)
    db.session.add(voucher)
    db.session.flush()
    order.items[0].voucher_id = voucher.id


def one_payment(code: str) -> Payment:
    mine = sa.select(Payment).join(Order).where(Order.code == code)
    return db.session.scalars(mine).one()


# --- by what somebody knows ---------------------------------------------------------------------

TEXTS = {
    "Sari Dewi": {"sari"},
    "dewi sari": {"sari"},
    "WAYAN": {"budi"},
    "ewi": {"sari"},
    "ayu lestari": {"sari"},
    "dewi ayu": {"sari"},
    "sari": {"sari"},
    "mirah.sari": {"mirah"},
    "mirah.sari@example.com": {"mirah"},
    "@example.com": {"sari", "mirah"},
    "WAYAN_BUDI@": {"budi"},
    "0777": {"budi"},
    "7890": {"sari"},
    "0812-3456-7890": {"sari"},
    "+62 812 0000 0777": {"budi"},
    "100%": {"mirah"},
    "0%": {"mirah"},
    "%": {"mirah"},
    "_": set(),
    "_ari": set(),
    "a": {"sari", "budi", "mirah"},
    "Xylophon": set(),
    "TXNOBODY99": set(),
    "🎉": set(),
    "'; DROP TABLE orders": set(),
    "0000": set(),
    "²²²²": set(),
}


def test_an_order_is_found_by_name_address_and_phone(shop: Shop) -> None:
    for text, expected in TEXTS.items():
        assert shop.find(text) == expected, text


def test_words_that_many_buyers_share_find_the_same_buyers(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_text, "RARE", 0)
    for text, expected in TEXTS.items():
        assert shop.find(text) == expected, text


def test_an_order_found_by_an_attendee_says_whose_name_it_was(shop: Shop) -> None:
    with shop.desk.app.app_context():
        for text, names in (
            *(("ayu", ("Ayu Lestari",)), ("AYU dewi", ("Ayu Lestari",))),
            *(("sari dewi", ()), ("7890", ()), (shop.sari, ())),
        ):
            found = {
                order.code: order.attendees for order in search_orders(OrderFilter(text)).orders
            }
            assert found == {shop.sari: names}, text


def test_an_order_is_found_by_every_key_of_it(shop: Shop) -> None:
    with shop.desk.app.app_context():
        seat = db.session.scalars(sa.select(ETicket.code).order_by(ETicket.id)).first() or ""
    keys = [shop.sari, shop.sari.lower(), f" {shop.sari[:4]} {shop.sari[4:]}"]
    keys += [f"{shop.sari}-cancelled-6b046b04", f"{shop.sari}-2"]
    keys += [INVOICE, INVOICE.upper(), OLD_INVOICE, TOLD_INVOICE]
    keys += [seat, seat.lower().replace("-", "")]
    for key in keys:
        assert shop.find(key) == {"sari"}, key
    assert shop.find("rfd-1-a") == {"mirah"}
    assert shop.find(shop.sari[:8]) == {"sari"}, "a code may be cut off"
    assert shop.find(shop.sari, status=OrderStatus.PENDING) == set()


def test_only_a_key_names_one_order(shop: Shop) -> None:
    with shop.desk.app.app_context():
        assert search_orders(OrderFilter(shop.budi)).only == shop.budi
        assert search_orders(OrderFilter("TX")).only is None
        assert search_orders(OrderFilter("Wayan")).only is None


# --- narrowed -----------------------------------------------------------------------------------


def test_orders_are_narrowed_by_how_they_stand(shop: Shop) -> None:
    with shop.desk.app.app_context():
        tickets = dict(db.session.execute(sa.select(OrderItem.order_id, OrderItem.ticket_id)).all())
        regular, vip = min(tickets.values()), max(tickets.values())
    a_day = timedelta(days=1)
    for narrowed, expected in (
        ({"status": OrderStatus.PAID}, {"sari"}),
        ({"status": OrderStatus.PENDING}, {"budi"}),
        ({"payment": PaymentStatus.EXPIRED}, {"mirah"}),
        ({"ticket_id": regular}, {"sari"}),
        ({"ticket_id": vip}, {"budi", "mirah"}),
        ({"channel": "OVO"}, {"sari"}),
        ({"channel": "DANA"}, set()),
        ({"channel": "OVO", "payment": PaymentStatus.PENDING}, set()),
        ({"voucher": "teman"}, {"mirah"}),
        ({"since": NOW - a_day}, {"sari", "budi"}),
        ({"until": NOW - a_day}, {"mirah"}),
        ({"has_case": True}, {"mirah"}),
        ({"has_refund": True}, {"mirah"}),
        ({"has_refund": True, "status": OrderStatus.PAID}, set()),
    ):
        assert shop.find(**narrowed) == expected, narrowed
    assert shop.find("sari", ticket_id=vip) == set()
    assert shop.find("@example.com", status=OrderStatus.EXPIRED) == {"mirah"}


def test_what_is_settled_is_no_open_question(shop: Shop) -> None:
    with shop.desk.working():
        db.session.execute(sa.update(MoneyCase).values(status=CaseStatus.RESOLVED))
        db.session.execute(sa.update(Refund).values(status=RefundStatus.DONE_BY_HAND))
    assert shop.find(has_case=True) == shop.find(has_refund=True) == set()


# --- page by page -------------------------------------------------------------------------------


def test_pages_follow_each_other_without_a_gap_or_a_repeat(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_search, "PAGE_LENGTH", 2)
    ticket = shop.desk.add_ticket("Late")
    placed = [shop.sari, shop.budi, shop.mirah]
    placed += [place(shop.desk, ticket, SARI, "x") for _ in range(4)]
    seen: list[str] = []
    before: str | None = None
    while True:
        with shop.desk.app.app_context():
            page = search_orders(OrderFilter(), before=before)
        seen += [order.code for order in page.orders]
        if (before := page.older) is None:
            break
        place(shop.desk, ticket, SARI, "meanwhile")
    assert seen == placed[::-1]


def test_hits_are_counted_only_as_far_as_anybody_needs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.desk.app.app_context():
        assert search_orders(OrderFilter()).count == 3
        assert search_orders(OrderFilter("sari")).count == 1
        assert search_orders(OrderFilter(), before=shop.mirah).count is None
        monkeypatch.setattr(order_search, "MOST", 1)
        assert search_orders(OrderFilter()).count == 2, "more than one, whoever counts"


def test_a_page_that_begins_behind_an_unknown_order_is_empty(shop: Shop) -> None:
    with shop.desk.app.app_context():
        assert not search_orders(OrderFilter(), before="TXNOBODY").orders


def test_a_search_takes_few_statements(shop: Shop) -> None:
    for text in ("", "sari", "TX", "0777", "@example.com", INVOICE):
        with shop.desk.app.app_context(), listening(db.engine) as said:
            search_orders(OrderFilter(text))
        assert said.statements <= 5, (text, said)


def test_what_is_offered_to_narrow_by_is_what_there_is(shop: Shop) -> None:
    with shop.desk.app.app_context():
        assert order_search.list_channels() == ["OVO"]
        assert {name for _, name in order_search.list_ticket_names()} == {"Reguler", "VIP"}
        assert db.session.scalar(sa.select(sa.func.count(User.id))) == 3

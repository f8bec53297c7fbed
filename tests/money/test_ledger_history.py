"""Any history of money: after it was posted the ledger says what the orders say, to the rupiah.

Hypothesis makes up the histories, days are closed in between, and posting may be late or repeated.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.errors import CaseClosed, SoldOut
from app.extensions import db
from app.integrations.xendit import Invoice, InvoiceStatus
from app.integrations.xendit_transactions import (
    TransactionPage,
    XenditTransaction,
    XenditWithdrawal,
)
from app.models import (
    CaseKind,
    CorrectionKind,
    DayClose,
    MoneyCase,
    Order,
    OrderStatus,
    Refund,
    RefundReason,
    RefundStatus,
    TicketStock,
    TransactionReading,
)
from app.services.money import (
    balance,
    deciding,
    late_money,
    payments,
    postings,
    refunds,
    settling,
)
from app.services.money.cancelling import cancel_paid
from app.services.money.deciding import Decision
from app.services.office import day_look
from app.services.running.transaction import transaction
from app.services.selling.ordering import place_order
from tests.app_factory import make_settings, running_app
from tests.harness.database import fresh_sqlite
from tests.money.books import close_of, wrongs
from tests.money.world import request_for
from tests.pages.shop import Shop

PRICE = 150_000
BY = "dewi@tedxsenja.example"
OFF = (0, 0, 0, 0, 5_000, -5_000)  # rupiah paid beyond what was asked


class Money:
    """A small event and everything that can happen to its money; two numbers choose what exactly.

    Nothing happens where the numbers choose what cannot be.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.shop = Shop(app, app.extensions["settings"])
        self.zone = self.shop.settings.event.timezone
        self.now = datetime.now(UTC)
        self.orders: list[int] = []
        self.ticket = self.shop.add_ticket(price=PRICE, amount=90)
        self.other = self.shop.add_ticket("Ekonomi", price=100_000, amount=90)

    def buy(self, off: int, quantity: int) -> None:
        """Order, and pay what was asked, or not quite."""
        self._pay(self._order(1 + quantity % 2), OFF[off % len(OFF)], 1)

    def pay_twice(self, off: int, quantity: int) -> None:
        """Pay both invoices of an order."""
        order_id = self._order(1 + quantity % 2)
        self._pay(order_id, 0, 1)
        self._pay(order_id, OFF[off % len(OFF)], 2)

    def pay_late(self, off: int, quantity: int) -> None:
        """Pay when others have the seats."""
        order_id = self._order(1 + quantity % 2)
        with self.app.app_context(), transaction() as session:
            payments.close_unpaid(session, payments.lock_order(session, order_id), self.now)
            stock = session.get_one(TicketStock, self.ticket)
            before, stock.amount = stock.amount, stock.held + stock.sold
        self._pay(order_id, OFF[off % len(OFF)], 1)
        self.shop.change(self.ticket, amount=before)

    def _order(self, quantity: int) -> int:
        with self.app.app_context():
            request = request_for({self.ticket: quantity})
            placed = place_order(request, now=self.now, settings=self.shop.settings)
        self.orders.append(placed.order_id)
        return placed.order_id

    def _pay(self, order_id: int, off: int, number: int) -> None:
        with self.app.app_context():
            order = db.session.get_one(Order, order_id)
            paid = self._invoice(order, order.payment.amount + off, number)
            payments.settle(order_id, paid, now=self.now)

    def _invoice(self, order: Order, paid: int, number: int) -> Invoice:
        return Invoice(
            id=f"invoice{order.id}x{number}",
            external_id=order.code,
            status=InvoiceStatus.PAID,
            amount=order.total,
            currency="IDR",
            url="https://checkout.example/1",
            expires_at=None,
            paid_amount=paid,
            paid_at=self.now,
            method="EWALLET",
            channel="DANA",
            payment_id=None,
        )

    def cancel(self, which: int, _: int) -> None:
        """Take a sale back, as staff do."""
        with self.app.app_context():
            order = self._choose(which, OrderStatus.PAID)
            if order is not None:
                cancel_paid(order.id, by=BY, now=self.now)

    def give_back(self, which: int, share: int) -> None:
        """Send a part back though the seats are kept."""
        with self.app.app_context(), transaction() as session:
            order = self._choose(which, OrderStatus.PAID)
            if order is not None:
                money, reason = refunds.money_of(order), RefundReason.DIFFERENCE
                amount = (1 + share) * 10_000
                refunds.open_refund(session, order, money, amount, reason, now=self.now)

    def change_price(self, which: int, share: int) -> None:
        """Let a paid order cost less, as cheaper seats do."""
        with self.app.app_context(), transaction() as session:
            order = self._choose(which, OrderStatus.PAID)
            if order is not None:
                order.items[0].price = PRICE - share * 10_000
                order.total = sum(item.subtotal for item in order.items)
                postings.mark(session, order.id)

    def _choose(self, which: int, status: OrderStatus) -> Order | None:
        mine = sa.select(Order).where(Order.status == status).order_by(Order.id)
        found = list(db.session.scalars(mine))
        return found[which % len(found)] if found else None

    def accept(self, which: int, _: int) -> None:
        """Decide a case in favour of keeping things as they are."""
        self._decide(which, Decision.ACCEPT)

    def refuse(self, which: int, _: int) -> None:
        """Decide a case in favour of sending the money back."""
        self._decide(which, Decision.REFUND)

    def _decide(self, which: int, decision: Decision) -> None:
        with self.app.app_context():
            open_ones = sa.select(MoneyCase).where(MoneyCase.resolved_at.is_(None))
            found = list(db.session.scalars(open_ones.order_by(MoneyCase.id)))
            if not found:
                return
            case = found[which % len(found)]
            case_id, kind, order_id = case.id, case.kind, case.order_id
            invoice = self._invoice(case.order, case.amount, 1)
        with self.app.app_context(), suppress(deciding.NotPossible, CaseClosed, SoldOut):
            if kind is CaseKind.OVERPAID:
                deciding._decide_overpaid(case_id, decision, by=BY, now=self.now)
            elif kind is CaseKind.UNDERPAID:
                deciding._accept_less(case_id, invoice, by=BY, now=self.now)
            elif decision is Decision.ACCEPT:
                late_money.take_other_seats(order_id, self.other, now=self.now)
            else:
                late_money.take_money_back(order_id, now=self.now)

    def send_refund(self, which: int, by_hand: int) -> None:
        """Let a refund arrive, through Xendit or by hand."""
        hows = (RefundStatus.SUCCEEDED, RefundStatus.DONE_BY_HAND)
        with self.app.app_context(), transaction() as session:
            due = sa.select(Refund).where(Refund.status == RefundStatus.DUE).order_by(Refund.id)
            if found := list(session.scalars(due)):
                refund = found[which % len(found)]
                refunds.finish(session, refund, hows[by_hand % 2], by=BY, now=self.now)

    def charge(self, which: int, thousands: int) -> None:
        """Have Xendit tell its fee: expected or final, or another than before."""
        with self.app.app_context():
            order = self._choose(which, OrderStatus.PAID)
            if order is not None:
                told = self._told(order, thousands * 1_000, is_settled=thousands % 3 == 0)
                self._record(TransactionPage([told], [], None))

    def pay_out(self, which: int, status: int) -> None:
        """Have Xendit tell of money it pays out, perhaps of some it told of before."""
        word = ("PENDING", "SUCCESS", "REVERSED")[status % 3]
        name, fee = f"out{which % 2}", 100 * (status // 3)
        told = XenditWithdrawal(name, "WITHDRAWAL", word, 40_000, fee, fee // 10, 0, self.now)
        with self.app.app_context():
            self._record(TransactionPage([], [told], None))

    def enter(self, which: int, rupiah: int) -> None:
        """Let a person enter a movement of the balance."""
        kind = list(CorrectionKind)[which % len(CorrectionKind)]
        with self.app.app_context():
            balance.correct(kind, 1 + rupiah, self.now, "seen", by=BY, now=self.now, zone=self.zone)

    def _record(self, page: TransactionPage) -> None:
        settling.record(page, self._reading(), now=self.now)

    def _told(self, order: Order, fee: int, *, is_settled: bool) -> XenditTransaction:
        amount = order.payment.paid_amount or 0
        return XenditTransaction(
            id=f"txn{order.id}",
            reference=order.payment.external_id,
            invoice_id=order.payment.invoice_id or "",
            amount=amount,
            net=amount - fee - fee // 10,
            fee=fee,
            vat=fee // 10,
            withholding=0,
            is_fee_final=is_settled,
            settlement_status="SETTLED" if is_settled else "PENDING",
            created_at=order.payment.paid_at or self.now,
            expected_at=None,
        )

    def _reading(self) -> int:
        self.now += timedelta(microseconds=1)
        with transaction() as session:
            begun = TransactionReading(slot=self.now, from_at=self.now, until_at=self.now, seen=0)
            session.add(begun)
            session.flush()
            return begun.id

    def post(self, _: int, how_many: int) -> None:
        """Post what is marked, or some of it."""
        with self.app.app_context():
            postings.post_marked(now=self.now, zone=self.zone, limit=1 + how_many)

    def post_all(self) -> None:
        with self.app.app_context():
            while postings.post_marked(now=self.now, zone=self.zone):
                pass
            balance.post_withdrawals(now=self.now, zone=self.zone)

    def close(self, hours: int, _: int) -> None:
        """Close every day that is over by then, whatever is still to be posted of it."""
        self.now += timedelta(hours=4 * hours)
        day = self.now.astimezone(self.zone).date() - timedelta(days=1)
        with self.app.app_context(), transaction() as session:
            state = postings.lock_state(session)
            if state.closed_until is None or state.closed_until < day:
                state.closed_until = day
                session.add(close_of(day, day_look.add_up_entries(session, day), self.now))


MONEY_MOVES = (Money.buy, Money.pay_twice, Money.pay_late, Money.cancel, Money.give_back)
AFTERWARDS = (Money.change_price, Money.accept, Money.refuse, Money.send_refund, Money.charge)
BOOKS = (Money.post, Money.close, Money.pay_out, Money.pay_out, Money.enter)
ACT = st.sampled_from((Money.buy, *MONEY_MOVES, *AFTERWARDS, *BOOKS))
NUMBER = st.integers(0, 9)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to shrink a history takes minutes, and thirty steps can be read
)
@given(history=st.lists(st.tuples(ACT, NUMBER, NUMBER), min_size=10, max_size=30))
def test_whatever_happens_the_ledger_says_what_the_orders_say(
    tmp_path: Path, history: list[tuple[Callable[[Money, int, int], None], int, int]]
) -> None:
    with running_app(make_settings(fresh_sqlite(tmp_path), log_level="CRITICAL")) as app:
        money = Money(app)
        for act, first, second in history:
            act(money, first, second)
            if first % 2:
                money.post_all()
        money.post_all()
        with app.app_context():
            forgotten = postings.sweep_all(now=money.now, zone=money.zone)
            changed = [
                close.day
                for close in db.session.scalars(sa.select(DayClose))
                if day_look.add_up_entries(db.session(), close.day) != close.sums
            ]
        assert forgotten == 0, "somebody left no mark"
        assert changed == [], "days changed after they were closed"
        assert wrongs(app) == []

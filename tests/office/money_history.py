"""Sales for tests of the finance pages: paid, settled, cancelled and refunded, in the ledger."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import (
    BalanceReading,
    CorrectionKind,
    Export,
    ExportFormat,
    ExportKind,
    ExportPart,
    Order,
    Payment,
    Refund,
    RefundReason,
    Transaction,
    Withdrawal,
)
from app.services.money import balance, postings, refunds
from app.services.money.cancelling import cancel_paid
from app.services.office import exports
from app.services.running.audit import Actor
from tests.pages.shop import Shop

DESK = Actor.command("tests")


@dataclass
class History:
    """A shop whose orders can be paid, cancelled and refunded at any time of the past.

    `now` stands still: a test that runs over midnight has one today all the same.
    """

    app: Flask
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def shop(self) -> Shop:
        return Shop(self.app, self.app.extensions["settings"])

    @property
    def zone(self) -> tzinfo:
        found: tzinfo = self.app.extensions["settings"].event.timezone
        return found

    def sell(
        self,
        ticket_id: int,
        quantity: int = 2,
        *,
        channel: str = "QRIS",
        ago: timedelta = timedelta(),
        fee: int = 0,
        settled: bool = False,
    ) -> int:
        """Sell some seats as long ago as `ago` and return the order's id; `fee` is Xendit's."""
        shop, at = self.shop, self.now - ago
        token = shop.order(ticket_id, quantity=quantity, age=ago)
        with shop.changing(token) as order:
            order_id, is_free = order.id, not order.total
        if not is_free:
            shop.pay(token)
        with shop.changing(token) as order:
            order.paid_at = at
            if not is_free:
                self._pay(order, at, channel, fee, settled=settled)
        return order_id

    def _pay(self, order: Order, at: datetime, channel: str, fee: int, *, settled: bool) -> None:
        payment = order.payment
        payment.invoice_id, payment.channel, payment.paid_at = f"inv{order.id}", channel, at
        if fee:
            vat = fee * 11 // 100
            db.session.add(
                Transaction(
                    xendit_id=f"txn{order.id}",
                    order_id=order.id,
                    invoice_id=f"inv{order.id}",
                    channel=channel,
                    amount=order.total,
                    net=order.total - fee - vat,
                    fee=fee,
                    vat=vat,
                    withholding=0,
                    is_fee_final=True,
                    settlement_status="SETTLED" if settled else "PENDING",
                    created_at=at,
                    expected_at=at + timedelta(days=2),
                    settled_at=at + timedelta(days=1) if settled else None,
                    read_at=at,
                )
            )

    def cancel(self, order_id: int) -> None:
        """Take a sale back, as staff do."""
        with self.app.app_context():
            cancel_paid(order_id, by="tests", now=self.now)

    def give_back(self, order_id: int, amount: int) -> None:
        """Promise a part of the money back, as for cheaper seats."""
        with self.shop.working():
            order = db.session.get_one(Order, order_id)
            money, now = refunds.money_of(order), self.now
            refunds.open_refund(
                db.session(), order, money, amount, RefundReason.DIFFERENCE, now=now
            )

    def finish_refunds(self, order_id: int) -> None:
        """Have every refund of an order arrive."""
        with self.shop.working():
            for refund in db.session.scalars(sa.select(Refund).where(Refund.order_id == order_id)):
                status = type(refund.status).DONE_BY_HAND
                refunds.finish(db.session(), refund, status, by="tests", now=self.now)

    def come_late(self, ticket_id: int) -> int:
        """Let money come for an order whose seats are gone; return how much."""
        token = self.shop.order(ticket_id)
        self.shop.come_too_late(token)
        with self.shop.changing(token) as order:
            payment: Payment = order.payment
            payment.invoice_id, payment.paid_amount = "662f", order.total
            payment.paid_at = self.now
            return order.total

    def withdraw(self, amount: int, *, fee: int = 0, status: str = "SUCCESS") -> None:
        """Have Xendit pay out of the balance, and post it."""
        now = self.now
        with self.shop.working():
            db.session.add(
                Withdrawal(
                    xendit_id=f"txn_out{amount}",
                    kind="WITHDRAWAL",
                    status=status,
                    amount=amount,
                    fee=fee,
                    vat=0,
                    withholding=0,
                    created_at=now,
                    read_at=now,
                    is_posted=False,
                )
            )
        with self.app.app_context():
            balance.post_withdrawals(now=now, zone=self.zone)

    def read_balance(self, *differences: int | None, under_way: int = 0) -> None:
        """Leave a reading of the balance for each, a day apart, the last now; None: refused."""
        began_with: int | None = None
        with self.shop.working():
            for ago, by in zip(range(len(differences) - 1, -1, -1), differences, strict=True):
                read = BalanceReading(read_at=self.now - timedelta(days=ago), ledger=100_000)
                read.amount = None if by is None else 100_000 + by
                read.problem = "403 REQUEST_FORBIDDEN_ERROR" if by is None else None
                read.under_way, read.began_with = under_way, began_with
                db.session.add(read)
                db.session.flush()
                if by is not None:
                    began_with = (began_with or read.id) if read.differs else None

    def correct(self, kind: CorrectionKind, amount: int) -> None:
        """Enter a movement of the balance by hand."""
        now = self.now
        with self.app.app_context():
            balance.correct(kind, amount, now, "Biaya refund", by=DESK, now=now, zone=self.zone)

    def post(self) -> None:
        """Let the ledger follow."""
        with self.app.app_context():
            postings.sweep_all(now=datetime.now(UTC), zone=self.zone)

    def export(self, kind: ExportKind, file_format: ExportFormat = ExportFormat.CSV) -> bytes:
        """Return the file of the last year, made as a worker makes it."""
        now, zone = datetime.now(UTC), self.app.extensions["settings"].event.timezone
        today = now.astimezone(zone).date()
        with self.app.app_context():
            code = exports.ask(
                kind,
                file_format,
                today - timedelta(days=365),
                today,
                locale="en",
                by=DESK,
                now=now,
            )
            export = exports.get_export(code, is_admin=True)
            exports.make(export.id, clock=lambda: now, zone=zone)
            return b"".join(exports.read_file(export.id))

    def last_export(self) -> Export:
        with self.app.app_context():
            export = db.session.scalars(sa.select(Export).order_by(Export.id.desc())).first()
            assert export
            db.session.expunge(export)
            return export

    def count_parts(self) -> int:
        with self.app.app_context():
            return db.session.scalar(sa.select(sa.func.count(ExportPart.id))) or 0

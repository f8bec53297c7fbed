"""Transaction: what Xendit says became of one payment: its fees, and when it is paid out."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column


class Transaction(Base):
    """One payment as Xendit's balance has it (facts 5.10); amounts in rupiah.

    `net` is `amount` less `fee`, `vat` and `withholding`. `is_fee_final` is False while Xendit only
    expects the fee. `settled_at` is when it was first read as settled, None before;
    `expected_at` when Xendit means to settle it.
    """

    __tablename__ = "transactions"
    __table_args__ = (
        sa.Index(None, "order_id"),
        sa.Index(None, "invoice_id", "settled_at", "expected_at", "net"),
        sa.Index(None, "settled_at", "created_at"),
        sa.Index(None, "settled_at", "expected_at", "net"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    xendit_id: Mapped[str] = mapped_column(code_column(64), unique=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    invoice_id: Mapped[str] = mapped_column(code_column(64))
    channel: Mapped[str] = mapped_column(code_column(64))
    amount: Mapped[int]
    net: Mapped[int]
    fee: Mapped[int]
    vat: Mapped[int]
    withholding: Mapped[int]
    is_fee_final: Mapped[bool]
    settlement_status: Mapped[str] = mapped_column(code_column(32))
    created_at: Mapped[datetime]
    expected_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    read_at: Mapped[datetime]


class TransactionReading(Base):
    """One pass over Xendit's list of transactions, page by page, as the budget of calls allows.

    `after_id` is the last one read; `problem` is Xendit's word when the list is refused to us.
    """

    __tablename__ = "transaction_readings"
    __table_args__ = (sa.UniqueConstraint("slot"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slot: Mapped[datetime]  # the time it was due: the key lets only one worker begin it
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    after_id: Mapped[str | None] = mapped_column(code_column(64))
    seen: Mapped[int]
    finished_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(sa.String(255))

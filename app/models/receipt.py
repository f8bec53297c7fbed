"""Receipt: a numbered document about money of an order, as it was when it was made."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column, enum_column
from app.tracing import current_request_id


class ReceiptKind(enum.Enum):
    RECEIPT = "receipt"
    CREDIT_NOTE = "credit_note"  # takes back what a receipt said, or a part of it


class Receipt(Base):
    """One document: number 12 of its kind and year. Never changed once made.

    `content` is everything it says, frozen: a later change of the order, the settings or a name
    leaves it as it was. A credit note is about one refund. `amount` is rupiah.
    """

    __tablename__ = "receipts"
    __table_args__ = (
        sa.UniqueConstraint("kind", "year", "number"),
        sa.UniqueConstraint("refund_id"),
        sa.Index(None, "order_id", "kind"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ReceiptKind] = mapped_column(enum_column(ReceiptKind))
    year: Mapped[int]
    number: Mapped[int]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    refund_id: Mapped[int | None] = mapped_column(sa.ForeignKey("refunds.id"))
    amount: Mapped[int]
    content: Mapped[dict[str, Any]]
    issued_at: Mapped[datetime]
    request_id: Mapped[str | None] = mapped_column(code_column(64), default=current_request_id)


class ReceiptCounter(Base):
    """The last number of a kind in a year; its row lock is what keeps the numbers without gaps."""

    __tablename__ = "receipt_counters"

    kind: Mapped[ReceiptKind] = mapped_column(enum_column(ReceiptKind), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)

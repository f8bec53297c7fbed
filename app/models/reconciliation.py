"""Reconciliation: Xendit's invoices against ours, one verdict a line, kept."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, code_column, enum_column


class Verdict(enum.Enum):
    MATCH = "match"
    HEALED = "healed"  # paid there and not here: now here too
    NOT_HERE = "not_here"  # an invoice of ours by its reference, but no such payment
    NOT_THERE = "not_there"  # we say paid, Xendit does not know it
    AMOUNT_DIFFERS = "amount_differs"
    TWO_PAID = "two_paid"


class Reconciliation(Base):
    """One comparison over a stretch of time (`from_at` inclusive, `until_at` exclusive)."""

    __tablename__ = "reconciliations"
    __table_args__ = (sa.Index(None, "ran_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    ran_at: Mapped[datetime]
    invoices: Mapped[int]
    differences: Mapped[int]

    lines: Mapped[list["ReconciliationLine"]] = relationship(order_by="ReconciliationLine.id")


class ReconciliationLine(Base):
    """What was found about one invoice; amounts in rupiah, 0 where a side has none."""

    __tablename__ = "reconciliation_lines"
    __table_args__ = (
        sa.Index(None, "reconciliation_id", "verdict"),
        sa.Index(None, "verdict", "invoice_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reconciliation_id: Mapped[int] = mapped_column(sa.ForeignKey("reconciliations.id"))
    verdict: Mapped[Verdict] = mapped_column(enum_column(Verdict))
    external_id: Mapped[str] = mapped_column(code_column(64))
    invoice_id: Mapped[str] = mapped_column(code_column(64))
    order_status: Mapped[str] = mapped_column(sa.String(32))
    payment_status: Mapped[str] = mapped_column(sa.String(32))
    xendit_status: Mapped[str] = mapped_column(sa.String(32))
    paid_here: Mapped[int]
    paid_there: Mapped[int]

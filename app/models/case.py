"""MoneyCase: money that needs a decision, with its facts, until somebody made it."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, code_column, enum_column
from app.models.order import Order
from app.tracing import current_request_id


class CaseKind(enum.Enum):
    SEATS_GONE = "seats_gone"  # paid after the seats were released, and others have them
    UNDERPAID = "underpaid"  # less than asked: nothing is fulfilled, a person decides
    OVERPAID = "overpaid"  # more than asked: fulfilled, the rest is to go back
    DOUBLE_PAYMENT = "double_payment"  # a second invoice of the same order was paid


class CaseStatus(enum.Enum):
    OPEN = "open"
    WAITING = "waiting"  # the buyer chose to wait for seats that come free
    RESOLVED = "resolved"


class CaseResolution(enum.Enum):
    SEATS_FOUND = "seats_found"
    SWITCHED = "switched"
    REFUNDED = "refunded"
    ACCEPTED = "accepted"


class MoneyCase(Base):
    """One question about one invoice's money; `amount` is the rupiah at stake.

    After `deadline_at` without a choice by the buyer it becomes a refund.
    """

    __tablename__ = "cases"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "kind", "invoice_id"),
        sa.CheckConstraint("amount >= 0", name="amount_not_negative"),
        sa.Index(None, "status", "opened_at"),
        sa.Index(None, "invoice_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    kind: Mapped[CaseKind] = mapped_column(enum_column(CaseKind))
    invoice_id: Mapped[str] = mapped_column(code_column(64))
    status: Mapped[CaseStatus] = mapped_column(enum_column(CaseStatus))
    resolution: Mapped[CaseResolution | None] = mapped_column(enum_column(CaseResolution))
    amount: Mapped[int]
    opened_at: Mapped[datetime]
    deadline_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(sa.String(100))
    note: Mapped[str | None] = mapped_column(sa.String(500))
    request_id: Mapped[str | None] = mapped_column(code_column(64), default=current_request_id)

    order: Mapped[Order] = relationship()

    @property
    def is_resolved(self) -> bool:
        return self.status is CaseStatus.RESOLVED

"""Refund: money that goes back to a buyer, from due to done."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, IllegalTransition, code_column, enum_column
from app.models.order import Order
from app.tracing import current_request_id


class RefundStatus(enum.Enum):
    DUE = "due"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DONE_BY_HAND = "done_by_hand"


class RefundReason(enum.Enum):
    SEATS_GONE = "seats_gone"
    DOUBLE_PAYMENT = "double_payment"
    OVERPAID = "overpaid"
    UNDERPAID = "underpaid"
    DIFFERENCE = "difference"  # the buyer took cheaper seats instead
    CANCELLED = "cancelled"
    BY_STAFF = "by_staff"  # a part or all, as a person decided


class RefundWay(enum.Enum):
    XENDIT = "xendit"  # to the paying source, through Xendit
    BY_HAND = "by_hand"  # a bank transfer to an account the buyer names


REFUND_TRANSITIONS: dict[RefundStatus, frozenset[RefundStatus]] = {
    RefundStatus.DUE: frozenset(
        {RefundStatus.SENT, RefundStatus.FAILED, RefundStatus.DONE_BY_HAND, RefundStatus.SUCCEEDED}
    ),
    RefundStatus.SENT: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    RefundStatus.FAILED: frozenset(
        {RefundStatus.DUE, RefundStatus.DONE_BY_HAND, RefundStatus.SUCCEEDED}
    ),
    RefundStatus.SUCCEEDED: frozenset(),
    RefundStatus.DONE_BY_HAND: frozenset(),
}


class Refund(Base):
    """One amount (rupiah) that goes back for one invoice and reason.

    Where a person decides, or seats are changed, there may be several: `part` counts them from 1.
    `reference_id` is ours towards Xendit. Bank details exist only while a refund by hand needs
    them; they are erased when it is done.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "reason", "invoice_id", "part"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.Index(None, "status"),
        sa.Index(None, "xendit_refund_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    invoice_id: Mapped[str] = mapped_column(code_column(64))
    reason: Mapped[RefundReason] = mapped_column(enum_column(RefundReason))
    part: Mapped[int] = mapped_column(default=1)
    way: Mapped[RefundWay] = mapped_column(enum_column(RefundWay))
    status: Mapped[RefundStatus] = mapped_column(enum_column(RefundStatus))
    amount: Mapped[int]
    channel: Mapped[str | None] = mapped_column(sa.String(64))
    reference_id: Mapped[str] = mapped_column(code_column(128), unique=True)
    xendit_refund_id: Mapped[str | None] = mapped_column(code_column(64))
    failure_code: Mapped[str | None] = mapped_column(sa.String(64))
    bank_name: Mapped[str | None] = mapped_column(sa.String(100))
    account_number: Mapped[str | None] = mapped_column(sa.String(40))
    account_holder: Mapped[str | None] = mapped_column(sa.String(100))
    note: Mapped[str | None] = mapped_column(sa.String(500))
    finished_by: Mapped[str | None] = mapped_column(sa.String(100))
    request_id: Mapped[str | None] = mapped_column(code_column(64), default=current_request_id)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship()

    def move_to(self, status: RefundStatus) -> None:
        """Change the state by the table above. Raises IllegalTransition."""
        if status not in REFUND_TRANSITIONS[self.status]:
            raise IllegalTransition(f"refund {self.id}: {self.status.value} → {status.value}")
        self.status = status

    @property
    def is_finished(self) -> bool:
        return self.status in (RefundStatus.SUCCEEDED, RefundStatus.DONE_BY_HAND)

    @property
    def needs_bank_details(self) -> bool:
        """Tell whether the buyer must still say where the money should go."""
        is_open = self.status in (RefundStatus.DUE, RefundStatus.FAILED)
        return is_open and self.way is RefundWay.BY_HAND and self.account_number is None

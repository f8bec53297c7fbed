"""Payment: the one payment of an order, and its Xendit invoice."""

import enum
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, IllegalTransition, code_column, enum_column

if TYPE_CHECKING:
    from app.models.order import Order


class PaymentStatus(enum.Enum):
    PENDING = "PENDING"
    PAID = "PAID"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


# PAID ends it: a late EXPIRED from Xendit after PAID changes nothing.
PAYMENT_TRANSITIONS: dict[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.PENDING: frozenset(
        {PaymentStatus.PAID, PaymentStatus.EXPIRED, PaymentStatus.FAILED}
    ),
    PaymentStatus.EXPIRED: frozenset({PaymentStatus.PAID}),
    PaymentStatus.FAILED: frozenset({PaymentStatus.PAID}),
    PaymentStatus.PAID: frozenset(),
}


class Payment(Base):
    """The money side of an order. `external_id` is what Xendit calls the invoice's reference.

    `paid_amount` may differ from `amount`; `method`, `channel` and `xendit_payment_id` are Xendit's
    free text, kept because refunds need them. `hinted_at` is when somebody last asked for a
    reading, `read_at` when the invoice was last read. `create_attempts` counts the calls to create
    the invoice; whoever holds `create_claimed_until` may make the next one.
    """

    __tablename__ = "payments"
    __table_args__ = (
        sa.CheckConstraint("amount >= 0", name="amount_not_negative"),
        sa.Index(None, "status"),
        sa.Index(None, "invoice_id"),
        sa.Index(None, "channel", "order_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    status: Mapped[PaymentStatus] = mapped_column(enum_column(PaymentStatus))
    amount: Mapped[int]
    external_id: Mapped[str] = mapped_column(code_column(64), unique=True)
    invoice_id: Mapped[str | None] = mapped_column(code_column(64))
    invoice_url: Mapped[str | None] = mapped_column(sa.String(500))
    invoice_expires_at: Mapped[datetime | None]
    create_attempts: Mapped[int] = mapped_column(default=0)
    create_claimed_until: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    paid_amount: Mapped[int | None]
    method: Mapped[str | None] = mapped_column(sa.String(64))
    channel: Mapped[str | None] = mapped_column(sa.String(64))
    xendit_payment_id: Mapped[str | None] = mapped_column(code_column(128))
    hinted_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]

    order: Mapped["Order"] = relationship(back_populates="payment")

    def move_to(self, status: PaymentStatus) -> None:
        """Change the state by the table above. Raises IllegalTransition.

        The caller holds the order's row lock, which stands for its payment too.
        """
        if status not in PAYMENT_TRANSITIONS[self.status]:
            raise IllegalTransition(f"payment: {self.status.value} → {status.value}")
        self.status = status

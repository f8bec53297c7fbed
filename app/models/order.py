"""Order and OrderItem: what one buyer wants, and the states it may pass through."""

import enum
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, IllegalTransition, code_column, enum_column
from app.models.eticket import ETicket
from app.models.payment import Payment
from app.models.ticket import Ticket
from app.models.user import User
from app.models.voucher import Voucher, seats_by_voucher


class OrderStatus(enum.Enum):
    PENDING = "PENDING"
    PAID = "PAID"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


# Money never moves an order backwards: EXPIRED and CANCELLED lead to PAID only when late money
# arrives and all seats could be held again; PAID leads to CANCELLED only by staff, with a refund.
ORDER_TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset({OrderStatus.PAID, OrderStatus.CANCELLED, OrderStatus.EXPIRED}),
    OrderStatus.PAID: frozenset({OrderStatus.CANCELLED}),
    OrderStatus.EXPIRED: frozenset({OrderStatus.PAID}),
    OrderStatus.CANCELLED: frozenset({OrderStatus.PAID}),
}


class UsedVoucher(NamedTuple):
    """The voucher of an order: its code, and the rupiah it took off in all (0: it only opened)."""

    code: str
    discount: int


class Order(Base):
    """One purchase. `code` is for people, `token` for the order page's unguessable address.

    `extensions` counts how often the buyer asked for more time; once `cancel_requested_at` is set,
    an unpaid order ends as CANCELLED instead of EXPIRED.
    """

    __tablename__ = "orders"
    __table_args__ = (
        sa.CheckConstraint("total >= 0", name="total_not_negative"),
        sa.Index(None, "status", "expires_at"),
        sa.Index(None, "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(code_column(16), unique=True)
    token: Mapped[str] = mapped_column(code_column(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    api_key_id: Mapped[int | None] = mapped_column(sa.ForeignKey("api_keys.id"), index=True)
    status: Mapped[OrderStatus] = mapped_column(enum_column(OrderStatus))
    total: Mapped[int]
    locale: Mapped[str] = mapped_column(sa.String(8))
    request_id: Mapped[str] = mapped_column(code_column(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    extensions: Mapped[int] = mapped_column(default=0)
    cancel_requested_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
    items: Mapped[list["OrderItem"]] = relationship(
        back_populates="order", order_by="OrderItem.ticket_id"
    )
    payment: Mapped[Payment] = relationship(back_populates="order")
    e_tickets: Mapped[list[ETicket]] = relationship(
        back_populates="order", order_by="ETicket.number"
    )

    def move_to(self, status: OrderStatus) -> None:
        """Change the state by the table above. Raises IllegalTransition.

        The caller holds the order's row lock.
        """
        if status not in ORDER_TRANSITIONS[self.status]:
            raise IllegalTransition(f"order {self.code}: {self.status.value} → {status.value}")
        self.status = status

    @property
    def is_paid(self) -> bool:
        return self.status is OrderStatus.PAID

    @property
    def pay_until(self) -> datetime:
        """Return when the time to pay ends, as the buyer is told: the invoice's end, once known."""
        return self.payment.invoice_expires_at or self.expires_at

    @property
    def quantities(self) -> dict[int, int]:
        """Return how many seats of which ticket id it holds or has bought."""
        return {item.ticket_id: item.quantity for item in self.items}

    @property
    def voucher_seats(self) -> dict[int, int]:
        """Return how many of its seats were ordered with which voucher id."""
        return seats_by_voucher((item.voucher_id, item.quantity) for item in self.items)

    @property
    def used_voucher(self) -> UsedVoucher | None:
        """Return the voucher it was ordered with, if any: there is one code an order."""
        code = next((item.voucher.code for item in self.items if item.voucher is not None), None)
        if code is None:
            return None
        return UsedVoucher(code, sum(item.list_subtotal - item.subtotal for item in self.items))


class OrderItem(Base):
    """A ticket, how many, and its price at the time of ordering; one item a ticket and order.

    `price` is what each seat really costs. With a voucher, `list_price` is what it would have cost
    without; else None.
    """

    __tablename__ = "order_items"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "ticket_id"),
        sa.Index(None, "ticket_id", "order_id"),  # the orders of a ticket, newest first
        sa.CheckConstraint("quantity >= 1", name="quantity_positive"),
        sa.CheckConstraint("price >= 0", name="price_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"))
    quantity: Mapped[int]
    price: Mapped[int]
    list_price: Mapped[int | None]
    voucher_id: Mapped[int | None] = mapped_column(sa.ForeignKey("vouchers.id"), index=True)
    attendees: Mapped[list[str]]

    order: Mapped[Order] = relationship(back_populates="items")
    ticket: Mapped[Ticket] = relationship()
    voucher: Mapped[Voucher | None] = relationship()

    @property
    def subtotal(self) -> int:
        return self.quantity * self.price

    @property
    def list_subtotal(self) -> int:
        """Return what these seats would have cost without a voucher."""
        return self.quantity * (self.price if self.list_price is None else self.list_price)

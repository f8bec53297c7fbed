"""Ticket: a kind of ticket on sale, and its stock."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, exact_text


class SaleStatus(enum.Enum):
    """Where a ticket stands: its window first, then whether any is left."""

    UPCOMING = "upcoming"
    ON_SALE = "on_sale"
    SOLD_OUT = "sold_out"
    ENDED = "ended"


class Ticket(Base):
    """A kind of ticket. `valid_from` to `valid_until` is when it is sold; the end is exclusive.

    `admit_from` to `admit_until` is when its holders may enter; None does not limit that side.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        sa.CheckConstraint("price >= 0", name="price_not_negative"),
        sa.CheckConstraint("max_per_order >= 1", name="max_per_order_positive"),
        sa.CheckConstraint("valid_from < valid_until", name="window_forward"),
        sa.CheckConstraint("admit_from < admit_until", name="admission_forward"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(exact_text(100), unique=True)
    description: Mapped[str] = mapped_column(sa.String(500))
    price: Mapped[int]
    max_per_order: Mapped[int]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    admit_from: Mapped[datetime | None]
    admit_until: Mapped[datetime | None]
    position: Mapped[int]

    stock: Mapped["TicketStock"] = relationship(back_populates="ticket", lazy="joined")

    def sale_status(self, now: datetime) -> SaleStatus:
        """Tell whether it can be bought at `now`."""
        if now < self.valid_from:
            return SaleStatus.UPCOMING
        if now >= self.valid_until:
            return SaleStatus.ENDED
        return SaleStatus.ON_SALE if self.stock.available > 0 else SaleStatus.SOLD_OUT


class TicketStock(Base):
    """How many of a ticket there are, are held and are sold.

    A table of its own: order items point at the quiet `tickets` row, so the hot UPDATE here can
    come last in a transaction without deadlocking on their foreign keys.
    """

    __tablename__ = "ticket_stock"
    __table_args__ = (
        sa.CheckConstraint("held >= 0", name="held_not_negative"),
        sa.CheckConstraint("sold >= 0", name="sold_not_negative"),
        sa.CheckConstraint("held + sold <= amount", name="not_oversold"),
    )

    ticket_id: Mapped[int] = mapped_column(
        sa.ForeignKey("tickets.id"), primary_key=True, autoincrement=False
    )
    amount: Mapped[int]
    held: Mapped[int] = mapped_column(default=0)
    sold: Mapped[int] = mapped_column(default=0)

    ticket: Mapped[Ticket] = relationship(back_populates="stock")

    @property
    def available(self) -> int:
        """Return how many can still be held."""
        return self.amount - self.held - self.sold

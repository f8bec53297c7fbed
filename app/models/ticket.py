"""Ticket: a kind of ticket on sale, and its stock."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, exact_text
from app.models.quota import Quota


class SaleStatus(enum.Enum):
    """Where a ticket stands: its window first, then whether any is left."""

    UPCOMING = "upcoming"
    ON_SALE = "on_sale"
    SOLD_OUT = "sold_out"
    ENDED = "ended"


class Ticket(Base):
    """A kind of ticket. `valid_from` to `valid_until` is when it is sold; the end is exclusive.

    `admit_from` to `admit_until` is when its holders may enter; None does not limit that side.
    With `is_hidden` only who has a voucher that names it sees it; once `retired_at` is set nobody
    can buy it any more. It is never deleted: orders point at it.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        sa.CheckConstraint("price >= 0", name="price_not_negative"),
        sa.CheckConstraint("max_per_order >= 1", name="max_per_order_positive"),
        sa.CheckConstraint(
            "min_per_order >= 1 AND min_per_order <= max_per_order", name="min_per_order_in_range"
        ),
        sa.CheckConstraint("valid_from < valid_until", name="window_forward"),
        sa.CheckConstraint("admit_from < admit_until", name="admission_forward"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(exact_text(100), unique=True)
    description: Mapped[str] = mapped_column(sa.String(500))
    price: Mapped[int]
    min_per_order: Mapped[int] = mapped_column(default=1)
    max_per_order: Mapped[int]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    admit_from: Mapped[datetime | None]
    admit_until: Mapped[datetime | None]
    position: Mapped[int]
    is_hidden: Mapped[bool] = mapped_column(default=False)
    retired_at: Mapped[datetime | None]

    stock: Mapped["TicketStock"] = relationship(back_populates="ticket", lazy="joined")

    def sale_status(self, now: datetime) -> SaleStatus:
        """Tell whether it can be bought at `now`."""
        if now < self.valid_from:
            return SaleStatus.UPCOMING
        if now >= self.valid_until:
            return SaleStatus.ENDED
        has_enough = self.stock.available >= self.min_per_order
        return SaleStatus.ON_SALE if has_enough else SaleStatus.SOLD_OUT


class TicketStock(Base):
    """How many of a ticket there are, are held and are sold, and the quota it draws on, if any.

    A table of its own: order items point at the quiet `tickets` row, so the hot UPDATE here can
    come last in a transaction without deadlocking on their foreign keys. `quota_id` stands here so
    that whoever has the lock of this row knows which quota moves with it.
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
    quota_id: Mapped[int | None] = mapped_column(sa.ForeignKey("quotas.id"), index=True)

    ticket: Mapped[Ticket] = relationship(back_populates="stock")
    quota: Mapped[Quota | None] = relationship(lazy="joined")

    @property
    def available(self) -> int:
        """Return how many can still be held: of its own, and of its quota's."""
        own = self.amount - self.held - self.sold
        return own if self.quota is None else min(own, self.quota.available)

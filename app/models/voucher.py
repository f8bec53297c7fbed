"""Voucher: a code that opens hidden tickets, lowers prices, or both."""

import enum
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, code_column, enum_column
from app.models.ticket import Ticket


class VoucherEffect(enum.Enum):
    """What a voucher does to the price of a seat; `Voucher.value` says how much."""

    NONE = "none"
    PERCENT = "percent"
    AMOUNT_OFF = "amount_off"
    FIXED_PRICE = "fixed_price"


voucher_tickets = sa.Table(
    "voucher_tickets",
    Base.metadata,
    sa.Column("voucher_id", sa.ForeignKey("vouchers.id"), primary_key=True),
    sa.Column("ticket_id", sa.ForeignKey("tickets.id"), primary_key=True, index=True),
)


class Voucher(Base):
    """A code of A–Z, 0–9 and `-`, kept in capitals. It is never deleted, only retired.

    It counts for its `tickets`; `is_for_all` means every ticket that is not hidden. A hidden ticket
    is opened by the vouchers that name it. `value` is a percentage, or rupiah for one seat; 0 with
    NONE. `valid_from` to `valid_until` is when it can be used; the end is exclusive.
    """

    __tablename__ = "vouchers"
    __table_args__ = (
        sa.CheckConstraint("value >= 0", name="value_not_negative"),
        sa.CheckConstraint("effect <> 'percent' OR value <= 100", name="percent_at_most_100"),
        sa.CheckConstraint("valid_from < valid_until", name="period_forward"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(code_column(32), unique=True)
    effect: Mapped[VoucherEffect] = mapped_column(enum_column(VoucherEffect))
    value: Mapped[int] = mapped_column(default=0)
    is_for_all: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    tickets: Mapped[list[Ticket]] = relationship(
        secondary=voucher_tickets, order_by=(Ticket.position, Ticket.id)
    )
    use: Mapped["VoucherUse"] = relationship(back_populates="voucher", lazy="joined")


class VoucherUse(Base):
    """How many seats a voucher is good for (None: any number), and how many orders took with it.

    A table of its own for the same reason as `ticket_stock`: order items point at `vouchers`.
    """

    __tablename__ = "voucher_use"
    __table_args__ = (
        sa.CheckConstraint("used >= 0", name="used_not_negative"),
        sa.CheckConstraint("used <= max_seats", name="not_overused"),
    )

    voucher_id: Mapped[int] = mapped_column(
        sa.ForeignKey("vouchers.id"), primary_key=True, autoincrement=False
    )
    max_seats: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)

    voucher: Mapped[Voucher] = relationship(back_populates="use")

    @property
    def left(self) -> int | None:
        """Return for how many seats it can still be used; None without a limit."""
        return None if self.max_seats is None else self.max_seats - self.used


def seats_by_voucher(items: Iterable[tuple[int | None, int]]) -> dict[int, int]:
    """Return how many seats were ordered with which voucher id, from (voucher id, seats) pairs."""
    seats: dict[int, int] = {}
    for voucher_id, quantity in items:
        if voucher_id is not None:
            seats[voucher_id] = seats.get(voucher_id, 0) + quantity
    return seats

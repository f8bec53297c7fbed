"""ETicket: the right of one person to enter once; ReplacedSeat: an id it had before."""

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, code_column, exact_text
from app.models.codes import lane_of
from app.models.ticket import Ticket

if TYPE_CHECKING:
    from app.models.order import Order


class ETicket(Base):
    """One seat of a paid order. `code` is printed and typed, `qr_text` is what the QR holds.

    `number` counts the seats of the order from 1; its unique key is what keeps a repeated
    payment message from making a second set. `seat_id` is 40 random bits that stand in the signed
    QR text. `admitted_at` and `admitted_gate` are the first entry that stands, `is_inside` tells
    where the guest is now. One that was revoked admits nobody any more.
    """

    __tablename__ = "e_tickets"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "number"),
        sa.Index(None, "admitted_at", "admitted_gate"),
        sa.Index(None, "revoked_at", "is_inside"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("tickets.id"), index=True)
    number: Mapped[int]
    attendee: Mapped[str] = mapped_column(sa.String(100))
    code: Mapped[str] = mapped_column(code_column(16), unique=True)
    qr_text: Mapped[str] = mapped_column(code_column(128), unique=True)
    created_at: Mapped[datetime]
    seat_id: Mapped[int] = mapped_column(unique=True)
    admitted_at: Mapped[datetime | None]
    admitted_gate: Mapped[str | None] = mapped_column(exact_text(32))
    is_inside: Mapped[bool] = mapped_column(default=False)
    revoked_at: Mapped[datetime | None]

    order: Mapped["Order"] = relationship(back_populates="e_tickets")
    ticket: Mapped[Ticket] = relationship()

    @property
    def lane(self) -> str:
        """Return the letter of the queue this seat belongs to in lane mode."""
        return lane_of(self.seat_id)


class ReplacedSeat(Base):
    """A seat id from before its code was made again: phones may still tell of it."""

    __tablename__ = "replaced_seats"

    seat_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    e_ticket_id: Mapped[int] = mapped_column(sa.ForeignKey("e_tickets.id"))
    created_at: Mapped[datetime]

"""Finding a guest by name or order, for whom no code can be scanned."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.models import ETicket, Order, OrderStatus, ScanReason, Ticket, User
from app.services.running.transaction import reading

MOST = 20
FEWEST_LETTERS = 3


@dataclass(frozen=True)
class Found:
    """An e-ticket that fits; `refused_for` when it admits nobody any more."""

    code: str
    attendee: str
    ticket_type: str
    order_code: str
    admitted_at: datetime | None
    gate: str | None
    refused_for: ScanReason | None


def is_long_enough(text: str) -> bool:
    """Tell whether a search is narrow enough to be made: no list of all guests by one letter."""
    return sum(char.isalnum() for char in text) >= FEWEST_LETTERS


def search_guests(text: str) -> list[Found]:
    """Return at most MOST e-tickets whose attendee, buyer, order or code fits, by name.

    All words must be in the attendee's or in the buyer's name; an order or short code may be cut
    off at the end.
    """
    code = "".join(text.upper().split())
    query = (
        sa.select(
            ETicket.code,
            ETicket.attendee,
            Ticket.type,
            Order.code,
            ETicket.admitted_at,
            ETicket.admitted_gate,
            ETicket.revoked_at,
            Order.status,
        )
        .join(Order, Order.id == ETicket.order_id)
        .join(Ticket, Ticket.id == ETicket.ticket_id)
        .join(User, User.id == Order.user_id)
        .where(
            _holds(ETicket.attendee, text)
            | _holds(User.full_name, text)
            | Order.code.startswith(code, autoescape=True)
            | ETicket.code.startswith(code, autoescape=True)
        )
        .order_by(ETicket.attendee, Order.code, ETicket.number)
        .limit(MOST)
    )
    with reading() as session:
        return [
            Found(*row[:6], _refused_for(row.revoked_at, row.status))
            for row in session.execute(query)
        ]


def _holds(name: sa.orm.InstrumentedAttribute[str], text: str) -> sa.ColumnElement[bool]:
    return sa.and_(*(name.icontains(word, autoescape=True) for word in text.split()))


def _refused_for(revoked_at: datetime | None, status: OrderStatus) -> ScanReason | None:
    if status is not OrderStatus.PAID:
        return ScanReason.ORDER_CANCELLED
    return ScanReason.REVOKED if revoked_at else None

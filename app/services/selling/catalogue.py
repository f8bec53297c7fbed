"""The catalogue: what is on sale."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.extensions import db
from app.models import SaleStatus, Ticket
from app.services.selling.vouchers import VoucherTerms

ACTIVE = (SaleStatus.ON_SALE, SaleStatus.SOLD_OUT)


@dataclass(frozen=True)
class TicketOnSale:
    """A ticket as a buyer sees it; `price` in rupiah.

    With a voucher that counts for it, `price` is the lower one and `list_price` the other.
    `available` also looks at its quota, of which `quota_available` are left for all its tickets.
    """

    id: int
    type: str
    description: str
    price: int
    amount: int
    available: int
    max_per_order: int
    valid_from: datetime
    valid_until: datetime
    status: SaleStatus
    min_per_order: int = 1
    list_price: int | None = None
    quota_id: int | None = None
    quota_available: int | None = None


def list_tickets(
    now: datetime, *, include_all: bool = False, voucher: VoucherTerms | None = None
) -> list[TicketOnSale]:
    """Return the tickets whose period is active at `now`, in catalogue order.

    `include_all` adds those that are upcoming or ended. Hidden ones are listed for a `voucher` that
    names them, and prices are those with it; retired ones never.
    """
    opened = voucher.ticket_ids if voucher is not None else ()
    is_shown = sa.or_(Ticket.is_hidden.is_(False), Ticket.id.in_(opened))
    query = sa.select(Ticket).where(Ticket.retired_at.is_(None), is_shown)
    tickets = db.session.scalars(query.order_by(Ticket.position, Ticket.id))
    listed = [_on_sale(ticket, voucher, now) for ticket in tickets]
    return [ticket for ticket in listed if include_all or ticket.status in ACTIVE]


def _on_sale(ticket: Ticket, voucher: VoucherTerms | None, now: datetime) -> TicketOnSale:
    stock = ticket.stock
    price, list_price = ticket.price, None
    if voucher is not None and voucher.counts_for(ticket.id, is_hidden=ticket.is_hidden):
        price, list_price = voucher.price_of(ticket.price), ticket.price
    return TicketOnSale(
        id=ticket.id,
        type=ticket.type,
        description=ticket.description,
        price=price,
        amount=stock.amount,
        available=stock.available,
        max_per_order=ticket.max_per_order,
        valid_from=ticket.valid_from,
        valid_until=ticket.valid_until,
        status=ticket.sale_status(now),
        min_per_order=ticket.min_per_order,
        list_price=list_price,
        quota_id=stock.quota_id,
        quota_available=stock.quota.available if stock.quota else None,
    )

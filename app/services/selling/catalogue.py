"""The catalogue: what is on sale, and loading it from a file's rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.extensions import db
from app.models import SaleStatus, Ticket, TicketStock
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import affected, transaction, use_case
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


@dataclass(frozen=True)
class TicketRow:
    """A ticket as the catalogue file describes it; `line` is where in the file it begins."""

    type: str
    description: str
    price: int
    amount: int
    max_per_order: int
    valid_from: datetime
    valid_until: datetime
    admit_from: datetime | None
    admit_until: datetime | None
    line: int


@dataclass(frozen=True)
class LoadResult:
    """How many tickets a file created and how many it updated."""

    created: int
    updated: int


class CatalogueConflict(Exception):
    """A file asks for amounts below what is held and sold; `problems` has a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


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


@use_case
def load_tickets(rows: Sequence[TicketRow], *, by: By, now: datetime) -> LoadResult:
    """Create or update tickets by their type, all or none; tickets not named stay as they are.

    Raises CatalogueConflict when an amount would fall below what is held and sold.
    """
    problems: list[str] = []
    with transaction() as session:
        known = {ticket.type: ticket for ticket in session.scalars(sa.select(Ticket))}
        for position, row in enumerate(rows, start=1):
            ticket = known.get(row.type)
            before = _facts(ticket, ticket.stock.amount) if ticket else None
            if ticket is None:
                ticket = Ticket(type=row.type, stock=TicketStock(amount=row.amount))
                session.add(ticket)
            elif not _resize(ticket.id, row.amount):
                taken = ticket.stock.held + ticket.stock.sold
                problems.append(
                    f"line {row.line}: amount of {row.type!r} is {row.amount}, but {taken} are "
                    f"held or sold already: it must be at least {taken}"
                )
            _describe(ticket, row, position)
            session.flush()
            audit.record(
                session,
                actor=by,
                action="ticket.changed" if before else "ticket.added",
                subject=Subject("ticket", str(ticket.id), ticket.type),
                before=before,
                after=_facts(ticket, row.amount),
                now=now,
            )
        if problems:
            raise CatalogueConflict(problems)
    return LoadResult(
        created=sum(row.type not in known for row in rows),
        updated=sum(row.type in known for row in rows),
    )


def _facts(ticket: Ticket, amount: int) -> dict[str, object]:
    """Return what the audit log tells of a ticket."""
    fields = ("description", "price", "max_per_order", "valid_from", "valid_until")
    facts = {name: getattr(ticket, name) for name in (*fields, "admit_from", "admit_until")}
    return facts | {"amount": amount}


def _resize(ticket_id: int, amount: int) -> bool:
    """Change the amount unless more are taken: buyers may be ordering at this moment."""
    room = sa.update(TicketStock).where(
        TicketStock.ticket_id == ticket_id, TicketStock.held + TicketStock.sold <= amount
    )
    return affected(db.session(), room.values(amount=amount)) == 1


def _describe(ticket: Ticket, row: TicketRow, position: int) -> None:
    ticket.description = row.description
    ticket.price = row.price
    ticket.max_per_order = row.max_per_order
    ticket.valid_from = row.valid_from
    ticket.valid_until = row.valid_until
    ticket.admit_from = row.admit_from
    ticket.admit_until = row.admit_until
    ticket.position = position

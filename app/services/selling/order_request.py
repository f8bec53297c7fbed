"""What a buyer asks for, and the rules it must meet before any seat is held."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from app.errors import (
    DomainError,
    FieldError,
    QuantityOutOfRange,
    SaleClosed,
    SaleNotOpen,
    TicketNotFound,
    ValidationFailed,
)
from app.models import SaleStatus, Ticket
from app.services.running.transaction import reading


@dataclass(frozen=True)
class Buyer:
    """Who buys; the fields as `app.forms.fields` leaves them."""

    full_name: str
    email: str
    no_hp: str


@dataclass(frozen=True)
class WantedItem:
    """A line of what is wanted; no `attendees` means the buyer's name on each seat."""

    ticket_id: int
    quantity: int
    attendees: tuple[str, ...] = ()


@dataclass(frozen=True)
class OrderRequest:
    """What a buyer wants, from a form or from the API; `locale` is `id` or `en`."""

    buyer: Buyer
    items: tuple[WantedItem, ...]
    locale: str = "id"

    def fingerprint(self) -> str:
        """Return a digest that is equal for equal requests."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def quantities(self) -> dict[int, int]:
        """Return how many seats of which ticket id; repeated lines of a ticket are summed."""
        quantities: dict[int, int] = {}
        for item in self.items:
            quantities[item.ticket_id] = quantities.get(item.ticket_id, 0) + item.quantity
        return quantities

    def names_by_ticket(self) -> dict[int, list[str]]:
        """Return a name for every seat, by ticket id; repeated lines of a ticket become one."""
        names: dict[int, list[str]] = {}
        for item in self.items:
            given = item.attendees or (self.buyer.full_name,) * item.quantity
            names.setdefault(item.ticket_id, []).extend(given)
        return names


def check_request(request: OrderRequest, now: datetime) -> dict[int, Ticket]:
    """Return the tickets asked for, once every rule but the stock itself allows the request."""
    with reading() as session:
        wanted = {item.ticket_id for item in request.items}
        query = sa.select(Ticket).where(Ticket.id.in_(wanted))
        tickets = {ticket.id: ticket for ticket in session.scalars(query)}
        session.expunge_all()
    if not request.items:
        raise ValidationFailed([FieldError("items", _l("Choose at least one ticket."))])
    so_far: dict[int, int] = {}
    for index, item in enumerate(request.items):
        problem = _check_item(item, f"items.{index}", tickets.get(item.ticket_id), so_far)
        if problem:
            raise problem
    for ticket in tickets.values():
        status = ticket.sale_status(now)
        if status is SaleStatus.UPCOMING:
            raise SaleNotOpen
        if status is SaleStatus.ENDED:
            raise SaleClosed
    return tickets


def _check_item(
    item: WantedItem, field: str, ticket: Ticket | None, so_far: dict[int, int]
) -> DomainError | None:
    """Return what is wrong with a line; `so_far` sums the quantities of repeated lines."""
    if ticket is None:
        return TicketNotFound(f"{field}.ticketId")
    so_far[ticket.id] = so_far.get(ticket.id, 0) + item.quantity
    if item.quantity < 1 or so_far[ticket.id] > ticket.max_per_order:
        return QuantityOutOfRange(f"{field}.quantity", ticket.max_per_order)
    if item.attendees and len(item.attendees) != item.quantity:
        message = _l("Give one name for each seat, or none at all.")
        return ValidationFailed([FieldError(f"{field}.attendees", message)])
    return None

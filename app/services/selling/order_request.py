"""What a buyer asks for, and the rules it must meet before any seat is held."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.errors import (
    DomainError,
    FieldError,
    QuantityOutOfRange,
    SaleClosed,
    SaleNotOpen,
    SoldOut,
    TicketNotFound,
    ValidationFailed,
)
from app.models import Ticket, TicketStock


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


@dataclass(frozen=True)
class Offer:
    """A ticket as it is offered at this moment; `available` is only a look, it holds nothing."""

    id: int
    type: str
    price: int
    max_per_order: int
    valid_from: datetime
    valid_until: datetime
    available: int


def find_offers(session: Session, ticket_ids: set[int]) -> dict[int, Offer]:
    """Return these tickets as they are offered now, by id; unknown ids are left out."""
    columns = (
        Ticket.id,
        Ticket.type,
        Ticket.price,
        Ticket.max_per_order,
        Ticket.valid_from,
        Ticket.valid_until,
        (TicketStock.amount - TicketStock.held - TicketStock.sold).label("available"),
    )
    rows = session.execute(sa.select(*columns).join(TicketStock).where(Ticket.id.in_(ticket_ids)))
    return {row.id: Offer(*row) for row in rows}


def check_request(
    request: OrderRequest, offers: Mapping[int, Offer], left: Mapping[int, int], now: datetime
) -> None:
    """Raise the refusal of the first rule that does not allow the request.

    What is sold out (`left` by ticket id) is refused here, by a plain read: a rush asks thousands
    of times for what is gone. What is held in the end is decided by the UPDATE in `inventory`.
    """
    if not request.items:
        raise ValidationFailed([FieldError("items", _l("Choose at least one ticket."))])
    so_far: dict[int, int] = {}
    for index, item in enumerate(request.items):
        problem = _check_item(item, f"items.{index}", offers.get(item.ticket_id), so_far)
        if problem:
            raise problem
    for ticket_id in so_far:
        if now < offers[ticket_id].valid_from:
            raise SaleNotOpen
        if now >= offers[ticket_id].valid_until:
            raise SaleClosed
    if any(left[ticket_id] < wanted for ticket_id, wanted in so_far.items()):
        raise SoldOut({ticket_id: left[ticket_id] for ticket_id in so_far})


def _check_item(
    item: WantedItem, field: str, ticket: Offer | None, so_far: dict[int, int]
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

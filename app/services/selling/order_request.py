"""What a buyer asks for, and the rules it must meet before any seat is held."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from flask_babel import lazy_gettext as _l

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
from app.services.selling.offers import Offer, Room
from app.services.selling.voucher_refusals import VoucherNotValid, VoucherUnknown, VoucherUsedUp
from app.services.selling.vouchers import VoucherTerms


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
    """What a buyer wants, from a form or from the API; `locale` is `id` or `en`.

    `voucher` is a code as `parse_voucher_code` leaves it.
    """

    buyer: Buyer
    items: tuple[WantedItem, ...]
    locale: str = "id"
    voucher: str | None = None

    def fingerprint(self) -> str:
        """Return a digest that is equal for equal requests."""
        wanted = asdict(self)
        if self.voucher is None:
            del wanted["voucher"]  # a request without one is what it was before there were any
        return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()

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


def check_request(
    request: OrderRequest,
    offers: Mapping[int, Offer],
    voucher: VoucherTerms | None,
    room: Room,
    now: datetime,
) -> None:
    """Raise the refusal of the first rule that does not allow the request.

    What is sold out (`room`) is refused here, by a plain read: a rush asks thousands of times for
    what is gone. What is held in the end is decided by the UPDATE in `inventory`.
    """
    if not request.items:
        raise ValidationFailed([FieldError("items", _l("Choose at least one ticket."))])
    if request.voucher is not None:
        if voucher is None:
            raise VoucherUnknown
        if refusal := voucher.refusal(now):
            raise refusal
    wanted: dict[int, int] = {}
    for index, item in enumerate(request.items):
        offer = _find_offer(item.ticket_id, offers, voucher)
        if problem := _check_item(item, f"items.{index}", offer, wanted):
            raise problem
    _check_sums(request, offers, wanted, now)
    if not room.is_enough(wanted):
        raise SoldOut({ticket_id: room.left_of(ticket_id) for ticket_id in wanted})
    if voucher is not None:
        _check_uses(voucher, offers, wanted, room)


def seats_with(
    voucher: VoucherTerms | None, offers: Mapping[int, Offer], wanted: Mapping[int, int]
) -> int:
    """Return how many of the wanted seats are ordered with this voucher."""
    if voucher is None:
        return 0
    return sum(
        quantity
        for ticket_id, quantity in wanted.items()
        if voucher.counts_for(ticket_id, is_hidden=offers[ticket_id].is_hidden)
    )


def _find_offer(
    ticket_id: int, offers: Mapping[int, Offer], voucher: VoucherTerms | None
) -> Offer | None:
    """Return the offer, unless it is retired or hidden from this buyer: as if it did not exist."""
    offer = offers.get(ticket_id)
    if offer is None or offer.retired_at is not None:
        return None
    is_open = not offer.is_hidden or (voucher is not None and voucher.opens(ticket_id))
    return offer if is_open else None


def _check_item(
    item: WantedItem, field: str, ticket: Offer | None, so_far: dict[int, int]
) -> DomainError | None:
    """Return what is wrong with a line; `so_far` sums the quantities of repeated lines."""
    if ticket is None:
        return TicketNotFound(f"{field}.ticketId")
    so_far[ticket.id] = so_far.get(ticket.id, 0) + item.quantity
    if item.quantity < 1 or so_far[ticket.id] > ticket.max_per_order:
        return _out_of_range(f"{field}.quantity", ticket)
    if item.attendees and len(item.attendees) != item.quantity:
        message = _l("Give one name for each seat, or none at all.")
        return ValidationFailed([FieldError(f"{field}.attendees", message)])
    return None


def _check_sums(
    request: OrderRequest, offers: Mapping[int, Offer], wanted: Mapping[int, int], now: datetime
) -> None:
    """Raise what is wrong with a ticket once all its lines are known."""
    for ticket_id, quantity in wanted.items():
        if quantity < offers[ticket_id].min_per_order:
            lines = enumerate(request.items)
            index = next(n for n, item in lines if item.ticket_id == ticket_id)
            raise _out_of_range(f"items.{index}.quantity", offers[ticket_id])
    for ticket_id in wanted:
        if now < offers[ticket_id].valid_from:
            raise SaleNotOpen
        if now >= offers[ticket_id].valid_until:
            raise SaleClosed


def _check_uses(
    voucher: VoucherTerms, offers: Mapping[int, Offer], wanted: Mapping[int, int], room: Room
) -> None:
    uses, left = seats_with(voucher, offers, wanted), room.uses_left(voucher.id)
    if not uses:
        raise VoucherNotValid.for_other_tickets()
    if left is not None and uses > left:
        raise VoucherUsedUp(left)


def _out_of_range(field: str, ticket: Offer) -> QuantityOutOfRange:
    return QuantityOutOfRange(field, ticket.max_per_order, ticket.min_per_order)

"""Vouchers at the checkout: what a code opens, what it makes of a price, its use.

Rounding: a percentage is taken off in whole rupiah, rounded down, so that the price of a seat is
rounded up. Every seat of an item has the same price: an invoice's items add up to its amount.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.errors import DomainError
from app.models import Voucher, VoucherEffect, VoucherUse, voucher_tickets
from app.services.running.transaction import affected
from app.services.selling.voucher_refusals import VoucherNotValid, VoucherUsedUp

VoucherSeats = Mapping[int, int]  # voucher id → seats


class UseMismatch(Exception):
    """A voucher was not used as often as an order says: an invariant is broken."""


@dataclass(frozen=True)
class VoucherTerms:
    """What a voucher offers at this moment; `left` seats are only a look, None without a limit."""

    id: int
    code: str
    effect: VoucherEffect
    value: int
    is_for_all: bool
    valid_from: datetime | None
    valid_until: datetime | None
    retired_at: datetime | None
    left: int | None
    ticket_ids: frozenset[int] = frozenset()

    def refusal(self, now: datetime) -> DomainError | None:
        """Return why it cannot be used at `now`, whatever is wanted; None when it can."""
        if self.retired_at is not None:
            return VoucherNotValid.retired()
        if self.valid_from is not None and now < self.valid_from:
            return VoucherNotValid.too_early()
        if self.valid_until is not None and now >= self.valid_until:
            return VoucherNotValid.too_late()
        return VoucherUsedUp(0) if self.left is not None and self.left <= 0 else None

    def opens(self, ticket_id: int) -> bool:
        """Tell whether it shows and sells this ticket although it is hidden: it must name it."""
        return ticket_id in self.ticket_ids

    def counts_for(self, ticket_id: int, *, is_hidden: bool) -> bool:
        """Tell whether seats of this ticket are ordered with it."""
        return self.opens(ticket_id) or (self.is_for_all and not is_hidden)

    def price_of(self, list_price: int) -> int:
        """Return what a seat costs with it, in rupiah: never below 0, never more than without."""
        match self.effect:
            case VoucherEffect.PERCENT:
                return list_price - list_price * self.value // 100
            case VoucherEffect.AMOUNT_OFF:
                return max(0, list_price - self.value)
            case VoucherEffect.FIXED_PRICE:
                return min(list_price, self.value)
        return list_price


def find_vouchers(session: Session, codes: Iterable[str]) -> dict[str, VoucherTerms]:
    """Return what these codes offer, by code; unknown ones are left out. One statement."""
    columns = (
        Voucher.id,
        Voucher.code,
        Voucher.effect,
        Voucher.value,
        Voucher.is_for_all,
        Voucher.valid_from,
        Voucher.valid_until,
        Voucher.retired_at,
        (VoucherUse.max_seats - VoucherUse.used).label("left"),
    )
    query = (
        sa.select(*columns, voucher_tickets.c.ticket_id)
        .join(VoucherUse, VoucherUse.voucher_id == Voucher.id)
        .outerjoin(voucher_tickets, voucher_tickets.c.voucher_id == Voucher.id)
        .where(Voucher.code.in_(codes))
    )
    found: dict[str, VoucherTerms] = {}
    for *facts, ticket_id in session.execute(query):
        terms = found.get(facts[1]) or VoucherTerms(*facts)
        ids = terms.ticket_ids if ticket_id is None else terms.ticket_ids | {ticket_id}
        found[terms.code] = replace(terms, ticket_ids=ids)
    return found


def use(session: Session, seats: VoucherSeats) -> None:
    """Count seats that are ordered with vouchers, ids ascending. Raises VoucherUsedUp.

    Comes after the stock, here and everywhere, so that no two orders wait for each other.
    """
    for voucher_id, quantity in sorted(seats.items()):
        is_left = sa.or_(
            VoucherUse.max_seats.is_(None), VoucherUse.used + quantity <= VoucherUse.max_seats
        )
        update = sa.update(VoucherUse).where(VoucherUse.voucher_id == voucher_id, is_left)
        if affected(session, update.values(used=VoucherUse.used + quantity)) != 1:
            row = session.get_one(VoucherUse, voucher_id, populate_existing=True)
            raise VoucherUsedUp(row.left or 0)


def give_back(session: Session, seats: VoucherSeats) -> None:
    """Take back what orders that ended had used, ids ascending. Raises UseMismatch."""
    for voucher_id, quantity in sorted(seats.items()):
        mine = sa.update(VoucherUse).where(
            VoucherUse.voucher_id == voucher_id, VoucherUse.used >= quantity
        )
        if affected(session, mine.values(used=VoucherUse.used - quantity)) != 1:
            raise UseMismatch(f"voucher {voucher_id}: was not used for {quantity} seats")

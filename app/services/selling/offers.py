"""Offers: tickets as they are offered at this moment, and what is left of them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Quota, Ticket, TicketStock
from app.services.selling.vouchers import VoucherTerms

_TICKETS, _STOCK, _QUOTAS = (
    cast(sa.Table, model.__table__).c for model in (Ticket, TicketStock, Quota)
)
# Built once: in a rush it is asked for each group of orders.
_OFFERS: sa.Select[Any] = (
    sa.select(
        _TICKETS.id,
        _TICKETS.type,
        _TICKETS.price,
        _TICKETS.min_per_order,
        _TICKETS.max_per_order,
        _TICKETS.valid_from,
        _TICKETS.valid_until,
        _TICKETS.is_hidden,
        _TICKETS.retired_at,
        _STOCK.quota_id,
        (_STOCK.amount - _STOCK.held - _STOCK.sold).label("available"),
        (_QUOTAS.amount - _QUOTAS.held - _QUOTAS.sold).label("quota_available"),
    )
    .select_from(sa.join(Ticket, TicketStock).outerjoin(Quota))
    .where(_TICKETS.id.in_(sa.bindparam("ticket_ids", expanding=True)))
)


@dataclass(frozen=True)
class Offer:
    """A ticket as it is offered at this moment.

    `available` of its own and `quota_available` of its quota are only a look: they hold nothing.
    """

    id: int
    type: str
    price: int
    min_per_order: int
    max_per_order: int
    valid_from: datetime
    valid_until: datetime
    is_hidden: bool
    retired_at: datetime | None
    quota_id: int | None
    available: int
    quota_available: int | None


class Room:
    """What is left while the orders of a group are looked at, one after the other."""

    def __init__(self, offers: Iterable[Offer], vouchers: Iterable[VoucherTerms]) -> None:
        self._own: dict[int, int] = {}
        self._quota_of: dict[int, int] = {}
        self._shared: dict[int, int] = {}
        for offer in offers:
            self._own[offer.id] = offer.available
            if offer.quota_id is not None and offer.quota_available is not None:
                self._quota_of[offer.id] = offer.quota_id
                self._shared[offer.quota_id] = offer.quota_available
        self._vouchers = {each.id: each.left for each in vouchers if each.left is not None}

    def left_of(self, ticket_id: int) -> int:
        """Return how many seats of a ticket are left."""
        own, quota_id = self._own[ticket_id], self._quota_of.get(ticket_id)
        return own if quota_id is None else min(own, self._shared[quota_id])

    def is_enough(self, quantities: Mapping[int, int]) -> bool:
        """Tell whether so many are left, those of one quota taken together."""
        return all(self.left_of(key) >= wanted for key, wanted in quantities.items()) and all(
            self._shared[quota_id] >= wanted for quota_id, wanted in self._sums(quantities).items()
        )

    def uses_left(self, voucher_id: int) -> int | None:
        """Return for how many seats a voucher is still good; None without a limit."""
        return self._vouchers.get(voucher_id)

    def take(self, quantities: Mapping[int, int], uses: Mapping[int, int]) -> None:
        """Count seats as gone, by ticket id, and uses of vouchers, by voucher id."""
        for ticket_id, quantity in quantities.items():
            self._own[ticket_id] -= quantity
        for quota_id, quantity in self._sums(quantities).items():
            self._shared[quota_id] -= quantity
        for voucher_id, quantity in uses.items():
            if voucher_id in self._vouchers:
                self._vouchers[voucher_id] -= quantity

    def _sums(self, quantities: Mapping[int, int]) -> Mapping[int, int]:
        """Return how many seats are wanted of each quota."""
        if not self._shared:
            return {}
        sums: Counter[int] = Counter()
        for ticket_id, quantity in quantities.items():
            if ticket_id in self._quota_of:
                sums[self._quota_of[ticket_id]] += quantity
        return sums


def find_offers(session: Session, ticket_ids: set[int]) -> dict[int, Offer]:
    """Return these tickets as they are offered now, by id; unknown ids are left out."""
    rows = session.connection().execute(_OFFERS, {"ticket_ids": sorted(ticket_ids)})
    return {row.id: Offer(*row) for row in rows}

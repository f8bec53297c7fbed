"""Sold out, told early: to who comes too late, without asking the counter.

A look at the stock, at most two seconds old, may say no and never yes: seats are held by the
counter alone. Whoever is told no here may have missed a seat that came back since.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from app.errors import SoldOut
from app.extensions import db
from app.models import SaleStatus
from app.services.selling.catalogue import TicketOnSale
from app.services.selling.shop_window import window_of


def are_gone(tickets: Iterable[TicketOnSale], wanted: Mapping[int, int]) -> bool:
    """Tell whether none of the wanted tickets is left, and nothing else is wrong with the wish.

    `wanted` is how many of which ticket id; of a wish for nothing nothing is gone.
    """
    found = {ticket.id: ticket for ticket in tickets}
    return bool(wanted) and all(
        (ticket := found.get(ticket_id)) is not None
        and ticket.status is SaleStatus.SOLD_OUT
        and 1 <= quantity <= ticket.max_per_order
        for ticket_id, quantity in wanted.items()
    )


def refuse_if_gone(
    wanted: Mapping[int, int], now: datetime, *, unless: Callable[[], bool] = lambda: False
) -> None:
    """Raise SoldOut when this process has just seen that all of it is gone; asks no database.

    `unless` is asked only then: whether something else is the answer all the same.
    """
    look = window_of(db.engine).seen_lately(now)
    if look is not None and are_gone(look.tickets, wanted) and not unless():
        left = {ticket.id: ticket.available for ticket in look.tickets}
        raise SoldOut({ticket_id: left[ticket_id] for ticket_id in wanted})

"""Stock: hold, sell, release, take back. The only statements that move `ticket_stock`.

Each is one conditional UPDATE a ticket, ids ascending (two orders can then never wait for each
other in a circle), with its row count checked. A CHECK constraint stands behind them.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.errors import SoldOut
from app.models import TicketStock
from app.services.running.transaction import affected

Quantities = Mapping[int, int]  # ticket id → seats


class StockMismatch(Exception):
    """Stock does not hold what an order says it holds: an invariant is broken."""


def hold(session: Session, quantities: Quantities) -> None:
    """Hold all seats or none. Raises SoldOut with what is left; the caller rolls back."""
    for ticket_id, quantity in sorted(quantities.items()):
        room = TicketStock.held + TicketStock.sold + quantity <= TicketStock.amount
        update = sa.update(TicketStock).where(TicketStock.ticket_id == ticket_id, room)
        if affected(session, update.values(held=TicketStock.held + quantity)) != 1:
            raise SoldOut(_left_before(session, quantities, stopped_at=ticket_id))


def sell(session: Session, quantities: Quantities) -> None:
    """Turn held seats into sold ones. Raises StockMismatch."""
    _move(session, quantities, out_of="held", into="sold")


def release(session: Session, quantities: Quantities) -> None:
    """Give held seats back. Raises StockMismatch."""
    _move(session, quantities, out_of="held")


def take_back(session: Session, quantities: Quantities) -> None:
    """Make sold seats available again. Raises StockMismatch."""
    _move(session, quantities, out_of="sold")


def sell_again(session: Session, quantities: Quantities) -> bool:
    """Hold and sell seats that had been released, all or nothing. False when too few are left."""
    savepoint = session.begin_nested()
    try:
        hold(session, quantities)
    except SoldOut:
        savepoint.rollback()
        return False
    sell(session, quantities)
    savepoint.commit()
    return True


def _move(
    session: Session, quantities: Quantities, *, out_of: str, into: str | None = None
) -> None:
    for ticket_id, quantity in sorted(quantities.items()):
        source = getattr(TicketStock, out_of)
        change = {out_of: source - quantity}
        if into is not None:
            change[into] = getattr(TicketStock, into) + quantity
        update = sa.update(TicketStock).where(
            TicketStock.ticket_id == ticket_id, source >= quantity
        )
        if affected(session, update.values(**change)) != 1:
            raise StockMismatch(f"ticket {ticket_id}: {quantity} seats are not {out_of}")


def _left_before(session: Session, quantities: Quantities, *, stopped_at: int) -> dict[int, int]:
    """Return what is left of each wanted ticket, not counting what this attempt just held."""
    rows = session.execute(
        sa.select(
            TicketStock.ticket_id, TicketStock.amount - TicketStock.held - TicketStock.sold
        ).where(TicketStock.ticket_id.in_(quantities))
    )
    mine = {ticket: q for ticket, q in quantities.items() if ticket < stopped_at}
    return {ticket_id: left + mine.get(ticket_id, 0) for ticket_id, left in rows}

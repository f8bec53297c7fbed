"""What tests of the running service sell: one ticket, one order, in as few words as possible."""

from datetime import datetime, timedelta

from app.config import Settings
from app.extensions import db
from app.models import Ticket, TicketStock
from app.services.running.transaction import transaction
from app.services.selling.ordering import (
    Buyer,
    OrderRequest,
    PlacedOrder,
    WantedItem,
    place_order,
)

BUYER = Buyer("Sari Dewi", "sari@example.com", "+6281234567890")


def add_ticket(name: str, *, now: datetime, amount: int = 10, price: int = 150_000) -> int:
    """Put a ticket on sale from a day before to a day after `now` and return its id."""
    with transaction() as session:
        ticket = Ticket(
            type=name,
            description=f"About {name}",
            price=price,
            max_per_order=10,
            valid_from=now - timedelta(days=1),
            valid_until=now + timedelta(days=1),
            position=1,
            stock=TicketStock(amount=amount),
        )
        session.add(ticket)
        session.flush()
        return ticket.id


def order(ticket_id: int, quantity: int, *, now: datetime, settings: Settings) -> PlacedOrder:
    """Order seats of one ticket."""
    request = OrderRequest(BUYER, (WantedItem(ticket_id, quantity),))
    return place_order(request, now=now, settings=settings)


def held(ticket_id: int) -> int:
    """Return how many seats are held, as it is in the database now."""
    db.session.rollback()
    return db.session.get_one(TicketStock, ticket_id).held

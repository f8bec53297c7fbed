"""E-tickets: made when an order is paid, one a seat."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.models import ETicket, Order
from app.models.codes import new_eticket_code, new_qr_text, new_seat_id
from app.services.running import jobs

DELIVER = "deliver_etickets"


def issue(session: Session, order: Order, now: datetime) -> None:
    """Make the e-tickets of an order that was just paid, and have them mailed.

    Part of the caller's transaction; the unique key on (order, number) forbids a second set.
    """
    seats = [(item.ticket_id, name) for item in order.items for name in item.attendees]
    for number, (ticket_id, attendee) in enumerate(seats, start=1):
        session.add(
            ETicket(
                order_id=order.id,
                ticket_id=ticket_id,
                number=number,
                attendee=attendee,
                code=new_eticket_code(),
                qr_text=new_qr_text(),
                seat_id=new_seat_id(),
                created_at=now,
            )
        )
    jobs.enqueue(session, DELIVER, {"order_id": order.id}, now=now, due_at=now)

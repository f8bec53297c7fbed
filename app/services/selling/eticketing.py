"""E-tickets: made when an order is paid, one a seat."""

from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import ETicket, Order
from app.models.codes import new_eticket_code, new_seat_id
from app.services.running import jobs
from app.services.selling.signing_keys import get_signer, sign_seat

DELIVER = "deliver_etickets"


def issue(session: Session, order: Order, now: datetime) -> None:
    """Make the e-tickets of an order that was just paid, and have them mailed.

    Part of the caller's transaction; the unique key on (order, number) forbids a second set.
    """
    signer = get_signer(session, now)
    seats = [(item.ticket, name) for item in order.items for name in item.attendees]
    rows = []
    for number, (ticket, attendee) in enumerate(seats, start=1):
        seat_id = new_seat_id()
        row = {
            "order_id": order.id,
            "ticket_id": ticket.id,
            "number": number,
            "attendee": attendee,
            "code": new_eticket_code(),
            "qr_text": sign_seat(seat_id, ticket, signer),
            "seat_id": seat_id,
            "created_at": now,
        }
        rows.append(row)
    session.execute(sa.insert(cast(sa.Table, ETicket.__table__)), rows)
    jobs.enqueue(session, DELIVER, {"order_id": order.id}, now=now, due_at=now)

"""New codes: a seat's old e-ticket becomes worthless, and it gets another."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from app.models import ETicket, ReplacedSeat
from app.models.codes import new_eticket_code, new_seat_id
from app.services.selling.signing_keys import get_signer, sign_seat


def renew_codes(session: Session, seats: Iterable[ETicket], now: datetime) -> None:
    """Give seats another QR text and short code, signed for the ticket they are of now.

    Part of the caller's transaction, which holds the rows' locks and knows that nobody has entered
    on them. The old ids are remembered, as phones without network may still tell of them; phones
    that hear from us learn of the new ones by the checksum of all ids.
    """
    signer = get_signer(session, now)
    for seat in seats:
        session.add(ReplacedSeat(seat_id=seat.seat_id, e_ticket_id=seat.id, created_at=now))
        seat.seat_id = new_seat_id()
        seat.code = new_eticket_code()
        seat.qr_text = sign_seat(seat.seat_id, seat.ticket, signer)

"""Which seat a fact is about: phones keep less than its code, which may be replaced meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.integrations.signing import parse_code
from app.models import ETicket, ReplacedSeat
from app.services.door.seats import (
    ELLIPSIS,
    Seat,
    find_seat,
    find_seat_by_beginning,
    find_seat_by_id,
    kept_code,
)


@dataclass(frozen=True)
class ToldSeat:
    """A seat, if there is one, and the code to keep: the whole one, where the phone kept less.

    `is_key_revoked` when the key that signed the code is worth nothing any more.
    """

    seat: Seat | None
    text: str
    is_key_revoked: bool = False


def find_by_code(session: Session, code: str, revoked: Mapping[int, bytes]) -> ToldSeat:
    """Return the seat of a whole code or of its beginning and ELLIPSIS.

    A code of a `revoked` key (public keys by id) is found too: its guest is inside all the same.
    """
    if code.endswith(ELLIPSIS):
        seat = find_seat_by_beginning(session, code)
        return ToldSeat(seat, seat.qr_text if seat else kept_code(code))
    if seat := find_seat(session, code):
        return ToldSeat(seat, kept_code(code))
    signed = parse_code(code.strip().upper())
    if signed is None or not signed.is_true(revoked):
        return ToldSeat(None, kept_code(code))
    seat_id = signed.seat.seat_id
    seat = find_seat_by_id(session, seat_id) or _find_replaced(session, seat_id)
    return ToldSeat(seat, kept_code(code), is_key_revoked=True)


def find_by_seat_id(
    session: Session, seat_id: int, key_id: int | None, revoked: Mapping[int, bytes]
) -> ToldSeat:
    """Return the seat of a code that a phone has verified by a key and not kept.

    An id that was replaced belonged to a code of a revoked key, whether or not the phone says so.
    """
    if seat := find_seat_by_id(session, seat_id):
        return ToldSeat(seat, seat.qr_text, key_id in revoked)
    seat = _find_replaced(session, seat_id)
    return ToldSeat(seat, f"seat {seat_id}", is_key_revoked=seat is not None)


def _find_replaced(session: Session, seat_id: int) -> Seat | None:
    """Return the seat that had this id before its code was made again."""
    now_called = (
        sa.select(ETicket.seat_id)
        .join(ReplacedSeat, ReplacedSeat.e_ticket_id == ETicket.id)
        .where(ReplacedSeat.seat_id == seat_id)
    )
    new_id = session.scalar(now_called)
    return find_seat_by_id(session, new_id) if new_id is not None else None

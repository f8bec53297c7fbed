"""What a phone carries of each seat, for when there is no network: sealed under the seat's code.

A lost phone must give no guest away. So the name of a seat is in a box whose key comes from the
text of its QR code, and that text is not on the phone: only a ticket held before the camera opens
its box. `static/js/door/box.js` opens them.
"""

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.orm import Session

from app.models import ETicket, Order, OrderStatus
from app.services.running.transaction import reading, use_case

PAGE_SIZE = 1_000
# No transaction is open for so long, nor do the clocks of two web machines differ so much: what is
# older was committed before and is seen by everybody.
SETTLED_AFTER = timedelta(seconds=60)
CHECK_MODULUS = 1_000_003
_INFO = b"tedx-door-1"
_KEY_BYTES = 16
_NONCE_BYTES = 12


@dataclass(frozen=True)
class SealedSeat:
    """A seat id, in clear and worth nothing alone, and the box that goes with it in base64."""

    seat_id: int
    box: str


@dataclass(frozen=True)
class SeatPage:
    """Some seats in the order they were sold.

    `next` asks for those behind, None when there are none. `settled` is where a phone goes on
    that comes back later for seats sold meanwhile: of a lower cursor none can still appear.
    """

    seats: list[SealedSeat]
    next: int | None
    settled: int
    total: int


@dataclass(frozen=True)
class Refused:
    """A seat that may not enter any more."""

    seat_id: int
    reason: str  # "revoked" or "order_cancelled"


@dataclass(frozen=True)
class SeatCount:
    """How many seats may enter, the sum of their ids modulo CHECK_MODULUS, and those that may not.

    A phone that has as many but another sum carries boxes of seats whose code was replaced.
    """

    total: int
    checksum: int
    refused: list[Refused]


@use_case
def list_sealed_seats(*, after: int, now: datetime) -> SeatPage:
    """Return a page of the seats that may enter: those of paid orders that are not revoked."""
    with reading() as session:
        settled = _last_settled(session, now)  # first: whatever it covers, the page below sees
        rows = session.execute(_page(after)).all()
        total = count_seats(session).total
    seats = [
        SealedSeat(row.seat_id, seal(row.seat_id, row.qr_text, _contents(row))) for row in rows
    ]
    is_last = len(rows) < PAGE_SIZE
    return SeatPage(seats, None if is_last else rows[-1].id, settled, total)


def count_seats(session: Session) -> SeatCount:
    """Count the seats that may enter: all there are without the refused, which takes no join."""
    checksum = sa.func.coalesce(sa.func.sum(ETicket.seat_id % CHECK_MODULUS), 0)
    total, summed = session.execute(sa.select(sa.func.count(ETicket.id), checksum)).one()
    refused = list_refused(session)
    barred = sum(seat.seat_id % CHECK_MODULUS for seat in refused)
    return SeatCount(total - len(refused), (int(summed) - barred) % CHECK_MODULUS, refused)


def list_refused(session: Session) -> list[Refused]:
    """Return every seat that may not enter, and why, as a check-in would answer.

    An order that is cancelled revokes its e-tickets: its guests are told of the order.
    """
    revoked = sa.select(ETicket.seat_id).where(ETicket.revoked_at.is_not(None))
    # Named one by one, they are found by the index of states: most orders are paid.
    unpaid = [status for status in OrderStatus if status is not OrderStatus.PAID]
    cancelled = sa.select(ETicket.seat_id).join(ETicket.order).where(Order.status.in_(unpaid))
    reasons = dict.fromkeys(session.scalars(revoked), "revoked")
    reasons |= dict.fromkeys(session.scalars(cancelled), "order_cancelled")
    return [Refused(seat_id, reason) for seat_id, reason in reasons.items()]


def seal(seat_id: int, qr_text: str, contents: dict[str, object]) -> str:
    """Return base64 of a nonce and the contents, encrypted by AES-128-GCM.

    The key is HKDF-SHA256 of the code's text; the seat id is authenticated too, so that no box can
    be put in another's place.
    """
    kdf = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_INFO)
    plain = json.dumps(contents, ensure_ascii=False, separators=(",", ":")).encode()
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(kdf.derive(qr_text.encode())).encrypt(nonce, plain, str(seat_id).encode())
    return base64.b64encode(nonce + sealed).decode("ascii")


def _contents(row: sa.Row[int, int, int, str, str, str]) -> dict[str, object]:
    return {"n": row.attendee, "t": row.ticket_id, "c": row.code}


def _page(after: int) -> sa.Select[int, int, int, str, str, str]:
    return (
        sa.select(
            ETicket.id,
            ETicket.seat_id,
            ETicket.ticket_id,
            ETicket.attendee,
            ETicket.code,
            ETicket.qr_text,
        )
        .join(ETicket.order)
        .where(ETicket.id > after, *_may_enter())
        .order_by(ETicket.id)
        .limit(PAGE_SIZE)
    )


def _may_enter() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return Order.status == OrderStatus.PAID, ETicket.revoked_at.is_(None)


def _last_settled(session: Session, now: datetime) -> int:
    """Return the id up to which every seat is committed; walks the key backwards."""
    old = sa.select(ETicket.id).where(ETicket.created_at < now - SETTLED_AFTER)
    return session.scalar(old.order_by(ETicket.id.desc()).limit(1)) or 0

"""Seats at the door: from a scanned or typed code to what is known of the guest."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.integrations.signing import SignedCode, parse_code
from app.models import (
    CheckIn,
    ETicket,
    Gate,
    Order,
    OrderStatus,
    ScanResult,
    SigningKey,
    Ticket,
)
from app.models.codes import lane_of, read_short_code
from app.services.door.rules import GateRules, SeatFacts

# Tables rather than classes: every scan takes this path, and objects double its cost.
_SEATS = cast(sa.Table, ETicket.__table__)
_KINDS = cast(sa.Table, Ticket.__table__)
_ORDERS = cast(sa.Table, Order.__table__)

ELLIPSIS = "…"
_BEGINNING = re.compile(f"([A-Z2-7]{{40}}){ELLIPSIS}")
CODE_LENGTH = 200  # of what is kept; a foreign symbol may hold thousands of characters


@dataclass(frozen=True)
class Holder:
    """Whose e-ticket it is, as it is shown at the door."""

    code: str
    attendee: str
    ticket_type: str
    lane: str


@dataclass(frozen=True)
class Seat:
    """An e-ticket as it stands.

    `latest_at` is the last time it passed in or out, as far as that stands.
    """

    e_ticket_id: int
    seat_id: int
    code: str
    qr_text: str
    attendee: str
    ticket_id: int
    ticket_type: str
    admit_from: datetime | None
    admit_until: datetime | None
    admitted_at: datetime | None
    admitted_gate: str | None
    is_inside: bool
    revoked_at: datetime | None
    is_order_paid: bool
    created_at: datetime
    latest_at: datetime | None

    @property
    def lane(self) -> str:
        return lane_of(self.seat_id)

    @property
    def holder(self) -> Holder:
        return Holder(self.code, self.attendee, self.ticket_type, self.lane)

    def facts(self, at: datetime | None = None) -> SeatFacts:
        """Return what the rules want to know; at a past moment, only what was revoked by then.

        An order that is cancelled revokes its e-tickets: its guests are told of the order, and
        that moment is when it was.
        """
        is_later = at is not None and self.revoked_at is not None and self.revoked_at > at
        is_revoked = self.revoked_at is not None and not is_later
        return SeatFacts(
            ticket_id=self.ticket_id,
            lane=self.lane,
            is_revoked=is_revoked and self.is_order_paid,
            is_order_cancelled=not self.is_order_paid and not is_later,
            admit_from=self.admit_from,
            admit_until=self.admit_until,
            admitted_at=self.admitted_at,
            is_inside=self.is_inside,
        )


def kept_code(code: str) -> str:
    """Return a scanned text as it is kept: foreign symbols can be long."""
    return code.strip()[:CODE_LENGTH]


def find_seat(session: Session, code: str) -> Seat | None:
    """Return the seat of a signed QR text, one from before signing, or a typed short code.

    None when there is none, or when no good key of ours signed it. One statement.
    """
    text = code.strip()
    if short := read_short_code(text):
        return _find(session, _BY_SHORT_CODE, short)
    signed = parse_code(text.upper())
    if signed is None:
        return _find(session, _BY_QR_TEXT, text.upper())
    return _find(session, _BY_SEAT_ID, signed.seat.seat_id, signed)


def find_seat_by_id(session: Session, seat_id: int) -> Seat | None:
    """Return the seat of a code that a phone has verified and not kept."""
    return _find(session, _BY_SEAT_ID, seat_id)


def find_seat_by_beginning(session: Session, code: str) -> Seat | None:
    """Return the seat of a code that a phone could not verify, of which it kept the beginning.

    That holds enough of the signature to tell whose it was, but admits nobody.
    """
    begins = _BEGINNING.fullmatch(code.upper())
    return _find(session, _BY_BEGINNING, begins[1]) if begins else None


def _find(
    session: Session,
    statement: sa.Select[*tuple[Any, ...]],
    wanted: str | int,
    signed: SignedCode | None = None,
) -> Seat | None:
    values = {"wanted": wanted, "key_id": signed.seat.key_id if signed else None}
    row = session.connection().execute(statement, values).one_or_none()
    if row is None or (signed and not _is_true(signed, row.public_key)):
        return None
    return _seat(row)


def _is_true(signed: SignedCode, public_key: str | None) -> bool:
    """Tell whether this key, hex, signed the code; a revoked key is None."""
    if public_key is None:
        return False
    return signed.is_true({signed.seat.key_id: bytes.fromhex(public_key)})


def _seat(row: sa.Row[*tuple[Any, ...]]) -> Seat:
    return Seat(
        e_ticket_id=row.id,
        seat_id=row.seat_id,
        code=row.code,
        qr_text=row.qr_text,
        attendee=row.attendee,
        ticket_id=row.ticket_id,
        ticket_type=row.type,
        admit_from=row.admit_from,
        admit_until=row.admit_until,
        admitted_at=row.admitted_at,
        admitted_gate=row.admitted_gate,
        is_inside=row.is_inside,
        revoked_at=row.revoked_at,
        is_order_paid=row.status is OrderStatus.PAID,
        created_at=row.created_at,
        latest_at=row.latest_at,
    )


def find_gate(session: Session, name: str | None, near: Gate | None) -> GateRules:
    """Return the rules of the gate with this name; `near` is one at hand that may be it.

    One that is out of use keeps its rules: its name never becomes one that admits all.
    """
    if name is None:
        return GateRules()
    if near is not None and near.name == name:
        return GateRules.of(near)
    row = session.connection().execute(_GATE, {"name": name}).one_or_none()
    if row is None:
        return GateRules()
    return GateRules(tuple(row.ticket_ids), row.opens_at, row.closes_at, row.has_reentry)


def latest_passing(e_ticket_id: sa.ColumnElement[int] | int) -> sa.Select[datetime]:
    """Select when a seat last passed in or out, as far as that stands."""
    return sa.select(sa.func.max(CheckIn.happened_at)).where(
        CheckIn.e_ticket_id == e_ticket_id,
        CheckIn.result == ScanResult.ADMITTED,
        CheckIn.undone_at.is_(None),
    )


_SEAT = (
    sa.select(
        _SEATS.c.id,
        _SEATS.c.seat_id,
        _SEATS.c.code,
        _SEATS.c.qr_text,
        _SEATS.c.attendee,
        _SEATS.c.ticket_id,
        _KINDS.c.type,
        _KINDS.c.admit_from,
        _KINDS.c.admit_until,
        _SEATS.c.admitted_at,
        _SEATS.c.admitted_gate,
        _SEATS.c.is_inside,
        _SEATS.c.revoked_at,
        _ORDERS.c.status,
        _SEATS.c.created_at,
        latest_passing(_SEATS.c.id).correlate(_SEATS).scalar_subquery().label("latest_at"),
        sa.select(SigningKey.public_key)
        .where(SigningKey.id == sa.bindparam("key_id"), SigningKey.revoked_at.is_(None))
        .scalar_subquery()
        .label("public_key"),
    )
    .join(_ORDERS, _ORDERS.c.id == _SEATS.c.order_id)
    .join(_KINDS, _KINDS.c.id == _SEATS.c.ticket_id)
)
# Built once: every scan executes one of them.
_WANTED: sa.BindParameter[Any] = sa.bindparam("wanted")
_BY_SHORT_CODE = _SEAT.where(_SEATS.c.code == _WANTED)
_BY_QR_TEXT = _SEAT.where(_SEATS.c.qr_text == _WANTED)
_BY_SEAT_ID = _SEAT.where(_SEATS.c.seat_id == _WANTED)
_BY_BEGINNING = _SEAT.where(_SEATS.c.qr_text.startswith(_WANTED))

_GATE = sa.select(Gate.ticket_ids, Gate.opens_at, Gate.closes_at, Gate.has_reentry).where(
    Gate.name == sa.bindparam("name")
)

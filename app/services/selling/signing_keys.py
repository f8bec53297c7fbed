"""The keys that sign e-tickets: made when first needed, rotated and revoked by command."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.extensions import key_box
from app.integrations.signing import (
    LAST_KEY_ID,
    SeatCode,
    UnreadableKey,
    new_key_pair,
    parse_code,
    sign_code,
)
from app.models import ETicket, ReplacedSeat, SigningKey, Ticket
from app.models.codes import new_seat_id
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import reading, transaction, use_case

log = logging.getLogger(__name__)


class NoSuchKey(ValueError):
    """There is no key with this id."""


class KeysExhausted(Exception):
    """All 255 key ids are taken."""


@dataclass(frozen=True)
class Signer:
    """A key that may sign: its id, and its 32 private bytes."""

    key_id: int
    private_key: bytes


@dataclass(frozen=True)
class KeyOverview:
    """A key as a person lists it."""

    key_id: int
    public_key: str
    state: str  # "active", "retired" or "revoked"
    created_at: datetime


def get_signer(session: Session, now: datetime) -> Signer:
    """Return the newest active key, made here if there is none: part of the caller's transaction.

    One that was sealed under another SECRET_KEY cannot sign here: another one is made, so that
    nobody who paid waits for an e-ticket. It stays active, as two machines whose SECRET_KEYs
    differ would else retire each other's key at every sale. Raises KeysExhausted.
    """
    for _ in range(3):
        # Before the active keys: if another transaction adds one in between, either it is seen
        # among them, or the next id is the one it took.
        last_id = session.scalar(sa.select(sa.func.max(SigningKey.id))) or 0
        active = session.scalars(_active()).all()
        for key in active:
            with suppress(UnreadableKey):
                return Signer(key.id, key_box.unseal(key.sealed_key or ""))
        if made := _add(session, last_id, now):
            if active:
                log.error(
                    "signing key %d was made: SECRET_KEY has changed, or differs between machines",
                    made.id,
                )
            return Signer(made.id, key_box.unseal(made.sealed_key or ""))
        # another transaction was faster: read what it made
    raise KeysExhausted


@use_case
def rotate(*, by: By, now: datetime) -> int:
    """Make a new key and retire the active ones; their codes stay good. Returns the new id."""
    with transaction() as session:
        for key in session.scalars(_active().with_for_update()):
            _retire(key, now)
        session.flush()
        key_id = get_signer(session, now).key_id
        _note(session, "signing_key.rotated", key_id, by, now)
        return key_id


@use_case
def revoke(key_id: int, *, by: By, now: datetime) -> int:
    """Make every code of a key worthless, for a private key that got out. Raises NoSuchKey.

    Returns how many seats it signed: they need new codes (`reissue`).
    """
    with transaction() as session:
        key = session.get(SigningKey, key_id, with_for_update=True)
        if key is None:
            raise NoSuchKey(key_id)
        _retire(key, now)
        if key.revoked_at is None:
            key.revoked_at = now
            _note(session, "signing_key.revoked", key_id, by, now)
        return len(_seats_of(session, key_id))


@use_case
def reissue(key_id: int, *, by: By, now: datetime) -> list[int]:
    """Give every standing seat of a revoked key a new id and code, unless it entered already.

    The old ids are remembered: phones may still tell of entries by them.
    Returns the ids of the orders whose buyers must be sent their e-tickets again. Raises NoSuchKey.
    """
    with transaction() as session:
        key = session.get(SigningKey, key_id)
        if key is None or key.revoked_at is None:
            raise NoSuchKey(key_id)
        signer = get_signer(session, now)
        orders = set()
        for seat in _seats_of(session, key_id):
            if seat.admitted_at is None:
                session.add(ReplacedSeat(seat_id=seat.seat_id, e_ticket_id=seat.id, created_at=now))
                seat.seat_id = new_seat_id()
                seat.qr_text = sign_seat(seat.seat_id, seat.ticket, signer)
                orders.add(seat.order_id)
        _note(session, "signing_key.reissued", key_id, by, now)
        return sorted(orders)


def list_keys() -> list[KeyOverview]:
    """Return all keys, the oldest first."""
    with reading() as session:
        keys = session.scalars(sa.select(SigningKey).order_by(SigningKey.id))
        return [KeyOverview(k.id, k.public_key, _state(k), k.created_at) for k in keys]


def public_keys(session: Session) -> dict[int, bytes]:
    """Return the public keys whose codes are good, by id."""
    good = sa.select(SigningKey.id, SigningKey.public_key).where(SigningKey.revoked_at.is_(None))
    return {key_id: bytes.fromhex(public) for key_id, public in session.execute(good)}


def revoked_keys(session: Session) -> dict[int, bytes]:
    """Return the public keys whose codes are worthless, by id."""
    bad = sa.select(SigningKey.id, SigningKey.public_key)
    bad = bad.where(SigningKey.revoked_at.is_not(None))
    return {key_id: bytes.fromhex(public) for key_id, public in session.execute(bad)}


def sign_seat(seat_id: int, ticket: Ticket, signer: Signer) -> str:
    """Return what the QR of a seat holds; the period is what the ticket says today."""
    seat = SeatCode(signer.key_id, seat_id, ticket.id, ticket.admit_from, ticket.admit_until)
    return sign_code(seat, signer.private_key)


def _note(session: Session, action: str, key_id: int, by: By, now: datetime) -> None:
    subject = Subject("signing_key", str(key_id))
    audit.record(session, actor=by, action=action, subject=subject, now=now)


def _seats_of(session: Session, key_id: int) -> list[ETicket]:
    """Return the standing seats a key signed: the id is the first byte of their codes."""
    standing = sa.select(ETicket).where(ETicket.revoked_at.is_(None)).order_by(ETicket.id)
    found = ((seat, parse_code(seat.qr_text)) for seat in session.scalars(standing))
    return [seat for seat, code in found if code and code.seat.key_id == key_id]


def _active() -> sa.Select[SigningKey]:
    is_active = SigningKey.retired_at.is_(None), SigningKey.revoked_at.is_(None)
    return sa.select(SigningKey).where(*is_active).order_by(SigningKey.id.desc())


def _add(session: Session, last_id: int, now: datetime) -> SigningKey | None:
    """Make a key with the next id; None when another transaction took that id meanwhile."""
    if last_id >= LAST_KEY_ID:
        raise KeysExhausted
    private_key, public_key = new_key_pair()
    key = SigningKey(
        id=last_id + 1,
        public_key=public_key.hex(),
        sealed_key=key_box.seal(private_key),
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(key)
    except IntegrityError:
        return None
    return key


def _retire(key: SigningKey, now: datetime) -> None:
    key.retired_at = key.retired_at or now
    key.sealed_key = None  # what is not there cannot get out


def _state(key: SigningKey) -> str:
    if key.revoked_at:
        return "revoked"
    return "retired" if key.retired_at else "active"

"""Places in line: taking one, coming in when it is called, and ordering once with it."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.fair_door_settings import FairDoorSettings
from app.models import FairDoor, FairDoorPlace, IdempotencyKey, Order, OrderStatus
from app.services.running.transaction import affected, insert, reading, transaction, use_case
from app.services.waiting.admission import ensure_door
from app.services.waiting.look import Look, Place
from app.services.waiting.refusals import ProofNeeded, SeatLimitReached, TurnUsed

if TYPE_CHECKING:
    from app.services.waiting.proofs import Proof

KEY_BYTES = 16
FORM = "form"  # the scope in which the checkout's forms keep their orders apart


@dataclass(frozen=True)
class Turn:
    """A visitor who was let in, until when the checkout is open to them."""

    door_id: int
    place_id: int
    until: datetime


@dataclass(frozen=True)
class Wanted:
    """What an order would take: seats, and digests of who orders, so that no place names anybody.

    `order_key` is the form's one-time token.
    """

    order_key: str
    email_key: str
    phone_key: str
    seats: int


@use_case
def take_place(now: datetime, settings: FairDoorSettings, proof: "Proof | None" = None) -> Place:
    """Put one more visitor at the end of the line, or among those waiting for the lot.

    Raises ProofNeeded when the lot asks for a proof and none, or one used before, was given; Busy.
    """
    ensure_door(now, settings)
    key = secrets.token_urlsafe(KEY_BYTES)
    newest = sa.select(FairDoor.id, FairDoor.drawn_at).order_by(FairDoor.id.desc()).limit(1)
    with transaction() as session:
        # Shared with the others who come, and never held while the lot is drawn: or a place with a
        # low id could appear after it. Alone with a proof: two places for it see each other.
        door_id, drawn_at = session.execute(newest.with_for_update(read=proof is None)).one()
        if settings.has_proof_of_work and drawn_at is None:
            key = _unused_key(session, proof)
        place_id = insert(session, FairDoorPlace, door_id=door_id, key=key, made_at=now)
    return Place(door_id, place_id, key)


@use_case
def enter(place: Place, look: Look, now: datetime, settings: FairDoorSettings) -> Turn | None:
    """Let a visitor in whose place is called; None when it is not, or its turn is over.

    Who is in already gets the same turn again, never a longer one. Raises Busy.
    """
    number = look.number(place)
    if number is None or number >= look.door.admitted:
        return None
    mine = (FairDoorPlace.id == place.id, FairDoorPlace.key == place.key)
    with reading() as session:
        entered_at = session.scalar(sa.select(FairDoorPlace.entered_at).where(*mine))
    if entered_at is None and look.is_called(number):
        with transaction() as session:
            first = sa.update(FairDoorPlace).where(*mine, FairDoorPlace.entered_at.is_(None))
            affected(session, first.values(entered_at=now, number=number))
        with reading() as session:
            entered_at = session.scalar(sa.select(FairDoorPlace.entered_at).where(*mine))
    if entered_at is None or entered_at + settings.turn <= now:
        return None
    return Turn(place.door_id, place.id, entered_at + settings.turn)


@use_case
def claim(turn: Turn, wanted: Wanted, now: datetime, settings: FairDoorSettings) -> None:
    """Use the turn for this form's order, before it is placed.

    Raises TurnUsed when another form has it, SeatLimitReached, Busy. Written first and counted
    after that commit: of two orders of one person at once, at least one sees the other.
    """
    with transaction() as session:
        free = FairDoorPlace.order_key.is_(None) | (FairDoorPlace.order_key == wanted.order_key)
        mine = sa.update(FairDoorPlace).where(
            FairDoorPlace.id == turn.place_id,
            FairDoorPlace.entered_at > now - settings.turn,
            free,
        )
        if affected(session, mine.values(**vars(wanted))) != 1:
            raise TurnUsed
    with reading() as session:
        taken = _taken(session, turn, wanted, now, settings)
    if taken + wanted.seats > settings.seats_per_person:
        release(turn, wanted.order_key)
        raise SeatLimitReached(settings.seats_per_person, taken)


@use_case
def release(turn: Turn, order_key: str) -> None:
    """Give the turn back to its visitor when no order was made with it. Raises Busy."""
    made = sa.select(IdempotencyKey.id).where(
        IdempotencyKey.scope == FORM, IdempotencyKey.key == order_key
    )
    with transaction() as session:
        mine = sa.update(FairDoorPlace).where(
            FairDoorPlace.id == turn.place_id, FairDoorPlace.order_key == order_key, ~made.exists()
        )
        nothing = {"order_key": None, "email_key": None, "phone_key": None, "seats": None}
        affected(session, mine.values(nothing))


def contact_key(secret: str, kind: str, contact: str) -> str:
    """Return a digest by which a contact is known again; `kind` is `email` or `phone`."""
    words = f"{kind}:{contact.strip().lower()}".encode()
    return hmac.new(secret.encode(), words, hashlib.sha256).hexdigest()


def _unused_key(session: Session, proof: "Proof | None") -> str:
    """Return the key a proof gives its place. Raises ProofNeeded."""
    if proof is None:
        raise ProofNeeded
    # Only places younger than the challenge can have been made with it: few rows, found by id.
    used = sa.select(FairDoorPlace.id).where(
        FairDoorPlace.id > proof.newest, FairDoorPlace.key == proof.key
    )
    if session.scalar(used.limit(1)) is not None:
        raise ProofNeeded
    return proof.key


def _taken(
    session: Session, turn: Turn, wanted: Wanted, now: datetime, settings: FairDoorSettings
) -> int:
    """Return the seats others' turns hold, paid for or are about to order for this person."""
    key = (IdempotencyKey.scope == FORM) & (IdempotencyKey.key == FairDoorPlace.order_key)
    is_kept = Order.status.in_((OrderStatus.PENDING, OrderStatus.PAID))
    is_coming = Order.id.is_(None) & (FairDoorPlace.entered_at > now - settings.turn)
    same = sa.or_(
        FairDoorPlace.email_key == wanted.email_key, FairDoorPlace.phone_key == wanted.phone_key
    )
    query = (
        sa.select(sa.func.sum(FairDoorPlace.seats))
        .outerjoin(IdempotencyKey, key)
        .outerjoin(Order, Order.id == IdempotencyKey.order_id)
        .where(FairDoorPlace.door_id == turn.door_id, FairDoorPlace.id != turn.place_id)
        .where(same, is_kept | is_coming)
    )
    return int(session.scalar(query) or 0)

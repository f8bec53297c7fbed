"""Admission: the lot at the opening, and the line moving on; one writer at a time."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.fair_door_settings import FairDoorSettings
from app.models import CallPace, FairDoor, FairDoorPlace, FairDoorStep, Payment, PaymentStatus
from app.services.running.transaction import insert, reading, transaction, use_case
from app.services.waiting.line import (
    EXPECTED,
    called_by,
    last_place,
    line_length,
    read_seats,
)
from app.services.waiting.pace import CALM_US, MINUTE_US, due, next_rate, room

FIRST = 1
SEED_BYTES = 32
# Invoices a minute before Xendit has told how many it makes (facts 1.3).
UNTIL_TOLD = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@use_case
def move_on(
    now: datetime,
    settings: FairDoorSettings,
    *,
    is_pressed: bool = False,
    taken_at: datetime | None = None,
) -> None:
    """Open the door when it is time, and call those whose turn it is.

    Writes nothing when nobody can be called. `is_pressed`: the service refused somebody because
    it was busy. `taken_at`: when no seat was left, the last time one looked. Raises Busy.
    """
    ensure_door(now, settings)
    with reading() as session:
        if not is_pressed and not _may_move(session, now, settings):
            return
    with transaction() as session:
        door = lock_door(session)
        _open(session, door, now, settings)
        if door.drawn_at is not None and door.is_on and not door.is_paused:
            _adapt(session, door, _us(now), settings, is_pressed)
            _call(session, door, now, partial(_choosing, session, door, now, settings, taken_at))


def ensure_door(now: datetime, settings: FairDoorSettings) -> None:
    """Make the first line when there is none yet."""
    with reading() as session:
        if session.scalar(sa.select(FairDoor.id).limit(1)) is not None:
            return
    try:
        with transaction() as session:
            insert(session, FairDoor, id=FIRST, per_minute=settings.per_minute, created_at=now)
    except IntegrityError:
        return  # another process made it meanwhile


def lock_door(session: Session) -> FairDoor:
    """Return the line in use; whoever takes a place or moves the line waits for this."""
    newest = sa.select(FairDoor).order_by(FairDoor.id.desc()).limit(1).with_for_update()
    return session.scalars(newest, execution_options={"populate_existing": True}).one()


def _may_move(session: Session, now: datetime, settings: FairDoorSettings) -> bool:
    """Tell whether there is anything to do, without a lock: mostly there is not."""
    door = session.scalars(sa.select(FairDoor).order_by(FairDoor.id.desc()).limit(1)).one()
    if door.drawn_at is None:
        return _is_time(door, now, settings)
    length = line_length(session, door.lot_size, door.lot_last)
    return door.is_on and not door.is_paused and door.admitted < length


def _is_time(door: FairDoor, now: datetime, settings: FairDoorSettings) -> bool:
    opens_at = door.opens_at or settings.opens_at
    return opens_at is None or opens_at <= now


def _open(session: Session, door: FairDoor, now: datetime, settings: FairDoorSettings) -> None:
    """Draw the lot, once and for all; its seed did not exist before."""
    if door.drawn_at is not None or not _is_time(door, now, settings):
        return
    mine = sa.select(sa.func.count()).where(FairDoorPlace.door_id == door.id)
    door.lot_last = last_place(session)
    door.lot_size = session.scalar(mine) or 0
    door.seed = secrets.token_hex(SEED_BYTES)
    door.drawn_at = now
    door.ticked_us = _us(now) - MINUTE_US // door.per_minute  # the first one need not wait


def _call(session: Session, door: FairDoor, now: datetime, choosing: Callable[[], int]) -> None:
    at = _us(now)
    allowed, ticked = due(door.ticked_us, at, door.per_minute)
    waiting = line_length(session, door.lot_size, door.lot_last) - door.admitted
    number = min(allowed, waiting)
    if number > 0:
        number = min(number, room(read_seats(session, now), choosing()))
    if number > 0:
        door.ticked_us = ticked if number == allowed else at
        door.admitted += number
        insert(session, FairDoorStep, door_id=door.id, at=now, admitted=door.admitted)
    elif ticked < door.ticked_us:
        door.ticked_us = ticked  # it was set by a clock that was wrong


def _choosing(
    session: Session,
    door: FairDoor,
    now: datetime,
    settings: FairDoorSettings,
    taken_at: datetime | None,
) -> int:
    """Return how many were called and are still expected, or are at the checkout.

    Who stood there when all was taken has heard so, and mostly left: their turn goes on, and what
    comes back later is for the next in line too.
    """
    expected = called_by(session, door.id, now - EXPECTED)
    mine = sa.select(sa.func.count()).where(FairDoorPlace.door_id == door.id)
    came = session.scalar(mine.where(FairDoorPlace.number >= expected)) or 0
    since = now - settings.turn
    if taken_at is not None:
        since = max(since, min(taken_at, now - EXPECTED))
    inside = mine.where(FairDoorPlace.entered_at > since, FairDoorPlace.order_key.is_(None))
    return door.admitted - expected - came + (session.scalar(inside) or 0)


def _adapt(
    session: Session, door: FairDoor, at: int, settings: FairDoorSettings, is_pressed: bool
) -> None:
    """Halve the rate under pressure, else let it grow; at most once in a while either way."""
    most = door.most_per_minute or settings.per_minute
    is_calm = abs(at - door.slowed_us) >= CALM_US
    is_pressed = is_pressed or (is_calm and _has_long_line(session))
    if is_calm or door.per_minute > most:
        door.per_minute = next_rate(door.per_minute, most, is_pressed=is_pressed and is_calm)
    if is_calm and is_pressed:
        door.slowed_us = at


def _has_long_line(session: Session) -> bool:
    """Tell whether a minute's worth of orders waits for Xendit to make their invoices."""
    interval = session.scalar(sa.select(sa.func.max(CallPace.interval_us)))
    a_minute = MINUTE_US // interval if interval else UNTIL_TOLD
    waiting = sa.select(sa.func.count()).where(
        Payment.invoice_id.is_(None), Payment.status == PaymentStatus.PENDING
    )
    return (session.scalar(waiting) or 0) > a_minute


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND

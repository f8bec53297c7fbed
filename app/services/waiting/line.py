"""The line as the database has it: the door in use, who waits, what is left to be had."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import FairDoor, FairDoorPlace, FairDoorStep, Quota, Ticket, TicketStock
from app.services.running.transaction import reading, use_case
from app.services.waiting.pace import Seats

# Phones sleep: who was called and does not come for this long is passed over.
SHOW_UP = timedelta(minutes=5)
# An open page asks twice a minute: who has not come by then keeps nobody else from coming.
EXPECTED = timedelta(minutes=1)
RECENT = timedelta(minutes=1)


@dataclass(frozen=True)
class Door:
    """The row of the line in use, as `FairDoor` describes it."""

    id: int
    is_on: bool
    is_paused: bool
    opens_at: datetime | None
    seed: str | None
    drawn_at: datetime | None
    lot_last: int | None
    lot_size: int
    admitted: int
    per_minute: int
    most_per_minute: int | None


@dataclass(frozen=True)
class Line:
    """How long the line is, counted from its very first; `recent` were called a minute ago.

    Whoever stands before `lapsed` was called so long ago that the place is lost.
    """

    length: int
    lapsed: int
    recent: int


@use_case
def read_line(now: datetime) -> tuple[Door, Line, Seats]:
    """Return the line in use; there must be one. Raises Busy."""
    columns = [getattr(FairDoor, name) for name in Door.__annotations__]
    newest: sa.Select[Any] = sa.select(*columns).order_by(FairDoor.id.desc()).limit(1)
    with reading() as session:
        door = Door(*session.execute(newest).one())
        recent = called_by(session, door.id, now - RECENT)
        lapsed = called_by(session, door.id, now - SHOW_UP)
        length = line_length(session, door.lot_size, door.lot_last)
        return door, Line(length, lapsed, recent), read_seats(session, now)


@use_case
def read_lot_keys(door: Door) -> list[str]:
    """Return the keys of all places that were made before the opening. Raises Busy."""
    mine = sa.select(FairDoorPlace.key).where(
        FairDoorPlace.door_id == door.id, FairDoorPlace.id <= door.lot_last
    )
    with reading() as session:
        return list(session.scalars(mine))


@use_case
def read_newest() -> int:
    """Return the id of the newest place of all, 0 without any. Raises Busy."""
    with reading() as session:
        return last_place(session)


def called_by(session: Session, door_id: int, moment: datetime) -> int:
    """Return how many had been called by then."""
    steps = sa.select(FairDoorStep.admitted).where(
        FairDoorStep.door_id == door_id, FairDoorStep.at <= moment
    )
    return session.scalar(steps.order_by(FairDoorStep.at.desc()).limit(1)) or 0


def line_length(session: Session, lot_size: int, lot_last: int | None) -> int:
    """Return how many places the line has had; before the opening it has none."""
    if lot_last is None:
        return 0
    return lot_size + last_place(session) - lot_last


def last_place(session: Session) -> int:
    """Return the id of the newest place of all."""
    return session.scalar(sa.select(sa.func.max(FairDoorPlace.id))) or 0


def read_seats(session: Session, now: datetime) -> Seats:
    """Return what is on sale at this moment; only a look, it holds nothing.

    Tickets that draw on one quota have no more left than it has.
    """
    own = TicketStock.amount - TicketStock.held - TicketStock.sold
    shared = Quota.amount - Quota.held - Quota.sold
    columns: tuple[Any, ...] = (
        sa.func.sum(own),
        sa.func.sum(TicketStock.held),
        sa.func.max(shared),
    )
    stock = sa.select(*columns).select_from(sa.join(Ticket, TicketStock).outerjoin(Quota))
    is_on_sale = Ticket.retired_at.is_(None), Ticket.valid_from <= now, Ticket.valid_until > now
    rows = session.execute(stock.where(*is_on_sale).group_by(TicketStock.quota_id)).all()
    left = sum(int(own if shared is None else min(own, shared)) for own, _, shared in rows)
    return Seats(left, sum(int(held) for _, held, _ in rows), is_on_sale=bool(rows))

"""What staff change while the fair door is at work; every process sees it within a second."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.fair_door_settings import FairDoorSettings
from app.models import FairDoor
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import insert, transaction, use_case
from app.services.waiting.admission import ensure_door, lock_door


class AlreadyDrawn(Exception):
    """The lot was drawn: its line goes on, and only a new one can open at another time."""


class SwitchedMeanwhile(Exception):
    """The line is not as the page showed it: somebody else switched it, or began a new one."""


@use_case
def switch(
    now: datetime,
    settings: FairDoorSettings,
    *,
    by: By,
    seen: Mapping[str, Any] | None = None,
    **values: Any,
) -> None:
    """Change `is_on`, `is_paused` or `most_per_minute` of the line in use.

    `seen` is what a page showed of it, by column. Raises SwitchedMeanwhile, Busy.
    """
    ensure_door(now, settings)
    with transaction() as session:
        _change(session, _lock(session, seen), values, by, now)


@use_case
def open_at(
    moment: datetime,
    now: datetime,
    settings: FairDoorSettings,
    *,
    by: By,
    seen: Mapping[str, Any] | None = None,
) -> None:
    """Set another opening; places taken until then stay.

    Raises AlreadyDrawn, SwitchedMeanwhile, Busy.
    """
    ensure_door(now, settings)
    with transaction() as session:
        door = _lock(session, seen)
        if door.drawn_at is not None:
            raise AlreadyDrawn
        _change(session, door, {"opens_at": moment}, by, now)


@use_case
def begin_new_line(
    moment: datetime | None,
    now: datetime,
    settings: FairDoorSettings,
    *,
    by: By,
    seen: Mapping[str, Any] | None = None,
) -> None:
    """End the line in use and its places, and begin one for another sale.

    Raises SwitchedMeanwhile, Busy.
    """
    ensure_door(now, settings)
    with transaction() as session:
        _lock(session, seen)
        number = (session.scalar(sa.select(sa.func.max(FairDoor.id))) or 0) + 1
        values = {"opens_at": moment, "per_minute": settings.per_minute, "created_at": now}
        insert(session, FairDoor, id=number, **values)
        subject = Subject("fair_door", str(number))
        after = {"opens_at": moment}
        audit.record(
            session, actor=by, action="fair_door.begun_anew", subject=subject, after=after, now=now
        )


def _lock(session: Session, seen: Mapping[str, Any] | None) -> FairDoor:
    """Return the line in use, locked, if it is as it was `seen`. Raises SwitchedMeanwhile."""
    door = lock_door(session)
    if seen and any(getattr(door, name) != value for name, value in seen.items()):
        raise SwitchedMeanwhile
    return door


def _change(
    session: Session, door: FairDoor, values: dict[str, Any], by: By, now: datetime
) -> None:
    """Change the line and say so in the audit log; what is so already is no change."""
    before = {name: getattr(door, name) for name in values}
    for name, value in values.items():
        setattr(door, name, value)
    audit.record(
        session,
        actor=by,
        action="fair_door.changed",
        subject=Subject("fair_door", str(door.id)),
        before=before,
        after=values,
        now=now,
    )

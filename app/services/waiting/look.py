"""What a process knows of the line: one look, at most a second old, answers all who ask."""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.errors import Busy
from app.extensions import db
from app.fair_door_settings import FairDoorSettings
from app.services.running.per_engine import per_engine
from app.services.waiting import admission
from app.services.waiting.line import Door, Line, read_line, read_lot_keys
from app.services.waiting.lot import NO_LOT, Lot
from app.services.waiting.pace import Seats

SEEN_FOR = timedelta(seconds=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A visitor's place as its cookie says: of which line, its id, and its secret key."""

    door_id: int
    id: int
    key: str


@dataclass(frozen=True)
class Look:
    """The line at the moment `at`; places below `lapsed` were called too long ago."""

    at: datetime
    door: Door
    line: Line
    lot: Lot
    seats: Seats
    opens_at: datetime | None

    @property
    def is_on(self) -> bool:
        return self.door.is_on

    @property
    def is_open(self) -> bool:
        return self.door.drawn_at is not None

    def number(self, place: Place) -> int | None:
        """Return how many stand before the place, from the line's first; None: it is not in it."""
        door = self.door
        if place.door_id != door.id or door.lot_last is None:
            return None
        if place.id > door.lot_last:
            return door.lot_size + place.id - door.lot_last - 1
        return self.lot.number(place.key)

    def is_called(self, number: int) -> bool:
        """Tell whether the place with this number may come in now."""
        return self.line.lapsed <= number < self.door.admitted


class Watch:
    """Keeps the last look of one database; many threads may ask at once."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._looked_at: datetime | None = None
        self._last: Look | None = None
        self._was_busy = False
        self._taken_at: datetime | None = None

    def note_busy(self) -> None:
        """Have the line slow down: a request was refused because the service is busy."""
        self._was_busy = True

    def seen(self, now: datetime) -> Look | None:
        """Return what to answer with, without asking the database.

        None at most once a second: whoever gets it should call `renew`.
        """
        if self._last is None or self._is_fresh(now):
            return self._last
        with self._turn:
            if not self._is_fresh(now):
                self._looked_at = now
                return None
        return self._last

    def look(self, now: datetime, settings: FairDoorSettings) -> Look:
        """Return how the line stands; whoever comes first in a second moves it on and looks.

        The others are answered with what was seen before, also while the database is away. Raises
        Busy when nothing was ever seen.
        """
        return self.seen(now) or self.renew(now, settings)

    def renew(self, now: datetime, settings: FairDoorSettings) -> Look:
        """Move the line on and look now; while another does, what was seen before is good enough.

        Raises Busy.
        """
        is_first = self._last is None
        if not self._guard.acquire(blocking=is_first):
            return self._last or self.renew(now, settings)
        try:
            if is_first and self._last is not None:
                return self._last  # others waited for this very first look, too
            return self._renew(now, settings)
        finally:
            self._guard.release()

    def _is_fresh(self, now: datetime) -> bool:
        # Either way: threads that waited for this look hold times a little older than it.
        return self._looked_at is not None and abs(now - self._looked_at) < SEEN_FOR

    def _renew(self, now: datetime, settings: FairDoorSettings) -> Look:
        self._looked_at = now  # also when it fails: the next try is a second away
        was_busy, self._was_busy = self._was_busy, False
        try:
            admission.move_on(now, settings, is_pressed=was_busy, taken_at=self._taken_at)
            self._last = self._read(now, settings)
            if self._last.seats.left <= 0:
                self._taken_at = now
        except Busy as error:
            if self._last is None:
                raise
            log.warning("the line could not be looked at: %r", error.__cause__)
        return self._last

    def _read(self, now: datetime, settings: FairDoorSettings) -> Look:
        door, line, seats = read_line(now)
        last = self._last
        lot = last.lot if last and last.door.id == door.id and last.is_open else NO_LOT
        if door.seed and lot is NO_LOT and door.lot_size:
            lot = Lot(door.seed, read_lot_keys(door))
        return Look(now, door, line, lot, seats, door.opens_at or settings.opens_at)


def watch() -> Watch:
    """Return this process' watch over the application's database."""
    return _watch_of(db.engine)


@per_engine
def _watch_of(_engine: sa.Engine) -> Watch:
    return Watch()

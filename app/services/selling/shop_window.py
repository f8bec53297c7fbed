"""The catalogue for the many who look: one reading is shown to all who come within a second."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from app.extensions import db
from app.services.selling.catalogue import TicketOnSale, list_tickets

# How old what is shown may be: what another process sold meanwhile is not seen sooner. What this
# process committed is seen at once.
LONGEST_AGE = timedelta(seconds=1)
# A reader that hangs holds up the others no longer than this; then each reads for itself.
PATIENCE_SECONDS = 1.0

Read = Callable[[datetime], list[TicketOnSale]]


@dataclass(frozen=True)
class _Look:
    """What one reading found: when it began, and after which commit of this process."""

    tickets: tuple[TicketOnSale, ...]
    began_at: datetime
    commit: object


class ShopWindow:
    """Keeps the last reading of one database; may be used by many threads at once."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._look: _Look | None = None
        self._reading = threading.Lock()

    def tickets(self, now: datetime) -> list[TicketOnSale]:
        """Return all tickets as they were at most LONGEST_AGE before `now`, in catalogue order."""
        look = self._fresh(now)
        if look is None:
            is_ours = self._reading.acquire(timeout=PATIENCE_SECONDS)
            try:
                look = self._fresh(now) or self._look_again(now)
            finally:
                if is_ours:
                    self._reading.release()
        return list(look.tickets)

    def _fresh(self, now: datetime) -> _Look | None:
        look = self._look
        if look is None or look.commit is not _commits.last:
            return None
        # Younger than nothing: the clock was set back, and the age is not known.
        is_fresh = timedelta(0) <= now - look.began_at < LONGEST_AGE
        return look if is_fresh else None

    def _look_again(self, now: datetime) -> _Look:
        commit = _commits.last  # taken first: a commit during the reading makes it old
        self._look = look = _Look(tuple(self._read(now)), now, commit)
        return look


class _Commits:
    """Marks the last commit of this process; a mark is compared, never counted."""

    def __init__(self) -> None:
        self.last = object()

    def note(self, _session: Any) -> None:
        self.last = object()


_commits = _Commits()
sa.event.listen(db.session, "after_commit", _commits.note)
_windows: WeakKeyDictionary[sa.Engine, ShopWindow] = WeakKeyDictionary()


def look_at_tickets(now: datetime) -> list[TicketOnSale]:
    """Return all tickets, upcoming and ended ones too, in catalogue order.

    At most a second old; nobody may be promised a seat on the strength of it.
    """
    window = _windows.setdefault(db.engine, ShopWindow(_read_all))
    return window.tickets(now)


def _read_all(now: datetime) -> list[TicketOnSale]:
    return list_tickets(now, include_all=True)

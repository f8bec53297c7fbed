"""The catalogue for the many who look: one reading is shown to all who come within a second."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.extensions import db
from app.models import Voucher
from app.services.running.per_engine import per_engine
from app.services.selling.catalogue import TicketOnSale, list_tickets

# How old what is shown may be: what another process sold meanwhile is not seen sooner. What this
# process committed is seen at once, unless it commits all the time.
LONGEST_AGE = timedelta(seconds=1)
# In a rush each look would find a commit since the last, and the page would be drawn for each:
# after so many readings in LONGEST_AGE the newest must do until it is that old.
MOST_READINGS = 10
# What was gone is told to be gone for so long: between two looks, and whoever commits meanwhile.
GONE_FOR = 2 * LONGEST_AGE
# A reader that hangs holds up the others no longer than this; then each reads for itself.
PATIENCE_SECONDS = 1.0

Read = Callable[[datetime], list[TicketOnSale]]
ReadHasVouchers = Callable[[], bool]


@dataclass(frozen=True)
class Look:
    """What one reading found: when it began, and after which commit of this process.

    Nothing hidden is among the tickets: what is found is shown to everybody.
    """

    tickets: tuple[TicketOnSale, ...]
    began_at: datetime
    commit: object
    has_vouchers: bool = False


class ShopWindow:
    """Keeps the last reading of one database; may be used by many threads at once."""

    def __init__(self, read: Read, read_has_vouchers: ReadHasVouchers = lambda: False) -> None:
        self._read = read
        self._read_has_vouchers = read_has_vouchers
        self._look: Look | None = None
        self._reading = threading.Lock()
        self._began: deque[datetime] = deque(maxlen=MOST_READINGS)

    def tickets(self, now: datetime) -> list[TicketOnSale]:
        """Return all tickets as they were at most LONGEST_AGE before `now`, in catalogue order."""
        return list(self.look(now).tickets)

    def look(self, now: datetime) -> Look:
        """Return what was found at most LONGEST_AGE before `now`."""
        look = self.seen(now)
        if look is None:
            is_ours = self._reading.acquire(timeout=PATIENCE_SECONDS)
            try:
                look = self.seen(now) or self._look_again(now)
            finally:
                if is_ours:
                    self._reading.release()
        return look

    def seen(self, now: datetime) -> Look | None:
        """Return the last look while it may still be shown, without looking again."""
        look = self._look
        # Younger than nothing: the clock was set back, and the age is not known.
        if look is None or not timedelta(0) <= now - look.began_at < LONGEST_AGE:
            return None
        return look if look.commit is _commits.last or self._is_rush(now) else None

    def seen_lately(self, now: datetime) -> Look | None:
        """Return the last look while it may still tell somebody no, and nobody yes."""
        look = self._look
        return look if look and timedelta(0) <= now - look.began_at < GONE_FOR else None

    def _is_rush(self, now: datetime) -> bool:
        """Tell whether there were MOST_READINGS within LONGEST_AGE."""
        began = self._began
        return len(began) == MOST_READINGS and now - began[0] < LONGEST_AGE

    def _look_again(self, now: datetime) -> Look:
        self._began.append(now)
        commit = _commits.last  # taken first: a commit during the reading makes it old
        tickets = tuple(self._read(now))
        self._look = look = Look(tickets, now, commit, self._read_has_vouchers())
        return look


class _Commits:
    """Marks the last commit of this process; a mark is compared, never counted."""

    def __init__(self) -> None:
        self.last = object()

    def note(self, _session: Any) -> None:
        self.last = object()


_commits = _Commits()
sa.event.listen(db.session, "after_commit", _commits.note)


def look_at_tickets(now: datetime) -> list[TicketOnSale]:
    """Return all tickets, upcoming and ended ones too, in catalogue order.

    At most a second old; nobody may be promised a seat on the strength of it.
    """
    return window_of(db.engine).tickets(now)


def has_vouchers(now: datetime) -> bool:
    """Tell whether there is any voucher in use, so that a code is worth asking for."""
    return window_of(db.engine).look(now).has_vouchers


@per_engine
def window_of(_engine: sa.Engine) -> ShopWindow:
    """Return this process's window on this database."""
    return ShopWindow(_read_all, _read_has_vouchers)


def _read_all(now: datetime) -> list[TicketOnSale]:
    return list_tickets(now, include_all=True)


def _read_has_vouchers() -> bool:
    return bool(db.session.scalar(sa.select(sa.exists().where(Voucher.retired_at.is_(None)))))

"""What the buyers saw: every answer, every yes, every no. Times are seconds since the opening."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and how it was answered; status 0 is no answer at all."""

    kind: str
    at: float
    seconds: float
    status: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Yes:
    """A buyer was told that seats are held: known by order code, order token or invoice."""

    email: str
    at: float
    code: str = ""
    token: str = ""
    invoice_id: str = ""


@dataclass(frozen=True, slots=True)
class No:
    """A buyer was told, between asking at `asked` and `at`, that these seats cannot be had."""

    wanted: dict[int, int]
    asked: float
    at: float


@dataclass(frozen=True, slots=True)
class Loser:
    """Somebody who left without seats, and each time they were told no: asked at, told at."""

    came: float
    heard: tuple[tuple[float, float], ...]


@dataclass
class Book:
    """All of it. Filled by one thread; `lots` counts what buyers were drawn to do."""

    opened: datetime = field(default_factory=lambda: datetime.now(UTC))
    answers: list[Answer] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    yes: list[Yes] = field(default_factory=list)
    no: list[No] = field(default_factory=list)
    paid: list[str] = field(default_factory=list)  # invoice ids that Xendit took the money for
    seen_paid: list[float] = field(default_factory=list)  # seconds from paying to the page's word
    losers: list[Loser] = field(default_factory=list)
    lots: dict[str, int] = field(default_factory=dict)
    surprises: list[str] = field(default_factory=list)
    _start: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """Return the seconds since the opening."""
        return time.monotonic() - self._start

    def when(self, moment: datetime) -> float:
        """Return an aware moment as seconds since the opening."""
        return (moment - self.opened).total_seconds()

    def moment(self, at: float) -> datetime:
        """Return seconds since the opening as an aware moment."""
        return self.opened + timedelta(seconds=at)

    def drew(self, lot: str) -> None:
        """Count what a buyer was drawn to do."""
        self.lots[lot] = self.lots.get(lot, 0) + 1

"""The stand-in's clock: the real one plus what tests moved it forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Tell the time; can be moved forward, as when a day must pass in a test."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """Return the present moment, aware UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, seconds: float) -> None:
        """Move forward by that many seconds."""
        self._ahead += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Go back to real time."""
        self._ahead = timedelta()


def iso(when: datetime) -> str:
    """Write a moment as Xendit does: ISO 8601 UTC with milliseconds and Z."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

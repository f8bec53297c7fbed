"""The only reader of the clock, so that everything else can be given a time."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the present moment as an aware UTC datetime."""
    return datetime.now(UTC)

"""Counting by the minute: what both databases take a time apart into, as whole numbers.

They are twice as fast as a time cut out of its text: nothing is written for each row.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

_PARTS = ("year", "month", "day", "hour", "minute")


def minute_of(at: InstrumentedAttribute[datetime | None]) -> list[sa.Extract]:
    """Return the columns to group a time by, one for each part of its minute."""
    return [sa.extract(part, at) for part in _PARTS]


def read_minute(parts: Iterable[int]) -> datetime:
    """Return the aware moment at which a minute began that was found by `minute_of`."""
    year, month, day, hour, minute = parts
    return datetime(year, month, day, hour, minute, tzinfo=UTC)

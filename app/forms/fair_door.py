"""What staff type about the fair door: how fast it lets in, and when it opens."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from flask_babel import lazy_gettext as _l

from app.forms.typed import Reader

MOST_PER_MINUTE = 60_000


def read_pace(values: Mapping[str, str]) -> int | None:
    """Return how many a minute at most, None for as many as the settings say.

    Raises ValidationFailed.
    """
    read = Reader({"pace": values.get("pace", "")})
    pace = read.whole_or_none("pace")
    if pace is not None and not 1 <= pace <= MOST_PER_MINUTE:
        read.refuse("pace", _l("Write a number from 1 to 60.000."))
    read.finish()
    return pace


def read_opening(values: Mapping[str, str], zone: tzinfo) -> datetime:
    """Return when it opens. Raises ValidationFailed."""
    read = Reader({"opens_at": values.get("opens_at", "")})
    moment = read.moment("opens_at", zone)
    read.finish()
    return moment

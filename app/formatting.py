"""Money and times as people read them, in the language of the moment."""

from datetime import datetime, tzinfo

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal
from flask_babel import get_locale

# Babel has no short names for Indonesia's zones; offsets there never change.
ZONE_NAMES = {7: "WIB", 8: "WITA", 9: "WIT"}
INDONESIAN_ZONES = {"Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura"}
# Keeps what is read as one on one line: an amount, a day with its month, a time with its zone.
GLUE = "\N{NO-BREAK SPACE}"


def rupiah(amount: int) -> str:
    """Return whole rupiah as `Rp 150.000` or `−Rp 150.000`, the same in both languages."""
    sign = "−" if amount < 0 else ""
    return f"{sign}Rp{GLUE}{format_decimal(abs(amount), locale='id')}"


def zone_name(when: datetime, zone: tzinfo) -> str:
    """Return the zone's name at that moment: `WIB`, or `UTC+02:00` where none is known."""
    local = when.astimezone(zone)
    offset = local.utcoffset()
    hours = int(offset.total_seconds() // 3600) if offset else 0
    if str(zone) in INDONESIAN_ZONES:
        return ZONE_NAMES[hours]
    return local.tzname() or f"UTC{local:%z}"


def event_date(when: datetime, zone: tzinfo) -> str:
    """Return `Sabtu, 23 Januari 2027` or `Saturday, 23 January 2027`."""
    return format_date(when.astimezone(zone), f"EEEE, d{GLUE}MMMM y", locale=_locale())


def event_time(when: datetime, zone: tzinfo) -> str:
    """Return `09.00 WIB` or `09:00 WIB`."""
    pattern = "HH.mm" if _locale() == "id" else "HH:mm"
    clock = format_time(when.astimezone(zone), pattern, locale=_locale())
    return f"{clock}{GLUE}{zone_name(when, zone)}"


def event_datetime(when: datetime, zone: tzinfo) -> str:
    """Return `Sabtu, 23 Januari 2027 pukul 09.00 WIB`, in words."""
    between = f" pukul{GLUE}" if _locale() == "id" else ", "
    return f"{event_date(when, zone)}{between}{event_time(when, zone)}"


def deadline(when: datetime, zone: tzinfo, *, now: datetime) -> str:
    """Return the time alone when it is today in that zone, `pukul 09.00 WIB`, else the day too."""
    if when.astimezone(zone).date() != now.astimezone(zone).date():
        return event_datetime(when, zone)
    at = f"pukul{GLUE}" if _locale() == "id" else ""
    return f"{at}{event_time(when, zone)}"


def short_datetime(when: datetime, zone: tzinfo) -> str:
    """Return `23 Jan 2027, 09.00 WIB`."""
    date = format_datetime(when.astimezone(zone), f"d{GLUE}MMM y", locale=_locale())
    return f"{date}, {event_time(when, zone)}"


def _locale() -> str:
    locale = get_locale()
    return locale.language if locale else "id"

"""The event as an iCalendar file (RFC 5545), for people's calendars."""

import uuid
from datetime import UTC

from app.clock import utcnow
from app.config import Event

PRODUCT = "-//TEDx Payment Service//EN"


def event_calendar(event: Event, *, public_url: str) -> bytes:
    """Return the event as a calendar with one entry, encoded in UTF-8.

    The entry keeps its UID while address and name stay: taking in the file of an event that was
    moved corrects the entry. Times are in UTC, right in every calendar without a zone's rules.
    """
    import icalendar  # a twentieth of a web process's start, for a file few people ask for

    entry = icalendar.Event()
    entry.add("uid", str(uuid.uuid5(uuid.NAMESPACE_URL, f"{public_url}/#{event.name}")))
    entry.add("dtstamp", utcnow())
    entry.add("dtstart", event.starts_at.astimezone(UTC))
    entry.add("dtend", event.ends_at.astimezone(UTC))
    entry.add("summary", event.name)
    entry.add("location", event.venue)
    entry.add("url", f"{public_url}/")
    organiser = icalendar.vCalAddress(f"mailto:{event.contact_email}")
    organiser.params["CN"] = event.name
    entry.add("organizer", organiser)
    if event.tagline:
        entry.add("description", event.tagline)
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add_component(entry)
    document: bytes = calendar.to_ical()
    return document

"""The event as a calendar file, read back as a calendar would."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest

from app.config import Event
from app.integrations.calendar import event_calendar
from tests.pages.shop import shop_settings

HERE = "https://tickets.example"


@pytest.fixture
def event(tmp_path: Path) -> Event:
    return shop_settings(tmp_path).event


def entry(event: Event, public_url: str = HERE) -> icalendar.Event:
    """Return the only entry of the event's file."""
    calendar = icalendar.Calendar.from_ical(event_calendar(event, public_url=public_url))
    [only] = calendar.events
    return only


def test_it_holds_what_a_calendar_shows(event: Event) -> None:
    read = entry(replace(event, venue="Gedung Senja; lantai 2, Jakarta", tagline="Gagasan, senja"))

    assert read["SUMMARY"] == "TEDxSenja Jakarta"
    assert read["LOCATION"] == "Gedung Senja; lantai 2, Jakarta"
    assert read["DESCRIPTION"] == "Gagasan, senja"
    assert read["URL"] == "https://tickets.example/"
    assert read["ORGANIZER"] == "mailto:halo@tedxsenja.example"
    assert read["ORGANIZER"].params["CN"] == "TEDxSenja Jakarta"
    assert read.DTSTAMP is not None


def test_its_times_are_utc_and_the_end_is_eight_hours_later_unless_set(event: Event) -> None:
    start = datetime(2030, 1, 26, 2, tzinfo=UTC)
    short = replace(event, ends_at=start + timedelta(hours=3))

    assert b"DTSTART:20300126T020000Z\r\n" in event_calendar(event, public_url=HERE)
    assert start + timedelta(hours=8) == entry(event).DTEND
    assert start + timedelta(hours=3) == entry(short).DTEND


def test_a_moved_event_keeps_its_uid_and_another_event_has_another(event: Event) -> None:
    moved = replace(event, starts_at=event.starts_at + timedelta(days=7), venue="Elsewhere")
    next_years = replace(event, name="TEDxSenja Jakarta 2031")

    assert entry(moved)["UID"] == entry(event)["UID"]
    assert entry(next_years)["UID"] != entry(event)["UID"]
    assert entry(event, "https://other.example")["UID"] != entry(event)["UID"]

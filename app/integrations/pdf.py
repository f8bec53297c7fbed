"""E-tickets as one PDF: a page a seat, drawn by WeasyPrint from `templates/pdf/`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import render_template
from flask_babel import force_locale

from app.formatting import event_date, event_time
from app.integrations.qr import qr_data_uri
from app.integrations.typesetting import direction, fit, printable

if TYPE_CHECKING:
    from app.integrations.press import Press

TICKETS = "tickets"  # template and sheet

# How much a line holds (halves of an em), and how many lines there is room for, at each type size
# of tickets.css: nothing a guest or the door needs may be hidden.
EVENT_LINES = ((25, 2), (30, 2), (41, 3), (56, 4))
VENUE_LINES = ((32, 2), (37, 2), (44, 3), (51, 3), (64, 4))
ATTENDEE_LINES = ((17, 2), (24, 3), (34, 4), (58, 7))
TYPE_LINES = ((19, 1), (26, 2), (42, 3))


class TicketRenderingFailed(Exception):
    """No PDF could be made; the message says why, without personal data."""


@dataclass(frozen=True)
class Seat:
    """One person's right to enter once, as printed."""

    attendee: str
    ticket_type: str
    code: str  # the short code in print, "7K2M-9QPA"
    qr_text: str
    number: int  # from 1 to the number of seats
    lane: str = ""  # the letter of its queue at the door, where there are several


@dataclass(frozen=True)
class TicketDocument:
    """What an order's PDF says; `starts_at` is aware, `locale` is "id" or "en"."""

    order_code: str
    locale: str
    event_name: str
    starts_at: datetime
    timezone: ZoneInfo
    venue: str
    contact_email: str
    seats: tuple[Seat, ...]
    accent: str = "#000000"  # of one mark; nothing depends on it


class TicketRenderer:
    """Draws e-tickets, and receipts; one object a process, safe to share between threads.

    WeasyPrint is imported by the first PDF, so that a web process that makes none stays small.
    """

    def __init__(self) -> None:
        self._lock = Lock()  # Pango's font map is not promised to be thread-safe
        self._presses: dict[str, Press] = {}

    def warm_up(self) -> None:
        """Load WeasyPrint and the fonts now, about a second, instead of with the first PDF."""
        self._write("<!doctype html><html lang=id><title>-</title><p>-</p>")

    def render(self, document: TicketDocument) -> bytes:
        """Return the PDF of an order's seats, an A4 page each, in the document's language.

        Raises `TicketRenderingFailed`.
        """
        return self.draw(TICKETS, document.locale, lambda: _context(document))

    def draw(self, name: str, locale: str, context: Callable[[], Mapping[str, object]]) -> bytes:
        """Return the PDF of `templates/pdf/<name>.html` in its sheet; the context in that language.

        Needs an application context. Loads nothing but the bundled files, whatever names hold.
        Raises `TicketRenderingFailed`.
        """
        try:
            with force_locale(locale):
                html = render_template(f"pdf/{name}.html", **context())
            return self._write(html, name)
        except Exception as error:  # WeasyPrint and what lies below it raise anything
            raise TicketRenderingFailed(type(error).__name__) from error

    def _write(self, html: str, name: str = TICKETS) -> bytes:
        from app.integrations.press import Press

        with self._lock:
            press = self._presses.get(name)
            if press is None:
                press = self._presses[name] = Press(f"{name}.css")
            return press.print(html)


def _context(document: TicketDocument) -> dict[str, object]:
    """Return what the template shows; every text is composed, and cut to its box."""
    event_name, event_size = fit(printable(document.event_name), EVENT_LINES)
    venue, venue_size = fit(printable(document.venue), VENUE_LINES)
    return {
        "locale": document.locale,
        "order_code": document.order_code,
        "event_name": event_name,
        "event_size": event_size,
        "date": event_date(document.starts_at, document.timezone),
        "time": event_time(document.starts_at, document.timezone),
        "venue": venue,
        "venue_size": venue_size,
        "contact_email": document.contact_email,
        "accent": document.accent,
        "seats": [_seat_context(seat) for seat in document.seats],
    }


def _seat_context(seat: Seat) -> dict[str, object]:
    attendee, attendee_size = fit(printable(seat.attendee), ATTENDEE_LINES)
    ticket_type, type_size = fit(printable(seat.ticket_type), TYPE_LINES)
    return {
        "number": seat.number,
        "attendee": attendee,
        "attendee_size": attendee_size,
        "attendee_direction": direction(attendee),
        "ticket_type": ticket_type,
        "type_size": type_size,
        "code": seat.code,
        "lane": seat.lane,
        "qr": qr_data_uri(seat.qr_text),
    }

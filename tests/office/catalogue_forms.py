"""Filling in the forms of the catalogue as a browser does."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient

from app.services.selling import ticket_editing
from app.services.selling.ticket_editing import TicketOverview, TicketWish
from tests.pages.html import Page
from tests.staff.office import TESTS, Office

TICKETS, QUOTAS, VOUCHERS = "/staff/tickets", "/staff/quotas", "/staff/vouchers"
WIB = ZoneInfo("Asia/Jakarta")
Typed = dict[str, Any]


def typed_time(**from_now: float) -> str:
    """Return a time as the field of a browser sends it, in the event's zone."""
    return f"{(datetime.now(WIB) + timedelta(**from_now)):%Y-%m-%dT%H:%M}"


def a_ticket(**changes: str) -> Typed:
    """Return what is typed for a ticket that is on sale."""
    return {
        "type": "Reguler",
        "description": "Satu hari penuh.",
        "price": "150.000",
        "amount": "100",
        "min_per_order": "1",
        "max_per_order": "5",
        "valid_from": typed_time(days=-1),
        "valid_until": typed_time(days=30),
        **changes,
    }


def fields(page: Page) -> Typed:
    """Return what the page's form would send as it stands."""
    sent: Typed = dict(page.fields)
    for box in page.all("input", type="checkbox"):
        sent.pop(box.attributes["name"], None)
    for box in page.all("input", type="checkbox"):
        if "checked" in box.attributes:
            sent.setdefault(box.attributes["name"], []).append(box.attributes["value"])
    for area in page.all("textarea"):
        if "name" in area.attributes:
            sent[area.attributes["name"]] = area.text
    return sent


def save(client: FlaskClient, path: str, *, drawn: Page | None = None, **typed: object) -> Page:
    """Send the form of a page with some fields changed; `drawn` is a page from before."""
    form = fields(drawn or Page(client.get(path)))
    return Page(client.post(path, data={**form, **typed}))


def press(client: FlaskClient, path: str, page: str, **sent: str) -> Page:
    """Press a button whose form stands on `page`."""
    token = Page(client.get(page)).fields["csrf_token"]
    return Page(client.post(path, data={"csrf_token": token, **sent}))


def add_ticket(office: Office, **changes: Any) -> int:
    """Put a ticket into the catalogue without the pages and return its id."""
    now = datetime.now(UTC)  # seconds and all: a form shows none of them
    usual = {
        "type": "Reguler",
        "description": "Satu hari penuh.",
        "price": 150_000,
        "amount": 100,
        "min_per_order": 1,
        "max_per_order": 5,
        "valid_from": now - timedelta(days=1),
        "valid_until": now + timedelta(days=30),
        "admit_from": None,
        "admit_until": None,
        "is_hidden": False,
        "quota_id": None,
    }
    with office.working():
        return ticket_editing.create_ticket(TicketWish(**{**usual, **changes}), by=TESTS, now=now)


def the_ticket(office: Office, ticket_id: int) -> TicketOverview:
    """Return a ticket as it is now."""
    with office.working():
        return ticket_editing.get_ticket(ticket_id, datetime.now(UTC))


def shop(office: Office) -> Page:
    """Return the catalogue as a buyer who comes now sees it."""
    return Page(office.browser().get("/"))

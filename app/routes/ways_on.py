"""Where an error page leads: back, on, or to a person who can help."""

from dataclasses import dataclass
from urllib.parse import quote

from flask import current_app, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from app.gateways import current_settings
from app.routes.addresses import split_address
from app.routes.htmx import wants_fragment
from app.routes.language import own_path

MAY_PASS = (429, 500, 503)  # the same request may be answered in a moment
NEEDS_A_PERSON = (500, 503)
STAFF = ("/staff", "/door")


@dataclass(frozen=True)
class WayOn:
    """A link; the first of several is the one most readers need."""

    address: str
    words: str


def ways_on(status: int, code: str, request_id: str) -> list[WayOn]:
    """Return what a reader of this refusal can do next, the likeliest first.

    Looks at the request alone: the database may be what is away.
    """
    found = [_again() if status in MAY_PASS or request.method == "POST" else _page_above(status)]
    if not request.path.startswith(STAFF):
        found.append(WayOn(url_for("catalogue.index"), _("To the tickets")))
    elif status in (401, 403, 404):
        found.append(WayOn(url_for("staff.home"), _("To the start page of staff")))
    if status in NEEDS_A_PERSON or code == "order_not_found":
        contact = current_settings().event.contact_email
        found.append(WayOn(f"mailto:{contact}?subject={quote(request_id)}", _("Write to us")))
    ways = [way for way in found if way]
    return [way for n, way in enumerate(ways) if way.address not in {w.address for w in ways[:n]}]


def reloads_itself(status: int) -> bool:
    """Tell whether the refusal is a whole page for people, of an address that may pass soon."""
    is_page = request.method == "GET" and not request.path.startswith("/api/")
    return status == 503 and is_page and not wants_fragment()


def what_was_typed(status: int) -> list[tuple[str, str]]:
    """Return the fields of a buyer's form that may pass when it is sent again, else nothing.

    Staff's are left out: there are passwords among them.
    """
    is_form = request.method == "POST" and not request.path.startswith(("/api/", *STAFF))
    if status != 503 or not is_form:
        return []
    return list(request.form.items(multi=True))


def reload_part() -> list[WayOn]:
    """Return the page that a part was asked for, to be loaded whole."""
    page = own_path_of(request.headers.get("HX-Current-URL"), request.host)
    return [WayOn(page or own_path(request.path, "/"), _("Load the page again"))]


def _again() -> WayOn | None:
    """Return the same page once more, or the page of the form that was sent."""
    if request.method in ("GET", "HEAD"):
        return WayOn(own_path(request.full_path.rstrip("?"), "/"), _("Try again"))
    page = own_path_of(request.referrer, request.host) or _nearest_page(request.path)
    return WayOn(page, _("Back to the form")) if page else None


def _page_above(status: int) -> WayOn | None:
    """Return the page that an address only for sending belongs to."""
    page = _nearest_page(request.path) if status == 405 else None
    return WayOn(page, _("Back to the page")) if page else None


def own_path_of(address: str | None, host: str) -> str | None:
    """Return the path and query of an address of ours, at this host; None of any other."""
    parts = split_address(address)
    if parts.netloc != host:
        return None
    return own_path(parts.path + (f"?{parts.query}" if parts.query else ""), "") or None


def _nearest_page(path: str) -> str | None:
    """Return the first address, from `path` upwards, that can be looked at; never the root."""
    adapter = current_app.create_url_adapter(request)
    while adapter is not None and len(path) > 1:
        try:
            adapter.match(path, method="GET")
        except HTTPException:
            path = path.rsplit("/", 1)[0]
        else:
            return own_path(path, "/")
    return None

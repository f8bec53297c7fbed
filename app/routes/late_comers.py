"""Who only has to be told: read from a request before Flask begins, so that they know at once.

That is who looks at the tickets, and who wants what is gone. Whether it is, is all that is told
here; what a request gets is decided where all others are answered, by the same rules.
"""

import io
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from app.clock import utcnow
from app.forms.checkout import CheckoutForm
from app.lanes import Lane
from app.models import SaleStatus
from app.services.selling.shop_window import ShopWindow
from app.services.selling.sold_out import are_gone

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CHECKOUT, ORDERS = "/checkout", "/api/orders"
FRONT = ("/", "/api/tickets")
MOST_TICKETS = 4
QUANTITY = re.compile(r"t\d{1,6}=\d{0,2}")
MOST_FIELDS = 500
BODY_MOST = 64 * 1024
PAY = re.compile(r"(?:^|&)intent=pay(?:_suggested)?(?:&|$)")


def asks_for_quantities(query: str) -> bool:
    """Tell whether a checkout's query asks for quantities and nothing else."""
    wanted = query.split("&") if query else []
    return len(wanted) <= MOST_TICKETS and all(map(QUANTITY.fullmatch, wanted))


def lane_beside(environ: "WSGIEnvironment", window: ShopWindow) -> Lane | None:
    """Return the lane of a request of the shop that only has to be told something, or None.

    What is drawn once for a crowd must not wait behind those who order, nor behind late orders: it
    is also the look that says to all of them what is gone.
    """
    is_look = environ["REQUEST_METHOD"] == "GET"
    if environ["PATH_INFO"] in FRONT:
        return Lane.FRONT if is_look and not environ.get("QUERY_STRING") else None
    if not comes_too_late(environ, window):
        return None
    return Lane.FRONT if is_look else Lane.LATE


def comes_too_late(environ: "WSGIEnvironment", window: ShopWindow) -> bool:
    """Tell whether a request is for tickets that were just seen to be gone, all of them."""
    if environ["PATH_INFO"] not in (CHECKOUT, ORDERS):
        return False
    look = window.seen_lately(utcnow())
    if look is None or all(each.status is not SaleStatus.SOLD_OUT for each in look.tickets):
        return False
    return are_gone(look.tickets, wanted_in(environ))


def wanted_in(environ: "WSGIEnvironment") -> Mapping[int, int]:
    """Return how many of which ticket id a request would order; nothing when that is not plain."""
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/checkout":
            query = environ.get("QUERY_STRING", "")
            return _chosen(query) if asks_for_quantities(query) else {}
        case "POST", "/checkout":
            body = _body_of(environ, "application/x-www-form-urlencoded")
            return _chosen(body) if PAY.search(body) else {}
        case "POST", "/api/orders":
            return _ordered(_body_of(environ, "application/json"))
    return {}


def _chosen(form: str) -> Mapping[int, int]:
    try:
        fields = parse_qsl(form, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return CheckoutForm.from_values(dict(fields)).quantities


def _ordered(body: str) -> Mapping[int, int]:
    try:
        items: list[Any] = json.loads(body)["items"]
        pairs = [(item["ticketId"], item["quantity"]) for item in items]
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    wanted: dict[int, int] = {}
    for ticket_id, quantity in pairs:
        if type(ticket_id) is not int or type(quantity) is not int:
            return {}
        wanted[ticket_id] = wanted.get(ticket_id, 0) + quantity
    return wanted


def _body_of(environ: "WSGIEnvironment", content_type: str) -> str:
    """Return the body, which stays to be read again; "" when it is long or of another kind."""
    length = environ.get("CONTENT_LENGTH") or ""
    is_short = length.isdecimal() and int(length) <= BODY_MOST
    if not is_short or environ.get("CONTENT_TYPE", "").partition(";")[0].strip() != content_type:
        return ""
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return str(body, "utf-8", "replace")

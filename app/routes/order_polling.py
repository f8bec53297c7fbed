"""How an open order page asks for news: how often, and for how long something may still come."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import request, url_for

from app.models import Order
from app.routes.order_view import TimeLeft, View
from app.services.money.invoice_line import Place
from app.services.selling.resending import TicketMail

# How long a page has waited, and the seconds between its questions until then.
POLL_PAUSES = ((30, 2), (300, 5))
LONGEST_PAUSE = 15
# A mail that takes longer is in trouble; late money mostly comes while its payer still looks.
MAIL_MAY_COME = timedelta(minutes=10)
MONEY_MAY_COME = timedelta(hours=1)
_UNPAID = (View.EXPIRED, View.CANCELLED)


@dataclass(frozen=True)
class Visit:
    """A buyer's look at the page: since when, in Unix seconds, and whether sent by Xendit."""

    since: int
    waited: timedelta
    came_back: bool

    @property
    def origin(self) -> dict[str, Any]:
        """Return what the page's address says of where the buyer came from."""
        return {"from": "xendit"} if self.came_back else {}


@dataclass(frozen=True)
class Poll:
    """How a page that waits asks for news; `seen` is what it shows already: no need to repeat."""

    url: str
    seconds: int
    seen: str


def read_visit(now: datetime) -> Visit:
    """Return what the request says of the visit; one that begins in the future begins now."""
    moment = int(now.timestamp())
    since = min(request.args.get("since", moment, type=int), moment)
    came_back = request.args.get("from") == "xendit"
    return Visit(since, timedelta(seconds=min(moment - since, 10**9)), came_back)


def next_poll(
    order: Order,
    view: View,
    *,
    visit: Visit,
    mail: TicketMail | None,
    left: TimeLeft | None,
    place: Place | None,
) -> Poll | None:
    """Return how the page asks next: eagerly while news is likely, then with growing gaps.

    None when there is nothing to wait for.
    """
    if view.is_final and not _may_change(order, view, visit, mail):
        return None
    waited = visit.waited.total_seconds()
    seconds = next((pause for limit, pause in POLL_PAUSES if waited < limit), LONGEST_PAUSE)
    if view in _UNPAID:
        seconds = LONGEST_PAUSE
    seen = f"{view.value}-{seconds}-{_details(mail, left, place)}"
    query: dict[str, Any] = {"since": str(visit.since), "seen": seen, **visit.origin}
    return Poll(url_for("orders.show", token=order.token, **query), seconds, seen)


def _details(mail: TicketMail | None, left: TimeLeft | None, place: Place | None) -> str:
    """Return what else the page shows that changes by itself, as short as can be."""
    if place:
        return f"{place.ahead}.{place.minutes}"
    if mail:
        return f"{mail.latest.id if mail.latest else 0}.{mail.is_coming:d}"
    return str(left.minutes if left else 0)


def _may_change(order: Order, view: View, visit: Visit, mail: TicketMail | None) -> bool:
    """Tell whether a page at rest may yet get news: its mail, or money that comes late."""
    if view is View.PAID:
        return mail is not None and mail.is_coming and visit.waited < MAIL_MAY_COME
    has_invoice = order.payment.invoice_id is not None
    return view in _UNPAID and has_invoice and visit.waited < MONEY_MAY_COME

"""The order page: where an order stands and what comes next, and its e-tickets."""

import enum
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.errors import Busy, OrderNotFound
from app.forms.checkout import as_fields
from app.gateways import current_gateways, current_settings
from app.models import Order, OrderStatus, PaymentStatus
from app.routes.htmx import render, wants_fragment
from app.services.money.payments import hint_payment
from app.services.selling.delivery import render_tickets
from app.services.selling.ordering import find_order_by_token

# How long a page has waited, and the seconds between its questions until then.
POLL_PAUSES = ((30, 2), (300, 5))
LONGEST_PAUSE = 15

bp = Blueprint("orders", __name__)


@dataclass(frozen=True)
class Poll:
    """How a page that waits asks for news; `seen` is what it shows already: no need to repeat."""

    url: str
    seconds: int
    seen: str


class View(enum.Enum):
    """What the page says; the part of it that the buyer can act on."""

    PREPARING = "preparing"
    PAYABLE = "payable"
    CHECKING = "checking"
    CLOSING = "closing"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"
    REFUNDING = "refunding"
    SEATS_GONE = "seats_gone"

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will happen by itself."""
        return self not in (View.PREPARING, View.PAYABLE, View.CHECKING, View.CLOSING)


@bp.get("/orders/<token>")
def show(token: str) -> ResponseReturnValue:
    """Show where the order stands; coming back from Xendit has its invoice read soon."""
    order = _get_order(token)
    now = utcnow()
    came_back = request.args.get("from") == "xendit"
    view = view_of(order, now, came_back=came_back)
    poll = None if view.is_final else _next_poll(order, view, now)
    if poll and wants_fragment() and request.args.get("seen") == poll.seen:
        return "", 204
    if came_back and not view.is_final:
        with suppress(Busy):  # only a hint: the page matters more
            hint_payment(order.id, now=now)
    return render(
        "orders/show.html",
        "orders/_status.html",
        order=order,
        view=view.value,
        poll=poll,
        pay_until=order.payment.invoice_expires_at or order.expires_at,
        masked_email=mask_email(order.user.email),
        refill_url=url_for("catalogue.index", **as_fields(order.quantities)),
    )


@bp.get("/orders/<token>/tickets.pdf")
def tickets(token: str) -> ResponseReturnValue:
    """Send the e-tickets of a paid order; before that, its page says what to do."""
    order = _get_order(token)
    if not order.is_paid:
        return redirect(url_for("orders.show", token=token), code=303)
    pdf = render_tickets(
        order, renderer=current_gateways().renderer, event=current_settings().event
    )
    response = Response(pdf, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=f"tickets-{order.code}.pdf")
    return response


@bp.after_request
def keep_private(response: Response) -> Response:
    """Keep pages whose address is the key out of caches and out of other sites' logs."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def view_of(order: Order, now: datetime, *, came_back: bool = False) -> View:
    """Return what the page says of an order. Money without seats goes before all else."""
    if order.status is OrderStatus.PAID:
        return View.PAID
    if order.payment.status is PaymentStatus.PAID:
        return View.REFUNDING if order.paid_at else View.SEATS_GONE
    if order.status is OrderStatus.PENDING:
        return _pending_view(order, now, came_back)
    if order.payment.status is PaymentStatus.FAILED:
        return View.FAILED
    return View.EXPIRED if order.status is OrderStatus.EXPIRED else View.CANCELLED


def mask_email(address: str) -> str:
    """Return `s•••@example.com`: enough to know one's own address by."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def _pending_view(order: Order, now: datetime, came_back: bool) -> View:
    if came_back:
        return View.CHECKING
    if now >= (order.payment.invoice_expires_at or order.expires_at):
        return View.CLOSING
    return View.PAYABLE if order.payment.invoice_url else View.PREPARING


def _next_poll(order: Order, view: View, now: datetime) -> Poll:
    """Return how the page asks next: eagerly while news is likely, then with growing gaps."""
    since = request.args.get("since", type=int)
    if since is None:
        since = int(now.timestamp())
    waited = now.timestamp() - since
    seconds = next((pause for limit, pause in POLL_PAUSES if waited < limit), LONGEST_PAUSE)
    seen = f"{view.value}-{seconds}"
    came_from = {"from": "xendit"} if request.args.get("from") == "xendit" else {}
    query: dict[str, Any] = {"since": str(since), "seen": seen, **came_from}
    return Poll(url_for("orders.show", token=order.token, **query), seconds, seen)


def _get_order(token: str) -> Order:
    order = find_order_by_token(token)
    if order is None:
        raise OrderNotFound
    return order

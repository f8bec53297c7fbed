"""The order page: where an order stands and what comes next, and its e-tickets."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.errors import Busy, OrderNotFound, Words
from app.formatting import deadline
from app.gateways import current_gateways, current_settings
from app.models import Order, OrderStatus
from app.routes.htmx import render, wants_fragment
from app.routes.order_polling import next_poll, read_visit
from app.routes.order_view import View, label_of, time_left, view_of
from app.services.money.extending import can_extend
from app.services.money.hinting import hint_payment
from app.services.money.invoice_line import Place, place_in_line
from app.services.money.order_money import look_at_money
from app.services.selling.delivery import render_tickets
from app.services.selling.ordering import find_order_by_token
from app.services.selling.resending import look_at_mail

bp = Blueprint("orders", __name__)


@dataclass(frozen=True)
class Notice:
    """What the top of the page says after an action that was refused."""

    title: Words
    detail: Words = ""


@bp.get("/orders/<token>")
def show(token: str) -> ResponseReturnValue:
    """Show where the order stands; coming back from Xendit has its invoice read soon."""
    order = get_order(token)
    now = utcnow()
    visit = read_visit(now)
    may_have_money = order.status is OrderStatus.PENDING or order.payment.invoice_id
    if visit.came_back and not order.is_paid and may_have_money:
        with suppress(Busy):  # only a hint: the page matters more
            hint_payment(order.id, now=now)
    return order_page(order, now) or ("", 204)


def order_page(order: Order, now: datetime, notice: Notice | None = None) -> str:
    """Return the page, or its part for htmx; empty when htmx has seen all of it already."""
    visit = read_visit(now)
    money = look_at_money(order, now)
    view = view_of(order, money, now, back_for=visit.waited if visit.came_back else None)
    left = time_left(order, now) if view.is_payable else None
    mail = look_at_mail(order.id, now) if order.is_paid else None
    place = _place(order, now) if view is View.PREPARING else None
    zone = current_settings().event.timezone
    poll = next_poll(order, view, visit=visit, mail=mail, left=left, place=place)
    if poll and wants_fragment() and request.args.get("seen") == poll.seen:
        return ""
    return render(
        "orders/show.html",
        "orders/_status.html",
        order=order,
        view=view.value,
        label=label_of(view, order),
        poll=poll,
        money=money,
        mail=mail,
        place=place,
        notice=notice,
        left=left,
        can_extend=left is not None and can_extend(order, now),
        hold_minutes=max(1, current_settings().order_hold // timedelta(minutes=1)),
        pay_by=deadline(order.pay_until, zone, now=now),
        held_until=deadline(order.expires_at, zone, now=now),
        catalogue_url=f"{current_settings().public_url}/",
        came_back=visit.came_back,
        masked_email=mask_email(order.user.email),
        here=url_for("orders.show", token=order.token, **visit.origin),
    )


def _place(order: Order, now: datetime) -> Place:
    """Return the order's place in the line for invoices; it came there when its hold began."""
    since = order.expires_at - current_settings().order_hold
    return place_in_line(order.id, now, since=since)


@bp.get("/orders/<token>/tickets.pdf")
def tickets(token: str) -> ResponseReturnValue:
    """Send the e-tickets of a paid order; before that, its page says what to do."""
    order = get_order(token)
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
    """Keep pages whose address is the key out of caches and out of other sites' logs.

    Not `no-referrer`: over HTTPS a form counts as ours only when the browser says where it was.
    """
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def mask_email(address: str) -> str:
    """Return `s•••@example.com`: enough to know one's own address by."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def get_order(token: str) -> Order:
    """Return the order with this token. Raises OrderNotFound."""
    order = find_order_by_token(token)
    if order is None:
        raise OrderNotFound
    return order

"""What a buyer can do with an order: more time, cancel, choose after late money.

Plain forms, each answered by a redirect to the order page or by that page with the reason.
"""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from app.clock import utcnow
from app.errors import CaseClosed, OrderNotCancellable, OrderNotExtendable, ResentEnough, SoldOut
from app.extensions import limiter
from app.forms.checkout import as_fields
from app.gateways import current_gateways, current_settings
from app.models import Order, OrderStatus
from app.routes.error_handlers import may_refuse
from app.routes.order_view import view_of
from app.routes.orders import Notice, get_order, keep_private, order_page
from app.routes.refilling import remember
from app.services.money import late_money
from app.services.money.cancelling import cancel_unpaid
from app.services.money.extending import extend_hold
from app.services.money.order_money import look_at_money
from app.services.selling.resending import resend_etickets

# Many buyers share an address at a mobile carrier: only a flood meets this limit.
LIMIT = "120 per minute"

SEATS_JUST_GONE = Notice(
    _l("Somebody was a moment faster"),
    _l("Those seats have just gone. Your money is still safe: please choose again."),
)
NOTHING_CHOSEN = Notice(_l("Please choose one of the ways below"))
SEND_AGAIN = Notice(
    _l("This page was open for a long time"),
    _l("Nothing was changed. Please press again. Your browser must allow cookies."),
)

bp = Blueprint("order_actions", __name__)
bp.after_request(keep_private)


@bp.errorhandler(CSRFError)
@may_refuse
def ask_again(_error: CSRFError) -> ResponseReturnValue:
    """Show the order's page again when its protection against forgery ran out."""
    token = (request.view_args or {}).get("token", "")
    return _again(get_order(token), utcnow(), SEND_AGAIN, 400)


@bp.post("/orders/<token>/extend")
@limiter.limit(LIMIT)
def extend(token: str) -> ResponseReturnValue:
    """Give the buyer the whole time to pay once more, with a new payment page."""
    order, now = get_order(token), utcnow()
    try:
        extend_hold(
            order.id,
            now=now,
            gateway=current_gateways().xendit,
            settings=current_settings(),
            seen=request.form.get("seen", type=int),
        )
    except OrderNotExtendable as refusal:
        return _again(order, now, Notice(refusal.title, refusal.detail), refusal.status)
    return _back(token)


@bp.get("/orders/<token>/cancel")
def ask_to_cancel(token: str) -> ResponseReturnValue:
    """Ask whether the order is really to be cancelled."""
    order, now = get_order(token), utcnow()
    if not view_of(order, look_at_money(order, now), now).is_cancellable:
        return _back(token)
    return render_template("orders/cancel.html", order=order)


@bp.post("/orders/<token>/cancel")
@limiter.limit(LIMIT)
def cancel(token: str) -> ResponseReturnValue:
    """Cancel the unpaid order; the page says so, or that it is under way."""
    order, now = get_order(token), utcnow()
    if order.status is OrderStatus.CANCELLED:
        return _back(token)  # the same form, sent twice
    try:
        cancel_unpaid(order.id, now=now, gateway=current_gateways().xendit)
    except OrderNotCancellable as refusal:
        return _again(order, now, Notice(refusal.title, refusal.detail), refusal.status)
    return _back(token)


@bp.post("/orders/<token>/again")
@limiter.limit(LIMIT)
def again(token: str) -> ResponseReturnValue:
    """Lead to the checkout, filled in as for this order that ended without a payment."""
    order, now = get_order(token), utcnow()
    if not view_of(order, look_at_money(order, now), now).can_be_tried_again:
        return _back(token)  # what was typed for it stays hidden behind its masked address
    remember(order)
    return redirect(url_for("checkout.show", **as_fields(order.quantities)), code=303)


@bp.post("/orders/<token>/resend")
@limiter.limit(LIMIT)
def resend(token: str) -> ResponseReturnValue:
    """Mail the e-tickets once more; the page says that it is under way."""
    order, now = get_order(token), utcnow()
    try:
        resend_etickets(order.id, now=now)
    except ResentEnough as refusal:
        return _again(order, now, Notice(refusal.title, refusal.detail), refusal.status)
    return redirect(url_for("orders.show", token=token, _anchor="mail"), code=303)


@bp.post("/orders/<token>/choice")
@limiter.limit(LIMIT)
def choose(token: str) -> ResponseReturnValue:
    """Do what the buyer chose for money that came when the seats were gone."""
    order, now = get_order(token), utcnow()
    act = _chosen()
    if act is None:
        return _again(order, now, NOTHING_CHOSEN, 422)
    try:
        act(order.id, now)
    except SoldOut as refusal:
        return _again(order, now, SEATS_JUST_GONE, refusal.status)
    except CaseClosed as refusal:
        return _again(order, now, Notice(refusal.title, refusal.detail), refusal.status)
    return _back(token)


def _chosen() -> Callable[[int, datetime], None] | None:
    """Return what the form asks for; None when that is nothing it offers."""
    match request.form.get("choice"):
        case "switch":
            ticket_id = request.form.get("ticket", type=int)
            if ticket_id is None:
                return None
            return lambda order_id, now: late_money.take_other_seats(order_id, ticket_id, now=now)
        case "wait":
            return lambda order_id, now: late_money.wait_for_seats(order_id, now=now)
        case "refund":
            return lambda order_id, now: late_money.take_money_back(order_id, now=now)
    return None


def _back(token: str) -> Response:
    return redirect(url_for("orders.show", token=token), code=303)


def _again(order: Order, now: datetime, notice: Notice, status: int) -> ResponseReturnValue:
    """Return the order's page as it is now, with the reason at its top."""
    return order_page(order, now, notice), status

"""The e-tickets as a page for the door: a code a screen, which a phone can keep offline."""

from flask import Blueprint, Response, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.integrations.qr import qr_data_uri
from app.routes.orders import get_order, keep_private

bp = Blueprint("etickets_page", __name__)
bp.after_request(keep_private)


@bp.get("/orders/<token>/tickets")
def show(token: str) -> ResponseReturnValue:
    """Show each seat's code as large as the screen; before it is paid, the order's page."""
    order = get_order(token)
    if not order.is_paid:
        return redirect(url_for("orders.show", token=token), code=303)
    codes = [(e_ticket, qr_data_uri(e_ticket.qr_text)) for e_ticket in order.e_tickets]
    return render_template("orders/tickets.html", order=order, codes=codes, now=utcnow())


@bp.get("/orders/<token>/tickets-worker.js")
def worker(token: str) -> Response:
    """Give the script that answers for the kept page; it may only do so below its own address."""
    return current_app.send_static_file("js/tickets-worker.js")

"""Giving free tickets: a buyer, a ticket, how many, and why. For admins."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.errors import Words
from app.forms.order_actions import BuyerForm, GiftForm, read_reason
from app.models import Role
from app.routes.access import requires_role
from app.routes.proof import requires_fresh_proof
from app.routes.staff import the_member
from app.services.office import free_tickets
from app.services.office.free_tickets import Gift
from app.services.office.order_actions import MoveNotPossible
from app.services.office.seat_changing import list_targets
from app.services.selling.ordering import OrderRequest, WantedItem

bp = Blueprint("staff_free_tickets", __name__, url_prefix="/staff/orders/free")

LANGUAGES = ("id", "en")


@bp.get("")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def ask() -> ResponseReturnValue:
    """Ask who gets which seats, and why."""
    return _page(GiftForm(BuyerForm({"full_name": "", "email": "", "no_hp": ""})))


@bp.post("")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def give() -> ResponseReturnValue:
    """Give the seats away; the same form sent twice makes one order."""
    form = GiftForm.sent(request.form)
    gift = _read(form)
    if gift is None:
        return _page(form), 422
    try:
        code = free_tickets.give(gift, by=the_member().actor, now=utcnow())
    except MoveNotPossible as refusal:
        return _page(form, refusal=refusal.detail), refusal.status
    return redirect(url_for("staff_orders.show", code=code, done="given"), code=303)


def _read(form: GiftForm) -> Gift | None:
    """Return what is to be given, or None with the form's errors filled."""
    buyer = form.buyer.parse()
    quantity, names = form.parse_seats()
    tickets = {str(ticket.id): ticket.id for ticket in list_targets()}
    if form.ticket not in tickets:
        form.errors["ticket"] = free_tickets.NO_TYPE
    reason = read_reason(request.form, form.errors)
    if form.errors or buyer is None:
        return None
    items = (WantedItem(tickets[form.ticket], quantity, names),)
    return Gift(OrderRequest(buyer, items, _language()), reason, form.key)


def _language() -> str:
    wanted = request.form.get("language", "")
    return wanted if wanted in LANGUAGES else LANGUAGES[0]


def _page(form: GiftForm, refusal: Words | None = None) -> str:
    context: dict[str, Any] = {"tickets": list_targets(), "language": _language()}
    return render_template(
        "staff/orders/free.html",
        form=form,
        refusal=refusal,
        here=url_for("staff_free_tickets.ask"),
        **context,
    )

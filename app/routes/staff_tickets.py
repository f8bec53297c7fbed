"""The tickets of the catalogue: list, order, create, change, retire, see as a buyer. For admins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import FieldRefusal, Words
from app.formatting import zone_name
from app.forms.tickets import NEW_TICKET, TICKET_FIELDS, read_ticket, ticket_as_typed
from app.forms.typed import TypedForm, typed_moment
from app.gateways import current_settings
from app.models import Role, SaleStatus
from app.routes.access import requires_role
from app.routes.staff import the_member
from app.routes.staff_forms import Conflict, is_preview, sent_step, tell_conflicts
from app.services.selling import quota_editing, ticket_editing
from app.services.selling.catalogue_refusals import ChangedMeanwhile
from app.services.selling.quota_editing import QuotaOverview
from app.services.selling.ticket_editing import TicketOverview, TicketWish

bp = Blueprint("staff_tickets", __name__, url_prefix="/staff/tickets")

DONE = {
    "added": _l("The ticket was added. Buyers see it now, unless it is hidden."),
    "changed": _l("The change is in force."),
    "retired": _l("Nobody can buy this ticket any more. Orders that have it stay good."),
    "reopened": _l("The ticket is back in the list."),
}
NAMES: Mapping[str, Words] = {
    "type": _l("Name"),
    "description": _l("Description"),
    "price": _l("Price in rupiah"),
    "amount": _l("Quota"),
    "quota_id": _l("Shared quota"),
    "min_per_order": _l("Least per order"),
    "max_per_order": _l("Most per order"),
    "valid_from": _l("On sale from"),
    "valid_until": _l("On sale until"),
    "admit_from": _l("Entry from"),
    "admit_until": _l("Entry until"),
    "is_hidden": _l("Hidden"),
}


@dataclass(frozen=True)
class Preview:
    """A ticket as its card in the catalogue shows it."""

    id: int
    type: str
    description: str
    price: int
    amount: int
    available: int
    valid_from: datetime
    valid_until: datetime
    status: SaleStatus


@bp.get("")
@requires_role(Role.ADMIN)
def show_all() -> str:
    """List the tickets in the order in which buyers see them, those that were retired last."""
    tickets = ticket_editing.list_all_tickets(utcnow())
    return render_template(
        "staff/tickets/list.html",
        tickets=[one for one in tickets if not one.retired_at],
        retired=[one for one in tickets if one.retired_at],
        done=DONE.get(request.args.get("done", "")),
    )


@bp.get("/new")
@requires_role(Role.ADMIN)
def ask() -> ResponseReturnValue:
    """Ask for a new ticket, on sale from now until the event begins unless typed otherwise."""
    event = current_settings().event
    window = {
        "valid_from": typed_moment(utcnow(), event.timezone),
        "valid_until": typed_moment(event.starts_at, event.timezone),
    }
    return _page(TypedForm.of({**NEW_TICKET, **window}))


@bp.post("/new")
@requires_role(Role.ADMIN)
def add() -> ResponseReturnValue:
    """Add a ticket, or show how buyers would see it."""
    form, quotas = TypedForm.sent(request.form, TICKET_FIELDS), _quotas()
    try:
        wish = read_ticket(form.typed, current_settings().event.timezone, quotas)
        if is_preview():
            return _page(form, preview=_preview(wish, None, quotas))
        ticket_editing.create_ticket(wish, by=the_member().actor, now=utcnow())
    except FieldRefusal as refusal:
        form.note(refusal.errors)
        return _page(form, status=422)
    return redirect(url_for("staff_tickets.show_all", done="added"), code=303)


@bp.get("/<int:ticket_id>")
@requires_role(Role.ADMIN)
def show(ticket_id: int) -> ResponseReturnValue:
    """Show a ticket to change."""
    ticket = ticket_editing.get_ticket(ticket_id, utcnow())
    form = TypedForm.of(ticket_as_typed(ticket.wish, current_settings().event.timezone))
    return _page(form, ticket, preview=_preview(ticket.wish, ticket, _quotas()))


@bp.post("/<int:ticket_id>")
@requires_role(Role.ADMIN)
def change(ticket_id: int) -> ResponseReturnValue:
    """Change a ticket; where somebody else changed the same meanwhile, show both instead."""
    form, quotas = TypedForm.sent(request.form, TICKET_FIELDS), _quotas()
    zone, now = current_settings().event.timezone, utcnow()
    ticket = ticket_editing.get_ticket(ticket_id, now)
    try:
        wish = read_ticket(form.typed, zone, quotas, ticket.wish)
        if is_preview():
            return _page(form, ticket, preview=_preview(wish, ticket, quotas))
        seen = read_ticket(form.was, zone, quotas, ticket.wish)
        ticket_editing.change_ticket(ticket_id, wish, seen=seen, by=the_member().actor, now=now)
    except ChangedMeanwhile as refusal:
        there = ticket_as_typed(refusal.now, zone)
        conflicts = _conflicts(refusal.fields, form.typed, there, quotas)
        return _page(form.rebased(there), ticket, conflicts=conflicts, status=409)
    except FieldRefusal as refusal:
        form.note(refusal.errors)
        return _page(form, ticket, status=422)
    return redirect(url_for("staff_tickets.show_all", done="changed"), code=303)


@bp.post("/<int:ticket_id>/move")
@requires_role(Role.ADMIN)
def move(ticket_id: int) -> ResponseReturnValue:
    """Move a ticket one place up or down."""
    ticket_editing.move_ticket(ticket_id, sent_step(), by=the_member().actor, now=utcnow())
    here = url_for("staff_tickets.show_all", _anchor=f"ticket-{ticket_id}")
    return redirect(here, code=303)


@bp.post("/<int:ticket_id>/retire")
@requires_role(Role.ADMIN)
def retire(ticket_id: int) -> ResponseReturnValue:
    """Take a ticket off sale for good; orders that have it stay as they are."""
    ticket_editing.retire_ticket(ticket_id, by=the_member().actor, now=utcnow())
    return redirect(url_for("staff_tickets.show_all", done="retired"), code=303)


@bp.post("/<int:ticket_id>/reopen")
@requires_role(Role.ADMIN)
def reopen(ticket_id: int) -> ResponseReturnValue:
    """Put a retired ticket back into the catalogue."""
    ticket_editing.reopen_ticket(ticket_id, by=the_member().actor, now=utcnow())
    return redirect(url_for("staff_tickets.show_all", done="reopened"), code=303)


def _quotas() -> dict[int, QuotaOverview]:
    return {quota.id: quota for quota in quota_editing.list_quotas()}


def _conflicts(
    fields: tuple[str, ...],
    typed: Mapping[str, str],
    there: Mapping[str, str],
    quotas: Mapping[int, QuotaOverview],
) -> list[Conflict]:
    names = {str(quota.id): quota.wish.name for quota in quotas.values()}

    def say(field: str, value: str) -> str:
        return names.get(value, value) if field == "quota_id" else value

    return tell_conflicts(fields, typed, there, names=NAMES, say=say)


def _preview(
    wish: TicketWish, ticket: TicketOverview | None, quotas: Mapping[int, QuotaOverview]
) -> Preview:
    """Return what a buyer would see of `wish` now; nothing is changed."""
    taken = ticket.held + ticket.sold if ticket else 0
    left = wish.amount - taken
    if wish.quota_id is not None:
        left = min(left, quotas[wish.quota_id].available)
    now = utcnow()
    if now < wish.valid_from:
        status = SaleStatus.UPCOMING
    elif now >= wish.valid_until:
        status = SaleStatus.ENDED
    else:
        status = SaleStatus.ON_SALE if left >= wish.min_per_order else SaleStatus.SOLD_OUT
    return Preview(
        id=ticket.id if ticket else 0,
        type=wish.type,
        description=wish.description,
        price=wish.price,
        amount=wish.amount,
        available=left,
        valid_from=wish.valid_from,
        valid_until=wish.valid_until,
        status=status,
    )


def _page(
    form: TypedForm,
    ticket: TicketOverview | None = None,
    *,
    preview: Preview | None = None,
    conflicts: list[Conflict] | None = None,
    status: int = 200,
) -> tuple[str, int]:
    context: dict[str, Any] = {
        "form": form,
        "ticket": ticket,
        "preview": preview,
        "is_tried": is_preview(),
        "conflicts": conflicts or [],
        "quota_choices": [(quota.id, quota.wish.name) for quota in _quotas().values()],
        "names": NAMES,
        "zone": zone_name(utcnow(), current_settings().event.timezone),
        "here": request.path,
    }
    return render_template("staff/tickets/form.html", **context), status

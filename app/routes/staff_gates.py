"""Gates, and the lanes of the phones. For admins."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import NotFound, Words
from app.forms.door import GateForm
from app.gateways import current_settings
from app.models import Gate, Role
from app.routes.access import requires_role
from app.routes.staff import the_member
from app.routes.staff_forms import CHANGED_MEANWHILE
from app.services.door import gates
from app.services.selling.catalogue import list_tickets

bp = Blueprint("staff_gates", __name__, url_prefix="/staff/door")

NAME_TAKEN = _l("A gate has this name, or had it once. Choose another, or reopen that one.")
STILL_THERE = _l("Phones stand at this gate still. Move them to another one first.")
SWITCHED_MEANWHILE = _l("Somebody else switched this meanwhile. You see how it is now.")


@bp.get("/gates")
@requires_role(Role.ADMIN)
def show_all() -> str:
    """List the gates, those that were retired last."""
    return _list_page()


@bp.get("/gates/new")
@requires_role(Role.ADMIN)
def new() -> ResponseReturnValue:
    """Ask for a new gate."""
    return _form_page(GateForm())


@bp.post("/gates/new")
@requires_role(Role.ADMIN)
def add() -> ResponseReturnValue:
    """Add a gate."""
    form = GateForm.sent(request.form)
    wish = form.parse(current_settings().event.timezone, _ticket_names())
    if wish is None:
        return _form_page(form, status=422)
    try:
        gates.add_gate(wish, by=the_member().actor, now=utcnow())
    except gates.GateNameTaken:
        form.errors["name"] = NAME_TAKEN
        return _form_page(form, status=422)
    return redirect(url_for("staff_gates.show_all"), code=303)


@bp.get("/gates/<int:gate_id>")
@requires_role(Role.ADMIN)
def show(gate_id: int) -> ResponseReturnValue:
    """Show a gate to change."""
    gate = _get_gate(gate_id)
    return _form_page(GateForm.of(gate, current_settings().event.timezone), gate)


@bp.post("/gates/<int:gate_id>")
@requires_role(Role.ADMIN)
def change(gate_id: int) -> ResponseReturnValue:
    """Change a gate, unless somebody else did since the page was shown."""
    zone = current_settings().event.timezone
    form = GateForm.sent(request.form)
    wish = form.parse(zone, _ticket_names())
    if wish is None:
        return _form_page(form, _get_gate(gate_id), status=422)
    try:
        by, now = the_member().actor, utcnow()
        gates.change_gate(gate_id, wish, version=form.version, by=by, now=now)
    except gates.GateGone as error:
        raise NotFound from error
    except gates.GateChanged:
        gate = _get_gate(gate_id)
        return _form_page(GateForm.of(gate, zone), gate, CHANGED_MEANWHILE, 409)
    except gates.GateNameTaken:
        form.errors["name"] = NAME_TAKEN
        return _form_page(form, _get_gate(gate_id), status=422)
    return redirect(url_for("staff_gates.show_all"), code=303)


@bp.post("/gates/<int:gate_id>/retire")
@requires_role(Role.ADMIN)
def retire(gate_id: int) -> ResponseReturnValue:
    """Take a gate out of use."""
    try:
        gates.retire_gate(gate_id, by=the_member().actor, now=utcnow())
    except gates.GateGone as error:
        raise NotFound from error
    except gates.GateInUse:
        return _list_page(STILL_THERE), 409
    return redirect(url_for("staff_gates.show_all"), code=303)


@bp.post("/gates/<int:gate_id>/reopen")
@requires_role(Role.ADMIN)
def reopen(gate_id: int) -> ResponseReturnValue:
    """Take a gate into use again."""
    try:
        gates.reopen_gate(gate_id, by=the_member().actor, now=utcnow())
    except gates.GateGone as error:
        raise NotFound from error
    return redirect(url_for("staff_gates.show_all"), code=303)


# --- lanes --------------------------------------------------------------------------------------


@bp.get("/lanes")
@requires_role(Role.ADMIN)
def show_lanes() -> str:
    """Show whether lane mode is on, and which phone has which letters."""
    return _lanes_page()


@bp.post("/lanes")
@requires_role(Role.ADMIN)
def switch_lanes() -> ResponseReturnValue:
    """Switch lane mode, unless somebody else did since the page was shown."""
    is_on, shown = (request.form.get(name) == "on" for name in ("wanted", "shown"))
    try:
        gates.switch_lane_mode(is_on, shown=shown, by=the_member().actor, now=utcnow())
    except gates.ModeChanged:
        return _lanes_page(SWITCHED_MEANWHILE), 409
    return redirect(url_for("staff_gates.show_lanes"), code=303)


@bp.post("/lanes/spread")
@requires_role(Role.ADMIN)
def spread_lanes() -> ResponseReturnValue:
    """Give each scanner its share of the letters."""
    gates.spread_lanes(by=the_member().actor, now=utcnow())
    return redirect(url_for("staff_gates.show_lanes"), code=303)


def _lanes_page(notice: Words | None = None) -> str:
    lanes = gates.look_at_lanes()
    here = url_for("staff_gates.show_lanes")
    return render_template("staff/door/lanes.html", lanes=lanes, notice=notice, here=here)


def _get_gate(gate_id: int) -> Gate:
    gate = gates.find_gate(gate_id)
    if gate is None or gate.retired_at is not None:
        raise NotFound
    return gate


def _ticket_names() -> dict[int, str]:
    tickets = list_tickets(utcnow(), include_all=True)
    return {ticket.id: ticket.type for ticket in tickets}


def _list_page(notice: Words | None = None) -> str:
    return render_template(
        "staff/door/gates.html",
        gates=gates.list_gates(with_retired=True),
        tickets=_ticket_names(),
        notice=notice,
        here=url_for("staff_gates.show_all"),
    )


def _form_page(
    form: GateForm, gate: Gate | None = None, notice: Words | None = None, status: int = 200
) -> tuple[str, int]:
    context: dict[str, Any] = {
        "form": form,
        "gate": gate,
        "notice": notice,
        "tickets": _ticket_names(),
        "here": request.path,
    }
    return render_template("staff/door/gate.html", **context), status

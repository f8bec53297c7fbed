"""The door as staff see it: live numbers, and the phone in one's own hand."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.models import DeviceRole, Role, ScanReason
from app.routes.access import requires_role
from app.routes.credentials import known_device
from app.routes.door_pairing import SCANNER, start_scanning
from app.routes.htmx import render
from app.routes.staff import the_member
from app.services.door import devices, gates
from app.services.door.devices import DeviceWish
from app.services.door.live import look_at_door

bp = Blueprint("staff_door", __name__, url_prefix="/staff/door")

REASONS = {
    ScanReason.UNKNOWN_CODE: _l("No ticket of this event"),
    ScanReason.REVOKED: _l("Ticket was revoked"),
    ScanReason.ORDER_CANCELLED: _l("Order was cancelled"),
    ScanReason.WRONG_TICKET: _l("Wrong gate for this ticket"),
    ScanReason.OUTSIDE_PERIOD: _l("Not at this time"),
    ScanReason.WRONG_LANE: _l("Wrong lane"),
    ScanReason.ALREADY_ADMITTED: _l("Has entered already"),
    ScanReason.NOT_INSIDE: _l("Was not inside"),
}


@bp.get("")
@requires_role(Role.DOOR, Role.ADMIN)
def live() -> ResponseReturnValue:
    """Show who has come in, where and when."""
    now = utcnow()
    context: dict[str, Any] = {"numbers": look_at_door(now), "now": now}
    context |= {"reasons": REASONS, "here": url_for("staff_door.live")}
    return render("staff/door/live.html", "staff/door/_live.html", **context)


@bp.get("/this-phone")
@requires_role(Role.DOOR, Role.ADMIN)
def this_phone() -> ResponseReturnValue:
    """Ask at which gate the phone in hand will scan."""
    return _phone_page()


@bp.post("/this-phone")
@requires_role(Role.DOOR, Role.ADMIN)
def use_this_phone() -> ResponseReturnValue:
    """Make the browser in hand a phone of the door, in its owner's name."""
    if _is_paired():
        return redirect(SCANNER, code=303)
    gate_id = request.form.get("gate", type=int)
    if gate_id not in {gate.id for gate in gates.list_gates()}:
        return _phone_page(is_refused=True)
    member = the_member()
    name = member.email.partition("@")[0][: devices.NAME_LENGTH]
    wish = DeviceWish(name=name, role=DeviceRole.SCANNER, gate_id=gate_id, lanes="")
    return start_scanning(
        devices.adopt(wish, by=member.actor, owner_id=member.staff_id, now=utcnow())
    )


def _phone_page(*, is_refused: bool = False) -> ResponseReturnValue:
    page = render_template(
        "staff/door/this_phone.html",
        gates=gates.list_gates(),
        is_refused=is_refused,
        here=url_for("staff_door.this_phone"),
    )
    return page, 422 if is_refused else 200


def _is_paired() -> bool:
    """Tell whether this browser is a phone of the door already."""
    try:
        return known_device() is not None
    except devices.IsCutOff:
        return False

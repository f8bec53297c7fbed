"""Who entered twice or should not have, and taking an entry back. For admins."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.models import Role
from app.routes.access import requires_role
from app.routes.staff import the_member
from app.routes.staff_door import REASONS
from app.services.door.callers import DoorCaller
from app.services.door.conflicts import list_conflicts, list_objections
from app.services.door.undo import undo

bp = Blueprint("staff_conflicts", __name__, url_prefix="/staff/door/conflicts")


@bp.get("")
@requires_role(Role.ADMIN)
def show_all() -> str:
    """Show who came in twice or should not have: where, when, and on which phones."""
    return render_template(
        "staff/door/conflicts.html",
        conflicts=list_conflicts(),
        objections=list_objections(),
        reasons=REASONS,
    )


@bp.post("/undo")
@requires_role(Role.ADMIN)
def take_back() -> ResponseReturnValue:
    """Take an entry back that never was one; it stays in the history with who did it."""
    member = the_member()
    admin = DoorCaller(None, member.staff_id, None, member.email, "supervisor")
    undo(request.form.get("scan_id", "")[:64], caller=admin, now=utcnow())
    return redirect(url_for("staff_conflicts.show_all"), code=303)

"""Quotas that several tickets share: list, create, change. For admins."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import FieldRefusal, Words
from app.forms.tickets import NEW_QUOTA, QUOTA_FIELDS, quota_as_typed, read_quota
from app.forms.typed import TypedForm
from app.models import Role
from app.routes.access import requires_role
from app.routes.staff import the_member
from app.routes.staff_forms import Conflict, tell_conflicts
from app.services.selling import quota_editing
from app.services.selling.catalogue_refusals import ChangedMeanwhile
from app.services.selling.quota_editing import QuotaOverview

bp = Blueprint("staff_quotas", __name__, url_prefix="/staff/quotas")

DONE = {
    "added": _l("The shared quota was added. Choose it at each ticket that draws on it."),
    "changed": _l("The change is in force."),
}
NAMES: Mapping[str, Words] = {"name": _l("Name"), "amount": _l("Seats in all")}


@bp.get("")
@requires_role(Role.ADMIN)
def show_all() -> str:
    """List the quotas with the tickets that draw on them."""
    done = DONE.get(request.args.get("done", ""))
    return render_template("staff/quotas/list.html", quotas=quota_editing.list_quotas(), done=done)


@bp.get("/new")
@requires_role(Role.ADMIN)
def ask() -> ResponseReturnValue:
    """Ask for a new quota."""
    return _page(TypedForm.of(NEW_QUOTA))


@bp.post("/new")
@requires_role(Role.ADMIN)
def add() -> ResponseReturnValue:
    """Add a quota."""
    form = TypedForm.sent(request.form, QUOTA_FIELDS)
    try:
        quota_editing.create_quota(read_quota(form.typed), by=the_member().actor, now=utcnow())
    except FieldRefusal as refusal:
        form.note(refusal.errors)
        return _page(form, status=422)
    return redirect(url_for("staff_quotas.show_all", done="added"), code=303)


@bp.get("/<int:quota_id>")
@requires_role(Role.ADMIN)
def show(quota_id: int) -> ResponseReturnValue:
    """Show a quota to change."""
    quota = quota_editing.get_quota(quota_id)
    return _page(TypedForm.of(quota_as_typed(quota.wish)), quota)


@bp.post("/<int:quota_id>")
@requires_role(Role.ADMIN)
def change(quota_id: int) -> ResponseReturnValue:
    """Change a quota; where somebody else changed the same meanwhile, show both instead."""
    form, quota = TypedForm.sent(request.form, QUOTA_FIELDS), quota_editing.get_quota(quota_id)
    try:
        wish, seen = read_quota(form.typed), read_quota(form.was)
        by, now = the_member().actor, utcnow()
        quota_editing.change_quota(quota_id, wish, seen=seen, by=by, now=now)
    except ChangedMeanwhile as refusal:
        there = quota_as_typed(refusal.now)
        conflicts = tell_conflicts(refusal.fields, form.typed, there, names=NAMES)
        return _page(form.rebased(there), quota, conflicts, 409)
    except FieldRefusal as refusal:
        form.note(refusal.errors)
        return _page(form, quota, status=422)
    return redirect(url_for("staff_quotas.show_all", done="changed"), code=303)


def _page(
    form: TypedForm,
    quota: QuotaOverview | None = None,
    conflicts: list[Conflict] | None = None,
    status: int = 200,
) -> tuple[str, int]:
    context: dict[str, Any] = {
        "form": form,
        "quota": quota,
        "conflicts": conflicts or [],
        "names": NAMES,
        "here": request.path,
    }
    return render_template("staff/quotas/form.html", **context), status

"""People of the office: who may log in, as what; invite, change, put to rest. For admins."""

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import NotFound, Words
from app.forms.fields import FieldProblem, parse_email
from app.models import Role, Staff
from app.routes.access import requires_role
from app.routes.language import current_language
from app.routes.proof import requires_fresh_proof
from app.routes.staff import the_member
from app.routes.staff_forms import CHANGED_MEANWHILE
from app.services.office import invitations, second_factor, staff_sessions, staffing

bp = Blueprint("staff_people", __name__, url_prefix="/staff/people")

LAST_ADMIN = _l("This is the last admin. Make somebody else an admin first.")
OWN_ACCOUNT = _l("Your own rights are changed by another admin.")
HAS_ACCOUNT = _l("This address has an account already.")
DONE = {
    "invited": _l("The invitation is on its way."),
    "role": _l("The role was changed."),
    "deactivated": _l("The account was deactivated, and logged out everywhere."),
    "reactivated": _l("The account may log in again."),
    "logged_out": _l("The account was logged out everywhere."),
    "reset": _l("The second factor was taken away. It is set up anew at the next log-in."),
}


@bp.get("")
@requires_role(Role.ADMIN)
def show_all() -> str:
    """List the accounts and the open invitations."""
    return render_template(
        "staff/people.html",
        people=staffing.list_staff(),
        invitations=invitations.list_open(now=utcnow()),
        done=DONE.get(request.args.get("done", "")),
    )


@bp.get("/invite")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def ask_invite() -> ResponseReturnValue:
    """Ask whom to invite, and as what."""
    return _invite_page()


@bp.post("/invite")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def invite() -> ResponseReturnValue:
    """Send an invitation by mail."""
    role, email = _sent_role(), ""
    errors: dict[str, Words] = {}
    try:
        email = parse_email(request.form.get("email", ""))
    except FieldProblem:
        errors["email"] = _l("This e-mail address is not complete. It looks like name@example.com.")
    if role is None:
        errors["role"] = _l("Choose a role.")
    if errors or role is None:
        return _invite_page(errors), 422
    try:
        invitations.invite(
            email, role, locale=current_language(), by=the_member().actor, now=utcnow()
        )
    except staffing.StaffExists:
        return _invite_page({"email": HAS_ACCOUNT}), 422
    return redirect(url_for("staff_people.show_all", done="invited"), code=303)


@bp.post("/invitations/<int:invitation_id>/take-back")
@requires_role(Role.ADMIN)
def take_back(invitation_id: int) -> ResponseReturnValue:
    """Make an invitation worthless."""
    invitations.take_back(invitation_id, by=the_member().actor, now=utcnow())
    return redirect(url_for("staff_people.show_all"), code=303)


@bp.get("/<int:staff_id>")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def show(staff_id: int) -> ResponseReturnValue:
    """Show one account, with what may be done about it."""
    return _person_page(staff_id)


@bp.post("/<int:staff_id>/role")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def change_role(staff_id: int) -> ResponseReturnValue:
    """Give an account another role, unless somebody else did since the page was shown."""
    role, shown = _sent_role(), _sent_role("shown")
    if role is None or shown is None:
        return _person_page(staff_id, _l("Choose a role.")), 422
    by, now = the_member().actor, utcnow()
    return _try(
        staff_id,
        "role",
        lambda: staffing.set_role(staff_id, role, shown=shown, by=by, now=now),
    )


@bp.post("/<int:staff_id>/deactivate")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def deactivate(staff_id: int) -> ResponseReturnValue:
    """Let an account do nothing any more."""
    by, now = the_member().actor, utcnow()
    return _try(staff_id, "deactivated", lambda: staffing.deactivate(staff_id, by=by, now=now))


@bp.post("/<int:staff_id>/reactivate")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def reactivate(staff_id: int) -> ResponseReturnValue:
    """Let an account log in again."""
    by, now = the_member().actor, utcnow()
    return _try(staff_id, "reactivated", lambda: staffing.reactivate(staff_id, by=by, now=now))


@bp.post("/<int:staff_id>/log-out")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def log_out(staff_id: int) -> ResponseReturnValue:
    """End every session of an account."""
    _get_person(staff_id)
    staff_sessions.log_out_everywhere(staff_id, by=the_member().actor, now=utcnow())
    return redirect(url_for("staff_people.show_all", done="logged_out"), code=303)


@bp.post("/<int:staff_id>/reset-second-factor")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def reset_second_factor(staff_id: int) -> ResponseReturnValue:
    """Take away the second factor of somebody who lost it."""
    by, now = the_member().actor, utcnow()
    return _try(staff_id, "reset", lambda: second_factor.reset(staff_id, by=by, now=now))


def _try(staff_id: int, done: str, change: Callable[[], None]) -> ResponseReturnValue:
    """Change an account, or show why not."""
    try:
        change()
    except staffing.NoSuchStaff as error:
        raise NotFound from error
    except staffing.LastAdmin:
        return _person_page(staff_id, LAST_ADMIN), 409
    except staffing.OwnAccount:
        return _person_page(staff_id, OWN_ACCOUNT), 409
    except staffing.StaffChanged:
        return _person_page(staff_id, CHANGED_MEANWHILE), 409
    return redirect(url_for("staff_people.show_all", done=done), code=303)


def _sent_role(field: str = "role") -> Role | None:
    wanted = request.form.get(field, "")
    return Role(wanted) if wanted in {role.value for role in Role} else None


def _get_person(staff_id: int) -> Staff:
    person = staffing.find_staff(staff_id)
    if person is None:
        raise NotFound
    return person


def _person_page(staff_id: int, problem: Words | None = None) -> str:
    person = _get_person(staff_id)
    return render_template(
        "staff/person.html",
        person=person,
        sessions=staff_sessions.list_sessions(staff_id, now=utcnow()),
        is_own=person.id == the_member().staff_id,
        problem=problem,
        here=url_for("staff_people.show", staff_id=staff_id),
    )


def _invite_page(errors: dict[str, Words] | None = None) -> str:
    return render_template(
        "staff/invite.html",
        errors=errors or {},
        email=request.form.get("email", "")[:254],
        role=request.form.get("role", ""),
        here=url_for("staff_people.ask_invite"),
    )

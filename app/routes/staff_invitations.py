"""Accepting an invitation: the link in the mail makes the account."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.errors import Words
from app.forms.fields import NAME_LENGTH, FieldProblem, parse_full_name
from app.gateways import current_settings
from app.routes import sessions
from app.routes.access import open_to_everybody
from app.routes.staff import go_on
from app.routes.staff_me import PASSWORD_HINT, TWICE, WEAK
from app.services.office import invitations, passwords
from app.services.office.invitations import Invited
from app.services.office.passwords import WeakPassword
from app.services.office.staffing import StaffExists

bp = Blueprint("staff_invitations", __name__, url_prefix="/staff/invitations")


@bp.get("/<token>")
@open_to_everybody
def show(token: str) -> ResponseReturnValue:
    """Ask for a name and a password; looking uses nothing up."""
    try:
        invited = invitations.find(token, settings=current_settings(), now=utcnow())
    except invitations.InvitationGone:
        return _gone_page()
    return _page(invited)


@bp.post("/<token>")
@open_to_everybody
def accept(token: str) -> ResponseReturnValue:
    """Make the account, log in, and go on to the second factor where the role needs one."""
    try:
        settings, now = current_settings(), utcnow()
        invited = invitations.find(token, settings=settings, now=now)
        password = request.form.get("password", "")
        if password != request.form.get("again", ""):
            return _page(invited, {"again": TWICE}), 422
        name = parse_full_name(request.form.get("name", ""))
        staff_id = invitations.accept(
            token, name=name, password=password, settings=settings, now=now
        )
    except FieldProblem as error:
        return _page(invited, {"name": error.message}), 422
    except WeakPassword as error:
        return _page(invited, {"password": WEAK[error.weakness]}), 422
    except (invitations.InvitationGone, StaffExists):
        return _gone_page()
    return go_on(sessions.start(staff_id), "")


def _page(invited: Invited, errors: dict[str, Words] | None = None) -> str:
    return render_template(
        "staff/invitation.html",
        invited=invited,
        errors=errors or {},
        name=request.form.get("name", "")[:NAME_LENGTH],
        password_hint=PASSWORD_HINT,
        longest=passwords.LONGEST,
        here=request.path,
    )


def _gone_page() -> ResponseReturnValue:
    return render_template("staff/invitation_gone.html", here=request.path), 410

"""One's own account: password, sessions, recovery codes."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import Words
from app.routes import sessions
from app.routes.access import requires_role
from app.routes.proof import requires_fresh_proof
from app.routes.staff import EVERY_ROLE, the_member
from app.services.office import passwords, second_factor, staff_sessions, staffing
from app.services.office.passwords import Weakness, WeakPassword

bp = Blueprint("staff_me", __name__, url_prefix="/staff/me")

PASSWORD_HINT = _l(
    "At least %(num)d characters. Several words make a good one.", num=passwords.SHORTEST
)
WEAK = {
    Weakness.SHORT: PASSWORD_HINT,
    Weakness.LONG: _l("At most %(num)d characters.", num=passwords.LONGEST),
    Weakness.COMMON: _l("Many people use this one, so it is guessed first. Choose another."),
    Weakness.PERSONAL: _l("This is little more than your name or address. Choose another."),
}
TWICE = _l("Type the new password twice alike.")
DONE = {
    "password": _l("Your password was changed. You were logged out everywhere else."),
    "factor_removed": _l("Log-in asks for your password only from now on."),
}


@bp.get("")
@requires_role(*EVERY_ROLE)
def show() -> str:
    """Show one's own account."""
    return _page()


@bp.post("")
@requires_role(*EVERY_ROLE)
def change_password() -> ResponseReturnValue:
    """Change one's own password; every other session of the account ends."""
    new = request.form.get("new_password", "")
    if new != request.form.get("again", ""):
        return _page({"again": TWICE}), 422
    owner = the_member()
    try:
        staffing.change_password(
            owner,
            request.form.get("password", ""),
            new,
            address=request.remote_addr or "",
            now=utcnow(),
            browser=sessions.known_browser(owner.email),
        )
    except staffing.WrongPassword:
        return _page({"password": _l("This is not your password.")}), 422
    except WeakPassword as error:
        return _page({"new_password": WEAK[error.weakness]}), 422
    sessions.start(owner.staff_id, has_given_code=owner.has_given_code)
    return redirect(url_for("staff_me.show", done="password"), code=303)


@bp.post("/log-out-everywhere")
@requires_role(*EVERY_ROLE)
def log_out_everywhere() -> ResponseReturnValue:
    """End every session of the account, this one too."""
    member = the_member()
    staff_sessions.log_out_everywhere(member.staff_id, by=member.actor, now=utcnow())
    sessions.end()
    return redirect(url_for("staff.log_in"), code=303)


@bp.post("/sessions/<int:session_id>/end")
@requires_role(*EVERY_ROLE)
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of one's own sessions."""
    staff_sessions.end(the_member(), session_id)
    return redirect(url_for("staff_me.show"), code=303)


@bp.get("/recovery-codes")
@requires_role(*EVERY_ROLE)
@requires_fresh_proof
def ask_recovery_codes() -> ResponseReturnValue:
    """Tell how many recovery codes are left, and offer new ones."""
    member = the_member()
    left = second_factor.count_recovery_codes(member.staff_id)
    return render_template("staff/recovery_codes.html", codes=None, left=left)


@bp.post("/recovery-codes")
@requires_role(*EVERY_ROLE)
@requires_fresh_proof
def make_recovery_codes() -> ResponseReturnValue:
    """Show ten new recovery codes, once; those before are worthless."""
    member = the_member()
    if not member.has_second_factor:
        return redirect(url_for("staff_second_factor.show"), code=303)
    codes = second_factor.make_recovery_codes(member, now=utcnow())
    return render_template(
        "staff/recovery_codes.html", codes=codes, onward=url_for("staff_me.show")
    )


def _page(errors: dict[str, Words] | None = None) -> str:
    member, now = the_member(), utcnow()
    return render_template(
        "staff/me.html",
        errors=errors or {},
        done=DONE.get(request.args.get("done", "")),
        password_hint=PASSWORD_HINT,
        longest=passwords.LONGEST,
        sessions=staff_sessions.list_sessions(member.staff_id, now=now),
        codes_left=second_factor.count_recovery_codes(member.staff_id),
        here=url_for("staff_me.show"),
    )

"""The second step of the log-in: the code a phone shows, or a recovery code."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import RateLimited, Words
from app.routes import sessions
from app.routes.access import during_log_in, requires_role
from app.routes.staff import EVERY_ROLE, go_on, next_page, wait_words
from app.services.office import second_factor, staff_sessions
from app.services.office.staff_sessions import Step

bp = Blueprint("staff_codes", __name__, url_prefix="/staff/log-in/code")


@bp.get("")
@requires_role(*EVERY_ROLE)
@during_log_in(Step.CODE)
def ask() -> ResponseReturnValue:
    """Ask for the code; whoever gave it already goes on."""
    if sessions.half_member() is None:
        return redirect(next_page(request.args.get("next", "")), code=303)
    return _page()


@bp.post("")
@requires_role(*EVERY_ROLE)
@during_log_in(Step.CODE)
def check() -> ResponseReturnValue:
    """Go on with a session of its own: the one that knew a password alone ends."""
    wanted = request.form.get("next", "")
    member = sessions.half_member()
    if member is None:
        return redirect(next_page(wanted), code=303)
    known = sessions.known_browser(member.email)
    try:
        second_factor.check_code(member, request.form.get("code", ""), now=utcnow(), browser=known)
    except second_factor.WrongCode:
        words = _l("This code does not fit, or was used already. Wait for the next one.")
        return _page(words), 422
    except RateLimited as refusal:
        return _page(wait_words(refusal)), 429, {"Retry-After": str(refusal.retry_after)}
    staff_sessions.end(member, member.session_id)
    return go_on(sessions.start(member.staff_id, has_given_code=True), wanted)


def _page(problem: Words | None = None) -> str:
    wanted = request.values.get("next", "")
    here = url_for("staff_codes.ask", next=wanted or None)
    return render_template("staff/code.html", problem=problem, next=wanted, here=here)

"""Proof that the owner still sits there: the password once more before something grave."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import ParamSpec

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import RateLimited, Words
from app.routes import sessions
from app.routes.access import SAFE_METHODS, lead_to, requires_role
from app.routes.staff import EVERY_ROLE, next_page, the_member, wait_words
from app.services.office import staff_sessions, staffing

bp = Blueprint("staff_proof", __name__, url_prefix="/staff/proof")

P = ParamSpec("P")
# How old the last proof may be to open a page; its form may be sent for as long again.
FRESH = timedelta(minutes=10)


def requires_fresh_proof(
    view: Callable[P, ResponseReturnValue],
) -> Callable[P, ResponseReturnValue]:
    """Ask for the password again when the last proof is older than FRESH.

    Stands below `requires_role`. Mark the page with the form too, not only where it is sent: then
    nobody is asked after typing, as what was sent is not sent again by itself. Somebody in the
    middle of the log-in has just proved it.
    """

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        longest = FRESH if request.method in SAFE_METHODS else 2 * FRESH
        member = sessions.half_member() or the_member()
        if utcnow() - member.proved_at > longest:
            return lead_to("staff_proof.ask")
        return view(*args, **kwargs)

    return guarded


@bp.get("")
@requires_role(*EVERY_ROLE)
def ask() -> ResponseReturnValue:
    """Ask for the password."""
    return _page()


@bp.post("")
@requires_role(*EVERY_ROLE)
def check() -> ResponseReturnValue:
    """Go on to where somebody wanted to, with the right password."""
    member = the_member()
    try:
        staffing.check_log_in(
            member.email,
            request.form.get("password", ""),
            address=request.remote_addr or "",
            now=utcnow(),
            browser=sessions.known_browser(member.email),
        )
    except staffing.WrongPassword:
        return _page(_l("This is not your password.")), 422
    except RateLimited as refusal:
        return _page(wait_words(refusal)), 429, {"Retry-After": str(refusal.retry_after)}
    staff_sessions.prove(member, now=utcnow())
    return redirect(next_page(request.form.get("next", "")), code=303)


def _page(problem: Words | None = None) -> str:
    wanted = request.values.get("next", "")
    here = url_for("staff_proof.ask", next=wanted or None)
    return render_template("staff/proof.html", problem=problem, next=wanted, here=here)

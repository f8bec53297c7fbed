"""Pairing a phone: a code that staff show becomes a cookie that may scan."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from app.clock import utcnow
from app.errors import RateLimited, Words
from app.routes.credentials import DEVICE_COOKIE
from app.services.door import devices

KEEP_SECONDS = 60 * 24 * 3600  # longer than any event is prepared; cutting off ends it sooner
SCANNER = "/door"

bp = Blueprint("door_pairing", __name__)


@bp.errorhandler(CSRFError)
def form_too_old(_error: CSRFError) -> ResponseReturnValue:
    """Show the form again, when its protection against forgery ran out."""
    return _page(_l("The page had waited too long. Please press once more."), 400)


@bp.get("/door/pair")
def show() -> ResponseReturnValue:
    """Ask for the code; in a link it stands in the fragment, which reaches no log."""
    return _page()


@bp.post("/door/pair")
def pair() -> ResponseReturnValue:
    """Make this browser a phone of the door."""
    try:
        code = request.form.get("code", "")
        token = devices.pair(code, address=request.remote_addr or "", now=utcnow())
    except devices.NotPaired:
        words = _l("This code is not valid, or no longer. Ask an admin for a new one.")
        return _page(words, 422)
    except RateLimited as refusal:
        body, status = _page(_l("Too many attempts. Wait a few minutes, then try again."), 429)
        return body, status, {"Retry-After": str(refusal.retry_after)}
    return start_scanning(token)


def start_scanning(token: str) -> Response:
    """Give this browser a device's token and lead it to the scanner."""
    response = redirect(SCANNER, code=303)
    response.set_cookie(
        DEVICE_COOKIE,
        token,
        max_age=KEEP_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return response


def _page(problem: Words | None = None, status: int = 200) -> tuple[str, int]:
    page = render_template(
        "door/pair.html",
        problem=problem,
        code=request.form.get("code", "")[:20],
        here=url_for("door_pairing.show"),
    )
    return page, status

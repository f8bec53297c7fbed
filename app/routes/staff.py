"""Staff: logging in and out, what each role may do, one's own account."""

from dataclasses import dataclass
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    has_request_context,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError

from app.clock import utcnow
from app.errors import RateLimited, Words
from app.models import Role
from app.routes import sessions
from app.routes.access import open_to_everybody, requires_role
from app.routes.error_handlers import may_refuse
from app.routes.language import own_path
from app.services.office import staffing
from app.services.office.staffing import LONGEST_PASSWORD, SHORTEST_PASSWORD, Member

bp = Blueprint("staff", __name__, url_prefix="/staff")

EVERY_ROLE = tuple(Role)


@dataclass(frozen=True)
class Area:
    """A page staff may start from; who may is said at its view."""

    endpoint: str
    name: Words
    words: Words


AREAS = (
    Area("staff_door.live", _l("Live numbers"), _l("Who has come in, where and when.")),
    Area("staff_door.this_phone", _l("This phone"), _l("Scan with the phone in your hand.")),
    Area("staff_devices.show_all", _l("Phones"), _l("Pair phones, move them, cut them off.")),
    Area("staff_gates.show_all", _l("Gates"), _l("Where people enter, with which tickets.")),
    Area("staff_gates.show_lanes", _l("Lanes"), _l("Nobody enters twice, even without a network.")),
    Area("staff_conflicts.show_all", _l("Double entries"), _l("Tickets that came in twice.")),
)


class NotLoggedIn(Exception):
    """A view was reached without a member: the check in `access` was passed by."""


def the_member() -> Member:
    """Return who is logged in, on a page that needs somebody."""
    member = sessions.current_member()
    if member is None:
        raise NotLoggedIn
    return member


@bp.app_context_processor
def staff_context() -> dict[str, Any]:
    """Give the pages of staff their navigation: what the reader may use."""
    if not (has_request_context() and request.path.startswith(("/staff", "/door"))):
        return {}
    member = sessions.current_member()
    return {"member": member, "areas": [area for area in AREAS if member and _may(member, area)]}


@bp.after_app_request
def keep_private(response: Response) -> Response:
    """Keep the pages of staff out of every cache."""
    if request.path.startswith("/staff"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _may(member: Member, area: Area) -> bool:
    view = current_app.view_functions.get(area.endpoint)
    return view is not None and member.role in (getattr(view, "allowed_roles", None) or ())


# --- log in and out -----------------------------------------------------------------------------


@bp.errorhandler(CSRFError)
@may_refuse
def form_too_old(error: CSRFError) -> ResponseReturnValue:
    """Show the log-in form again, when its protection against forgery ran out."""
    if request.endpoint != "staff.log_in_now":
        raise error
    return _log_in_page(_l("The form had waited too long. Please log in once more."), 400)


@bp.get("/log-in")
@open_to_everybody
def log_in() -> ResponseReturnValue:
    """Ask for address and password; whoever is logged in goes on."""
    if sessions.current_member():
        return redirect(_next_page(request.args.get("next", "")), code=303)
    return _log_in_page()


@bp.post("/log-in")
@open_to_everybody
def log_in_now() -> ResponseReturnValue:
    """Begin a session, or say what to do next without saying what was wrong."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        member = staffing.check_log_in(
            email[:255],
            password,
            address=request.remote_addr or "",
            now=utcnow(),
            browser=sessions.known_browser(email),
        )
    except staffing.WrongPassword:
        words = _l("Address and password do not fit. Check both; an admin can set a new password.")
        return _log_in_page(words, 422)
    except RateLimited as refusal:
        minutes = -(-(refusal.retry_after or 60) // 60)
        words = _l("Too many attempts. Try again in %(num)d minutes.", num=minutes)
        body, status = _log_in_page(words, 429)
        return body, status, {"Retry-After": str(refusal.retry_after)}
    sessions.start(member)
    response = redirect(_next_page(request.form.get("next", "")), code=303)
    sessions.remember_browser(response, member)
    return response


@bp.post("/log-out")
@requires_role(*EVERY_ROLE)
def log_out() -> ResponseReturnValue:
    """End this browser's session."""
    sessions.end()
    return redirect(url_for("staff.log_in"), code=303)


def _next_page(wanted: str) -> str:
    home = url_for("staff.home")
    path = own_path(wanted, home)
    return home if path.startswith(url_for("staff.log_in")) else path


def _log_in_page(problem: Words | None = None, status: int = 200) -> tuple[str, int]:
    page = render_template(
        "staff/log_in.html",
        problem=problem,
        email=request.form.get("email", "")[:254],
        next=request.values.get("next", ""),
        here=url_for("staff.log_in", next=request.values.get("next") or None),
    )
    return page, status


# --- home and account ---------------------------------------------------------------------------


@bp.get("")
@requires_role(*EVERY_ROLE)
def home() -> str:
    """Show what the reader may do."""
    return render_template("staff/home.html")


@bp.get("/account")
@requires_role(*EVERY_ROLE)
def account() -> str:
    """Show one's own account."""
    return _account_page()


@bp.post("/account")
@requires_role(*EVERY_ROLE)
def change_password() -> ResponseReturnValue:
    """Change one's own password; every other session of the account ends."""
    new = request.form.get("new_password", "")
    if new != request.form.get("again", ""):
        return _account_page({"again": _l("Type the new password twice alike.")}), 422
    try:
        owner = the_member()
        member = staffing.change_password(
            owner,
            request.form.get("password", ""),
            new,
            address=request.remote_addr or "",
            now=utcnow(),
            browser=sessions.known_browser(owner.email),
        )
    except staffing.WrongPassword:
        return _account_page({"password": _l("This is not your password.")}), 422
    except staffing.WeakPassword:
        return _account_page({"new_password": _password_words()}), 422
    sessions.start(member)
    return redirect(url_for("staff.account", done="password"), code=303)


@bp.post("/account/log-out-everywhere")
@requires_role(*EVERY_ROLE)
def log_out_everywhere() -> ResponseReturnValue:
    """End every session of the account, this one too."""
    staffing.log_out_everywhere(the_member(), now=utcnow())
    sessions.end()
    return redirect(url_for("staff.log_in"), code=303)


def _account_page(errors: dict[str, Words] | None = None) -> str:
    return render_template(
        "staff/account.html",
        errors=errors or {},
        is_done=request.args.get("done") == "password",
        password_words=_password_words(),
        longest=LONGEST_PASSWORD,
        here=url_for("staff.account"),
    )


def _password_words() -> Words:
    return _l("At least %(num)d characters. Several words make a good one.", num=SHORTEST_PASSWORD)

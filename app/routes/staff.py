"""Staff: logging in and out, and where each role starts."""

from datetime import timedelta
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
from app.routes.access import STEP_PAGES, during_log_in, open_to_everybody, requires_role
from app.routes.error_handlers import may_refuse
from app.routes.language import own_path
from app.routes.staff_areas import AREAS, Area, group_areas
from app.services.office import staffing
from app.services.office.staff_sessions import Member, Step
from app.services.running.inspections import last_inspection

bp = Blueprint("staff", __name__, url_prefix="/staff")

# A look is due each minute, and later only where looking takes long.
OLD_INSPECTION = timedelta(minutes=15)
EVERY_ROLE = tuple(Role)
ROLE_NAMES = {Role.DOOR: _l("Door"), Role.FINANCE: _l("Finance"), Role.ADMIN: _l("Admin")}
NO_FIT = _l("Address and password do not fit. Check both; an admin can set a new password.")


class NotLoggedIn(Exception):
    """A view was reached without a member: the check in `access` was passed by."""


def the_member() -> Member:
    """Return who is logged in, on a page that needs somebody. Raises NotLoggedIn."""
    member = sessions.current_member()
    if member is None:
        raise NotLoggedIn
    return member


def wait_words(refusal: RateLimited) -> Words:
    """Return that somebody tried too often, and after how many minutes, rounded up, to go on."""
    minutes = -(-(refusal.retry_after or 60) // 60)
    return _l("Too many attempts. Try again in %(num)d minutes.", num=minutes)


def next_page(wanted: str) -> str:
    """Return where somebody wanted to go, if that is a page of ours beyond the log-in."""
    home = url_for("staff.home")
    path = own_path(wanted, home)
    return home if path.startswith(url_for("staff.log_in")) else path


@bp.app_context_processor
def staff_context() -> dict[str, Any]:
    """Give the pages of staff their navigation: what the reader may use."""
    if not (has_request_context() and request.path.startswith(("/staff", "/door"))):
        return {}
    member = sessions.current_member()
    areas = [area for area in AREAS if member and _may(member, area)]
    return {
        "member": member,
        "area_groups": group_areas(areas),
        "this_area": _find_this_area(areas),
        "role_names": ROLE_NAMES,
    }


@bp.after_app_request
def keep_private(response: Response) -> Response:
    """Keep the pages of staff out of every cache."""
    if request.path.startswith("/staff"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _find_this_area(areas: list[Area]) -> Area | None:
    """Return the area this page belongs to: the one whose address is the longest beginning."""
    addresses = {area: url_for(area.endpoint) for area in areas}
    around = [area for area in areas if f"{request.path}/".startswith(f"{addresses[area]}/")]
    return max(around, key=lambda area: len(addresses[area]), default=None)


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
        return redirect(next_page(request.args.get("next", "")), code=303)
    return _log_in_page()


@bp.post("/log-in")
@open_to_everybody
def log_in_now() -> ResponseReturnValue:
    """Begin a session, or say what to do next without saying what was wrong."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        staff_id = staffing.check_log_in(
            email[:255],
            password,
            address=request.remote_addr or "",
            now=utcnow(),
            browser=sessions.known_browser(email),
        )
    except staffing.WrongPassword:
        return _log_in_page(NO_FIT, 422)
    except RateLimited as refusal:
        body, status = _log_in_page(wait_words(refusal), 429)
        return body, status, {"Retry-After": str(refusal.retry_after)}
    return go_on(sessions.start(staff_id), request.form.get("next", ""))


def go_on(member: Member | None, wanted: str) -> ResponseReturnValue:
    """Lead somebody whose session began to the step that is missing, else to where they wanted."""
    if member is None:
        return _log_in_page(NO_FIT, 422)
    if member.missing is not Step.NONE:
        return redirect(url_for(STEP_PAGES[member.missing], next=wanted or None), code=303)
    response = redirect(next_page(wanted), code=303)
    sessions.remember_browser(response, member)
    return response


@bp.post("/log-out")
@requires_role(*EVERY_ROLE)
@during_log_in(Step.CODE, Step.SET_UP)
def log_out() -> ResponseReturnValue:
    """End this browser's session."""
    sessions.end()
    return redirect(url_for("staff.log_in"), code=303)


def _log_in_page(problem: Words | None = None, status: int = 200) -> tuple[str, int]:
    page = render_template(
        "staff/log_in.html",
        problem=problem,
        email=request.form.get("email", "")[:254],
        next=request.values.get("next", ""),
        here=url_for("staff.log_in", next=request.values.get("next") or None),
    )
    return page, status


@bp.get("")
@requires_role(*EVERY_ROLE)
def home() -> str:
    """Show what the reader may do, and to who answers for money what the last look found."""
    found = None if the_member().role is Role.DOOR else last_inspection()
    is_old = found is not None and found.age(utcnow()) > OLD_INSPECTION
    return render_template("staff/home.html", inspection=found, inspection_is_old=is_old)

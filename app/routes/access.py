"""Who may call: API keys and their scopes, staff and their roles, and whoever scans at the door.

Every address below /staff says which roles may use it (`requires_role`) or that it is open
(`open_to_everybody`). One that says nothing is refused to all: see `check_staff`.
"""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import Flask, after_this_request, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.wrappers import Response

from app.errors import ApiKeyInvalid, ApiKeyRequired, DomainError, InsufficientScope
from app.gateways import current_settings
from app.models import Role
from app.routes.addresses import split_address
from app.routes.credentials import DEVICE_COOKIE, known_device, known_partner, sent_key
from app.routes.htmx import wants_fragment
from app.routes.sessions import current_member, half_member
from app.services.door import devices
from app.services.door.callers import DoorCaller, DoorRole
from app.services.office.staff_sessions import Step

P = ParamSpec("P")
R = TypeVar("R")
View = TypeVar("View", bound=Callable[..., Any])

STAFF = "/staff"
DOOR_ROLES = (Role.DOOR, Role.ADMIN)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Where each step of the log-in is done.
STEP_PAGES = {
    None: "staff.log_in",
    Step.CODE: "staff_codes.ask",
    Step.SET_UP: "staff_second_factor.show",
}


class RoleNotAllowed(DomainError):
    """Somebody is logged in, but not for this."""

    code = "forbidden"
    status = 403
    title = _l("Your account may not do this")
    detail = _l("Ask an admin, or log in with another account.")


class LogInRequired(DomainError):
    """Nobody is logged in, or no longer."""

    code = "log_in_required"
    status = 401
    title = _l("You are not logged in any more")
    detail = _l("Log in and do it again: nothing was changed.")


class DoorLoginRequired(DomainError):
    """Neither a paired device, nor staff of the door, nor a key."""

    code = "door_login_required"
    status = 401
    title = _l("This phone may not scan yet")
    detail = _l("Pair it with a code from an admin, or log in.")


class DeviceCutOff(DomainError):
    """The device was paired once and must forget everything now."""

    code = "device_cut_off"
    status = 401
    title = _l("This phone was cut off")
    detail = _l("Ask an admin to pair it again.")


class CrossSiteRequest(DomainError):
    """Another site made the browser send this."""

    code = "cross_site_request"
    status = 403
    title = _l("This was sent from another site")


def requires_key(scope: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view through with an API key of this scope only; `g.api_key_id` names it.

    Without `API_KEY_REQUIRED` a missing key is fine, but one that is sent must be good. Raises
    ApiKeyRequired, ApiKeyInvalid, InsufficientScope.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.api_key_id = _check_key(scope)
            return view(*args, **kwargs)

        return guarded

    return decorate


# --- staff --------------------------------------------------------------------------------------


def requires_role(*roles: Role) -> Callable[[View], View]:
    """Let only staff with one of these roles use a view below /staff; `check_staff` sees to it."""

    def mark(view: View) -> View:
        view.allowed_roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def during_log_in(*steps: Step) -> Callable[[View], View]:
    """Let a view be used also while one of these steps of the log-in is missing."""

    def mark(view: View) -> View:
        view.steps = frozenset(steps)  # type: ignore[attr-defined]
        return view

    return mark


def open_to_everybody(view: View) -> View:
    """Let a view below /staff be used without log-in."""
    view.allowed_roles = None  # type: ignore[attr-defined]
    return view


def init_app(app: Flask) -> None:
    """Check every request below /staff."""
    app.before_request(check_staff)


def check_staff() -> ResponseReturnValue | None:
    """Refuse whoever may not use this address; one without a rule is refused to everybody.

    Raises RoleNotAllowed, LogInRequired.
    """
    rule = request.url_rule
    if rule is None or not f"{rule.rule}/".startswith(f"{STAFF}/"):
        return None
    view = current_app.view_functions[rule.endpoint]
    roles: frozenset[Role] | None = getattr(view, "allowed_roles", frozenset())
    if roles is None:
        return None
    half = half_member()
    is_his_step = half is not None and half.missing in getattr(view, "steps", ())
    member = half if is_his_step else current_member()
    if member is None:
        return lead_to(STEP_PAGES[half.missing if half else None])
    if member.role not in roles:
        raise RoleNotAllowed
    return None


def lead_to(endpoint: str) -> ResponseReturnValue:
    """Lead to a step of the log-in and back to the page; what was sent is not sent again by itself.

    Raises LogInRequired where htmx asks: the whole page is to change, not a part of it.
    """
    if wants_fragment():
        step = url_for(endpoint, next=_path(request.headers.get("HX-Current-URL")))

        @after_this_request
        def lead(response: Response) -> Response:
            response.headers["HX-Redirect"] = step
            return response

        raise LogInRequired
    is_page = request.method in ("GET", "HEAD")
    here = request.full_path.rstrip("?") if is_page else _path(request.referrer)
    return redirect(url_for(endpoint, next=here), code=303)


def _path(address: str | None) -> str | None:
    return split_address(address).path or None


# --- the door -----------------------------------------------------------------------------------


def requires_door() -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view through for whoever may scan; `g.door_caller` is a `DoorCaller`.

    That is a key with scope `door`, a paired device, or staff with role door or admin, looked for
    in this order. A browser's POST must be JSON from our own pages, which no other site can make
    it send: it needs no CSRF token then. Raises ApiKeyInvalid, InsufficientScope, DeviceCutOff,
    DoorLoginRequired, RoleNotAllowed, CrossSiteRequest, UnsupportedMediaType.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.door_caller = find_door_caller()
            return view(*args, **kwargs)

        return guarded

    return decorate


def find_door_caller() -> DoorCaller:
    """Return who scans. Raises what `requires_door` names."""
    if sent_key() is not None:
        return _door_partner()
    caller = find_door_visitor()
    if caller is None:
        raise DoorLoginRequired
    _check_same_origin()
    return caller


def find_door_visitor() -> DoorCaller | None:
    """Return whose browser this is, for pages. Raises DeviceCutOff, RoleNotAllowed."""
    return _door_device() or _door_staff()


def _door_partner() -> DoorCaller:
    partner = known_partner()
    if partner is None:
        raise ApiKeyInvalid
    if "door" not in partner.scopes:
        raise InsufficientScope
    return DoorCaller(None, None, partner.api_key_id, partner.name, "scanner")


def _door_device() -> DoorCaller | None:
    """Return the device whose cookie this is. Raises DeviceCutOff, and clears the browser then."""
    try:
        return known_device()
    except devices.IsCutOff as error:
        after_this_request(forget_device)
        raise DeviceCutOff from error


def _door_staff() -> DoorCaller | None:
    member = current_member()
    if member is None:
        return None
    if member.role not in DOOR_ROLES:
        raise RoleNotAllowed
    role: DoorRole = "supervisor" if member.role is Role.ADMIN else "scanner"
    return DoorCaller(None, member.staff_id, None, member.email, role)


def forget_device(response: Response) -> Response:
    """Take the device's cookie from a browser, and all it keeps of ours.

    The scanner's script wipes its data as well; a phone in a thief's hand may not run it.
    """
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    response.delete_cookie(DEVICE_COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
    return response


def _check_same_origin() -> None:
    """Refuse what another site's page could have sent with our cookies."""
    if request.method in SAFE_METHODS:
        return
    if request.mimetype != "application/json":
        raise UnsupportedMediaType  # a form needs no permission to be sent across sites; this does
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        is_ours = site == "same-origin"
    else:
        is_ours = origin is None or origin == request.host_url.rstrip("/")
    if not is_ours:
        raise CrossSiteRequest


def _check_key(scope: str) -> int | None:
    if sent_key() is None:
        if current_settings().api_key_required:
            raise ApiKeyRequired
        return None
    partner = known_partner()
    if partner is None:
        raise ApiKeyInvalid
    if scope not in partner.scopes:
        raise InsufficientScope
    return partner.api_key_id

"""Sessions of staff: how they begin, how long they last, how they end."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import flask_login
from flask import Flask, request, session
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from app.clock import utcnow
from app.extensions import login
from app.gateways import current_settings
from app.models import Role
from app.services.office import staffing
from app.services.office.staffing import Member

# A phone lies idle between two rushes; an office screen is left alone.
IDLE: dict[Role, timedelta] = {
    Role.DOOR: timedelta(hours=12),
    Role.FINANCE: timedelta(hours=2),
    Role.ADMIN: timedelta(hours=2),
}
LONGEST = timedelta(hours=24)
# How old the last sign of life may grow before the cookie is written again.
NOTE_EVERY = timedelta(minutes=1)
# A page that asks for news by itself says nothing of whoever should sit before it.
POLL = "poll"
KNOWN = "staff_browser"
KEEP_KNOWN = 180 * 24 * 3600


@dataclass(frozen=True)
class StaffUser:
    """A member as Flask-Login wants to see one."""

    member: Member
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """Return what the cookie holds: worthless once the account has another key."""
        return f"{self.member.staff_id}:{self.member.session_key}"


def init_app(app: Flask) -> None:
    """Let Flask-Login find who a request comes from."""
    # It would tie a session to an address, and phones change theirs all day.
    login.session_protection = None
    login.user_loader(_load)
    login.init_app(app)


def start(member: Member) -> None:
    """Start a session: nothing of the one before is kept, whoever made it."""
    session.clear()
    moment = int(utcnow().timestamp())
    session["since"] = session["seen"] = moment
    flask_login.login_user(StaffUser(member))


def known_browser(email: str) -> str | None:
    """Return the name of this browser, if the account logged in here before."""
    try:
        owner, name = _signer().loads(request.cookies.get(KNOWN, ""), max_age=KEEP_KNOWN)
    except (BadData, ValueError, TypeError):
        return None
    return str(name) if owner == _owner(email) else None


def remember_browser(response: Response, member: Member) -> None:
    """Let this browser be known to the account from now on; it opens nothing by itself."""
    name = known_browser(member.email) or secrets.token_urlsafe(12)
    response.set_cookie(
        KNOWN,
        _signer().dumps([_owner(member.email), name]),
        max_age=KEEP_KNOWN,
        path="/staff",
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_settings().secret_key, salt="known browser")


def _owner(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:16]


def end() -> None:
    """End this browser's session."""
    flask_login.logout_user()
    session.clear()


def current_member() -> Member | None:
    """Return who is logged in."""
    user: Any = flask_login.current_user
    return user.member if user.is_authenticated else None


def _load(user_id: str) -> StaffUser | None:
    """Return the session's owner, unless it was ended or was left alone for too long."""
    staff_id, _, key = user_id.partition(":")
    member = staffing.find_member(int(staff_id), key) if staff_id.isdigit() else None
    if member is None or not _is_alive(member.role):
        session.clear()
        return None
    return StaffUser(member)


def _is_alive(role: Role) -> bool:
    """Tell whether the session may go on, and note this sign of life."""
    moment = int(utcnow().timestamp())
    idle = moment - int(session.get("seen", 0))
    age = moment - int(session.get("since", 0))
    if idle > IDLE[role].total_seconds() or age > LONGEST.total_seconds():
        return False
    if idle >= NOTE_EVERY.total_seconds() and POLL not in request.args:
        session["seen"] = moment
    return True

"""Sessions of staff: the cookie, and the browsers an account knows."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import flask_login
from flask import Flask, Request, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from app.clock import utcnow
from app.extensions import login
from app.gateways import current_settings
from app.routes.browsers import name_browser
from app.services.office import staff_sessions
from app.services.office.staff_sessions import Member, Step

# A page that asks for news by itself says nothing of whoever should sit before it.
POLL = "poll"
KNOWN = "staff_browser"
KEEP_KNOWN = 180 * 24 * 3600


@dataclass(frozen=True)
class StaffUser:
    """A member as Flask-Login wants to see one."""

    token: str
    member: Member
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """Return what the cookie holds: worthless once the session's row is gone."""
        return self.token


class CookieSessions(SecureCookieSessionInterface):
    """Flask's sessions; a caller without any cookie, such as a partner, is not searched for one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of a request, empty where none was sent."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)


def init_app(app: Flask) -> None:
    """Let Flask-Login find who a request comes from."""
    app.session_interface = CookieSessions()
    # It would tie a session to an address, and phones change theirs all day.
    login.session_protection = None
    login.user_loader(_load)
    login.init_app(app)


def start(staff_id: int, *, has_given_code: bool = False) -> Member | None:
    """Start a session: nothing of the one before is kept, whoever made it.

    Returns whose it is; None when the account was deactivated at this moment.
    """
    browser, now = name_browser(request.user_agent.string), utcnow()
    token = staff_sessions.start(staff_id, browser=browser, has_given_code=has_given_code, now=now)
    session.clear()
    member = staff_sessions.find_member(token, now=now)
    if member is not None:
        flask_login.login_user(StaffUser(token, member))
    return member


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
    member = _whoever()
    if member is not None:
        staff_sessions.end(member, member.session_id)
    flask_login.logout_user()
    session.clear()


def current_member() -> Member | None:
    """Return who is logged in, with everything the role asks for."""
    member = _whoever()
    return member if member is not None and member.missing is Step.NONE else None


def half_member() -> Member | None:
    """Return who gave a password and must do one thing more before anything else."""
    member = _whoever()
    return member if member is not None and member.missing is not Step.NONE else None


def _whoever() -> Member | None:
    user: Any = flask_login.current_user
    return user.member if user.is_authenticated else None


def _load(token: str) -> StaffUser | None:
    """Return the session's owner, unless it was ended or was left alone for too long."""
    is_sign = POLL not in request.args
    member = staff_sessions.find_member(token, is_sign_of_life=is_sign, now=utcnow())
    if member is None:
        session.clear()
        return None
    return StaffUser(token, member)

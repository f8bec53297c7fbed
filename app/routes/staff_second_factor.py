"""Setting up the second factor: led to after the password where the role needs one, else chosen."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import Words
from app.gateways import current_settings
from app.integrations.qr import qr_data_uri
from app.integrations.totp import setup_uri
from app.routes import sessions
from app.routes.access import during_log_in, requires_role
from app.routes.proof import requires_fresh_proof
from app.routes.staff import EVERY_ROLE, next_page, the_member
from app.services.office import second_factor
from app.services.office.staff_sessions import Member, Step

bp = Blueprint("staff_second_factor", __name__, url_prefix="/staff/me/second-factor")


@bp.get("")
@requires_role(*EVERY_ROLE)
@during_log_in(Step.SET_UP)
@requires_fresh_proof
def show() -> ResponseReturnValue:
    """Show the secret as a QR code and as text, and ask for the first code."""
    return _page()


@bp.post("")
@requires_role(*EVERY_ROLE)
@during_log_in(Step.SET_UP)
@requires_fresh_proof
def confirm() -> ResponseReturnValue:
    """Make it the second factor, and show the recovery codes this one time."""
    member = _whoever()
    try:
        codes = second_factor.confirm(member, request.form.get("code", ""), now=utcnow())
    except second_factor.WrongCode:
        return _page(_l("This code does not fit. Is the phone's clock right?")), 422
    return _show_codes(member, codes)


def _show_codes(member: Member, codes: list[str]) -> ResponseReturnValue:
    """Begin a session that has given its code, and show the recovery codes."""
    sessions.end()
    current = sessions.start(member.staff_id, has_given_code=True) or member
    onward = next_page(request.form.get("next", ""))
    page = render_template(
        "staff/recovery_codes.html", codes=codes, onward=onward, is_new=True, member=current
    )
    response = make_response(page)
    sessions.remember_browser(response, current)
    return response


@bp.post("/remove")
@requires_role(*EVERY_ROLE)
@requires_fresh_proof
def remove() -> ResponseReturnValue:
    """Go without a second factor again, where the role allows it."""
    try:
        second_factor.remove(the_member(), now=utcnow())
    except second_factor.NeedsSecondFactor:
        return redirect(url_for("staff_me.show"), code=303)
    return redirect(url_for("staff_me.show", done="factor_removed"), code=303)


def _whoever() -> Member:
    return sessions.half_member() or the_member()


def _page(problem: Words | None = None) -> str:
    member, wanted = _whoever(), request.values.get("next", "")
    secret = second_factor.offer_secret(member)
    uri = setup_uri(secret, account=member.email, issuer=current_settings().event.name)
    return render_template(
        "staff/second_factor.html",
        problem=problem,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        qr=qr_data_uri(uri),
        uri=uri,
        is_required=member.missing is Step.SET_UP,
        next=wanted,
        here=url_for("staff_second_factor.show", next=wanted or None),
    )

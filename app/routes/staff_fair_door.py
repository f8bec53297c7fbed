"""The fair door for staff: how the line stands, and what may be switched in it. For admins."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import FieldRefusal, NotFound, Words
from app.fair_door_settings import FairDoorSettings
from app.formatting import zone_name
from app.forms.fair_door import read_opening, read_pace
from app.forms.typed import typed_moment, typed_whole
from app.gateways import current_settings
from app.models import Role
from app.routes.access import requires_role
from app.routes.proof import requires_fresh_proof
from app.routes.staff import the_member
from app.services.running.audit import Actor
from app.services.waiting import admission, switching
from app.services.waiting.line import Door, Line, read_line
from app.services.waiting.pace import Seats

bp = Blueprint("staff_fair_door", __name__, url_prefix="/staff/fair-door")

SWITCHED = _l("Somebody else switched this meanwhile. You see how it is now.")
OPEN_ALREADY = _l("It has opened meanwhile. Another sale needs a new line.")
DONE = {
    "switched": _l("Done: every visitor feels it within a second."),
    "begun": _l("A new line has begun."),
}
# What each button makes of the line; it is shown only while the line is the opposite.
SWITCHES: dict[str, tuple[str, bool]] = {
    "on": ("is_on", True),
    "off": ("is_on", False),
    "pause": ("is_paused", True),
    "resume": ("is_paused", False),
}


@bp.get("")
@requires_role(Role.ADMIN)
def show() -> ResponseReturnValue:
    """Show how the line stands, with what may be switched."""
    return _page()


@bp.post("/switch")
@requires_role(Role.ADMIN)
def switch() -> ResponseReturnValue:
    """Switch the line on or off, let it rest or go on."""
    to = request.form.get("to", "")
    if to not in SWITCHES:
        raise NotFound
    column, wanted = SWITCHES[to]
    seen, values = {"id": _sent_line(), column: not wanted}, {column: wanted}
    return _try(lambda by, now: switching.switch(now, _settings(), by=by, seen=seen, **values))


@bp.post("/pace")
@requires_role(Role.ADMIN)
def set_pace() -> ResponseReturnValue:
    """Set how many may be let in a minute at most."""
    seen = {"id": _sent_line(), "most_per_minute": request.form.get("was_pace", type=int)}
    try:
        wanted = read_pace(request.form)
    except FieldRefusal as refusal:
        return _page(errors={error.field: error.message for error in refusal.errors}), 422
    return _try(
        lambda by, now: switching.switch(now, _settings(), by=by, seen=seen, most_per_minute=wanted)
    )


@bp.post("/opening")
@requires_role(Role.ADMIN)
def set_opening() -> ResponseReturnValue:
    """Set another opening, as long as it has not opened."""
    seen = {"id": _sent_line(), "opens_at": _sent_opening()}
    try:
        moment = read_opening(request.form, current_settings().event.timezone)
    except FieldRefusal as refusal:
        return _page(errors={error.field: error.message for error in refusal.errors}), 422
    return _try(lambda by, now: switching.open_at(moment, now, _settings(), by=by, seen=seen))


@bp.get("/new-line")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def ask_new_line() -> ResponseReturnValue:
    """Ask whether to begin a new line: everybody who waits loses the place."""
    door, _line, _seats = _look(_settings())
    return render_template("staff/fair_door/new_line.html", line=door.id)


@bp.post("/new-line")
@requires_role(Role.ADMIN)
@requires_fresh_proof
def begin_new_line() -> ResponseReturnValue:
    """Begin a line for another sale."""
    seen = {"id": _sent_line()}
    return _try(
        lambda by, now: switching.begin_new_line(None, now, _settings(), by=by, seen=seen), "begun"
    )


def _try(change: Callable[[Actor, datetime], None], done: str = "switched") -> ResponseReturnValue:
    """Change the line, or show why not and how it stands."""
    try:
        change(the_member().actor, utcnow())
    except switching.SwitchedMeanwhile:
        return _page(SWITCHED), 409
    except switching.AlreadyDrawn:
        return _page(OPEN_ALREADY), 409
    return redirect(url_for("staff_fair_door.show", done=done), code=303)


def _settings() -> FairDoorSettings:
    settings = current_settings().fair_door
    if settings is None:
        raise NotFound
    return settings


def _sent_line() -> int | None:
    return request.form.get("line", type=int)


def _sent_opening() -> datetime | None:
    try:
        return datetime.fromisoformat(request.form.get("was_opening", ""))
    except ValueError:
        return None


def _look(settings: FairDoorSettings) -> tuple[Door, Line, Seats]:
    now = utcnow()
    admission.ensure_door(now, settings)
    return read_line(now)


def _page(notice: Words | None = None, errors: Mapping[str, Words] | None = None) -> str:
    settings, zone = current_settings().fair_door, current_settings().event.timezone
    if settings is None:
        return render_template("staff/fair_door/not_set_up.html")
    door, line, seats = _look(settings)
    opens_at = door.opens_at or settings.opens_at
    typed = {"pace": typed_whole(door.most_per_minute), "opens_at": typed_moment(opens_at, zone)}
    context: dict[str, Any] = {
        "door": door,
        "waiting": max(0, line.length - door.admitted),
        "seats": seats,
        "settings": settings,
        "opens_at": opens_at,
        "typed": typed | {name: request.form.get(name, "") for name in errors or ()},
        "errors": errors or {},
        "notice": notice,
        "done": DONE.get(request.args.get("done", "")),
        "zone": zone_name(utcnow(), zone),
        "here": url_for("staff_fair_door.show"),
    }
    return render_template("staff/fair_door/show.html", **context)

"""The scanner: one page for a phone at the door, and a plain form where no script runs."""

from datetime import datetime
from uuid import UUID, uuid4

from flask import Blueprint, Response, g, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import BadRequest

from app.clock import utcnow
from app.extensions import csrf, limiter
from app.formatting import event_time
from app.gateways import current_settings
from app.models import Direction, ScanReason, ScanResult
from app.routes import door_shell, sessions
from app.routes.access import (
    DeviceCutOff,
    RoleNotAllowed,
    find_door_visitor,
    forget_device,
    requires_door,
)
from app.routes.door_words import door_words
from app.routes.language import current_language, switch_to
from app.services.door import devices
from app.services.door.callers import DoorCaller
from app.services.door.checkin import Scan, check_in
from app.services.door.verdicts import Verdict

bp = Blueprint("door", __name__)


@bp.get("/door")
def scanner() -> ResponseReturnValue:
    """Show the scanner to who may scan, else the two ways in; `language` changes it."""
    switch_to(request.args.get("language", ""))
    try:
        caller = find_door_visitor()
    except (DeviceCutOff, RoleNotAllowed) as refusal:
        return _private(_ways_in(refusal))
    return _private(_ways_in() if caller is None else _scanner(caller))


@bp.post("/door")
@limiter.limit("600 per minute")
def check_typed() -> ResponseReturnValue:
    """Check one typed code without scripts, and show the verdict as a page."""
    try:
        caller = find_door_visitor()
    except (DeviceCutOff, RoleNotAllowed) as refusal:
        return _private(_ways_in(refusal))
    if caller is None:
        return _private(_ways_in())
    now = utcnow()
    verdict = check_in(_typed_scan(caller, now), caller=caller, now=now)
    return _private(_verdict_page(verdict))


@bp.post("/door/leave")
@csrf.exempt  # `requires_door` sees to it
@limiter.limit("60 per minute")
@requires_door()
def leave() -> ResponseReturnValue:
    """End this browser's access to the door: its device is cut off, who is logged in is out.

    `deviceId` says whose access is meant (null: a log-in's): one given since stays.
    """
    who: DoorCaller = g.door_caller
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadRequest
    is_meant = body.get("deviceId", who.device_id) == who.device_id
    response: Response = jsonify({"left": is_meant})
    if not is_meant:
        return response
    if who.device_id is not None:
        devices.cut_off(who.device_id, by=who.actor, now=utcnow())
    sessions.end()
    forget_device(response)
    # The script has wiped the phone already; the browser would break into what it still does.
    del response.headers["Clear-Site-Data"]
    return response


def _typed_scan(caller: DoorCaller, now: datetime) -> Scan:
    """Read the form; its scan id makes a page that is sent twice one scan."""
    try:
        scan_id = str(UUID(request.form["scan_id"]))
        direction = Direction(request.form.get("direction", "in"))
    except ValueError as error:
        raise BadRequest from error
    gate = caller.gate.name if caller.gate else None
    return Scan(request.form["code"].strip()[:200], scan_id, now, gate, direction)


def _scanner(caller: DoorCaller) -> str:
    return door_shell.render_page(
        current_language(),
        door_shell.shell_version(),
        caller=caller,
        form_token=generate_csrf(),
        scan_id=uuid4(),
    )


def _verdict_page(verdict: Verdict) -> str:
    words = door_words()
    is_out = verdict.direction is Direction.OUT
    is_admitted = verdict.result is ScanResult.ADMITTED
    return render_template(
        "door/verdict.html",
        verdict=verdict,
        word=words["admitted_out" if is_admitted and is_out else verdict.result.value],
        reason=_reason(verdict, words),
        version=door_shell.shell_version(),
    )


def _reason(verdict: Verdict, words: dict[str, str]) -> str:
    """Say why not, in the words of the scanner's script."""
    if verdict.reason is None:
        return ""
    if verdict.reason is ScanReason.ALREADY_ADMITTED and verdict.admitted_at:
        when = event_time(verdict.admitted_at, current_settings().event.timezone)
        if not verdict.gate:
            return words["already_admitted_somewhere"].format(when=when)
        where = words["at_gate"].format(gate=verdict.gate)
        return words["already_admitted"].format(where=where, when=when)
    return words[verdict.reason.value].format(lane=verdict.holder.lane if verdict.holder else "")


def _ways_in(refusal: DeviceCutOff | RoleNotAllowed | None = None) -> str:
    return render_template("door/ways_in.html", refusal=refusal)


def _private(page: str) -> Response:
    response: Response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return door_shell.allow_scanner(response)

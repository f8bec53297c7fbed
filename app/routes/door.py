"""The scanner: one page for a phone at the door, and a plain form where no script runs."""

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from app.routes import door_shell
from app.routes.access import DeviceCutOff, RoleNotAllowed, find_door_visitor
from app.routes.language import current_language, switch_to
from app.services.door.callers import DoorCaller

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


def _scanner(caller: DoorCaller) -> str:
    return door_shell.render_page(
        current_language(),
        door_shell.shell_version(),
        caller=caller,
        form_token=generate_csrf(),
    )


def _ways_in(refusal: DeviceCutOff | RoleNotAllowed | None = None) -> str:
    return render_template("door/ways_in.html", refusal=refusal)


def _private(page: str) -> Response:
    response: Response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return door_shell.allow_scanner(response)

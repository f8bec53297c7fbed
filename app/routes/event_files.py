"""Files made from the event's settings: its colours, logo and hero picture."""

from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import NotFound

from app.colours import BLACK, button_colours, mix
from app.config import DEFAULT_ACCENT, Event
from app.gateways import current_settings
from app.pictures import Picture
from app.routes.assets import KEEP_VERSIONED, short_hash

# A picture is only looked at: opened by itself, an SVG file runs nothing and loads nothing.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
HOVER_SHARE = 0.2

bp = Blueprint("event_files", __name__)


@bp.get("/event.css")
def stylesheet() -> Response:
    """Give the event's colours as design tokens, above those of the stylesheet."""
    return _versioned(Response(_tokens(current_settings().event), mimetype="text/css"))


@bp.get("/event/<any(logo, hero):name>")
def picture(name: str) -> Response:
    """Give the logo or the hero picture of the settings."""
    found = _picture(name)
    if found is None:
        raise NotFound
    response = _versioned(Response(found.content, mimetype=found.mimetype))
    response.headers["Content-Security-Policy"] = PICTURE_POLICY
    return response


@bp.app_template_global()
def event_stylesheet_url() -> str | None:
    """Return the address of the event's colours, None when they are those of the stylesheet."""
    event = current_settings().event
    if event.accent == DEFAULT_ACCENT:
        return None
    return url_for("catalogue.event_files.stylesheet", v=short_hash(_tokens(event).encode()))


@bp.app_template_global()
def event_picture_url(name: str, *, external: bool = False) -> str | None:
    """Return the address of the `logo` or the `hero`, None when the settings have none.

    `external` adds what buyers type, for readers elsewhere.
    """
    found = _picture(name)
    if found is None:
        return None
    path = url_for("catalogue.event_files.picture", name=name, v=found.version)
    return current_settings().public_url + path if external else path


def _picture(name: str) -> Picture | None:
    event = current_settings().event
    return event.logo if name == "logo" else event.hero


def _tokens(event: Event) -> str:
    button, words = button_colours(event.accent)
    values = {
        "accent": event.accent,
        "action": event.action,
        "button": button,
        "button-strong": mix(button, BLACK, HOVER_SHARE),
        "on-button": words,
    }
    return ":root { " + " ".join(f"--{name}: {value};" for name, value in values.items()) + " }\n"


def _versioned(response: Response) -> Response:
    """Let browsers keep what was asked for by its version."""
    if "v" in request.args:
        response.headers["Cache-Control"] = KEEP_VERSIONED
    return response

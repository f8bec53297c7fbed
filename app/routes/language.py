"""The language of the pages: Indonesian first, English one click away."""

import re
from typing import Any

from flask import Blueprint, Request, Response, g, has_request_context, redirect, request, url_for
from flask_babel import get_locale, refresh
from markupsafe import Markup, escape
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

LANGUAGES = {"id": "Bahasa Indonesia", "en": "English"}
DEFAULT = "id"
ORGANISERS = "id"  # in which names and descriptions of tickets are written
HYPHENATED = re.compile(r"\be-ti\w+", re.IGNORECASE)
COOKIE = "language"
ONE_YEAR = 365 * 24 * 3600

bp = Blueprint("language", __name__)


def select_locale() -> str:
    """Return the reader's language: the one once chosen, else the browser's, else Indonesian."""
    if not has_request_context():
        return DEFAULT  # a worker or a command: each mail and ticket names its own language
    chosen = g.get("chosen_language")
    return chosen if chosen in LANGUAGES else language_of(request)


def language_of(asked: Request) -> str:
    """Return the language that a request's cookie names, else the one its browser likes best."""
    kept = asked.cookies.get(COOKIE)
    if kept in LANGUAGES:
        return kept
    return asked.accept_languages.best_match(list(LANGUAGES), DEFAULT) or DEFAULT


@bp.get("/language/<code>")
def choose(code: str) -> AnyResponse:
    """Keep the chosen language for a year and lead back to where the reader was."""
    if code not in LANGUAGES:
        raise NotFound
    g.chosen_language = code
    return redirect(own_path(request.args.get("next", ""), url_for("catalogue.index")), code=303)


def switch_to(code: str) -> None:
    """Write the rest of this answer in another language, and keep it; ignores unknown ones."""
    if code in LANGUAGES:
        g.chosen_language = code
        refresh()


@bp.after_app_request
def keep_choice(response: Response) -> Response:
    """Keep a language chosen by this request for a year."""
    if code := g.get("chosen_language"):
        response.set_cookie(
            COOKIE, code, max_age=ONE_YEAR, httponly=True, samesite="Lax", secure=request.is_secure
        )
    return response


@bp.app_template_filter()
def own(text: str) -> Markup:
    """Mark the organiser's own words on a page in another language, for who has it read aloud."""
    if current_language() == ORGANISERS:
        return escape(text)
    return Markup('<span lang="{}">{}</span>').format(ORGANISERS, text)


@bp.app_template_filter()
def whole(text: str) -> Markup:
    """Keep `e-ticket` on one line: browsers may break it at its hyphen."""
    safe = str(escape(text))  # a plain one: parts that re puts into a Markup are escaped again
    return Markup(HYPHENATED.sub(r'<span class="whole">\g<0></span>', safe))  # noqa: S704


@bp.app_context_processor
def language_context() -> dict[str, Any]:
    """Give every template the language it is written in and the others on offer."""
    if not has_request_context():
        return {}
    return {"language": current_language(), "languages": LANGUAGES, "here": _here()}


@bp.after_app_request
def vary_by_language(response: Response) -> Response:
    """Tell caches what a page depends on."""
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", current_language())
    return response


def current_language() -> str:
    """Return `id` or `en`, the language of this request."""
    locale = get_locale()
    return locale.language if locale and locale.language in LANGUAGES else DEFAULT


def _here() -> str:
    """Return the path to come back to; a form that was sent cannot be sent again by a link."""
    return request.full_path.rstrip("?") if request.method == "GET" else request.path


def own_path(path: str, otherwise: str) -> str:
    """Return `path` when it stays on this site, else `otherwise`.

    Browsers read `//host` and `/\\host` as another host, and drop control characters first.
    """
    is_path = path.startswith("/") and not path.startswith("//")
    is_plain = path.isprintable() and "\\" not in path
    return path if is_path and is_plain else otherwise

"""One renderer for every refusal: problem+json for the API, a fragment for htmx, else a page."""

import functools
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, Response, current_app, jsonify, make_response, request
from flask.typing import ResponseReturnValue
from flask_babel import format_timedelta
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from markupsafe import Markup
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.clock import utcnow
from app.errors import Busy, DomainError, FieldError, RateLimited, ValidationFailed
from app.extensions import limiter
from app.gateways import current_settings
from app.routes.htmx import wants_fragment
from app.routes.language import language_context
from app.routes.ways_on import reload_part, reloads_itself, ways_on, what_was_typed
from app.services.running.transaction import is_conflict, is_outage
from app.tracing import current_request_id

E = TypeVar("E", bound=Exception)
Handler = Callable[[E], ResponseReturnValue]

log = logging.getLogger("app")

# Codes and words for what the framework refuses by itself.
HTTP_CODES: Mapping[int, tuple[str, Any, Any]] = {
    400: (
        "bad_request",
        _l("This request cannot be understood"),
        _l("Please go back, reload the page and try again."),
    ),
    403: ("forbidden", _l("You may not do this"), _l("Log in with an account that may.")),
    404: (
        "not_found",
        _l("Page not found"),
        _l("Check the address, or start again from the ticket page."),
    ),
    405: (
        "method_not_allowed",
        _l("This cannot be done at this address"),
        _l("It only takes what a form sends. Go back to the page of the form."),
    ),
    413: (
        "payload_too_large",
        _l("Too much was sent"),
        _l("Shorten what you typed and send it again: at most 64 KiB are accepted."),
    ),
    415: (
        "unsupported_media_type",
        _l("This content type is not accepted"),
        _l("Send JSON with “Content-Type: application/json”."),
    ),
    429: ("rate_limited", _l("Too many requests"), _l("Please wait a moment, then try again.")),
    500: (
        "internal_error",
        _l("Something went wrong on our side"),
        _l("It was noted under the number below. Try again; if it stays so, write to us."),
    ),
    503: ("busy", Busy.title, _l("Nothing was booked or charged. Please try again in a moment.")),
}


def init_app(app: Flask) -> None:
    """Register the handlers; exceptions nobody expects stay Flask's, which logs them whole."""
    app.register_error_handler(DomainError, render_refusal)
    app.register_error_handler(HTTPException, render_http)
    app.register_error_handler(RateLimitExceeded, _render_rate_limit)
    app.register_error_handler(DBAPIError, _render_database)
    app.register_error_handler(PoolTimeout, _render_database)


def render_refusal(error: DomainError) -> Response:
    """Answer a refusal in the form its caller reads."""
    problem = {
        "title": str(error.title),
        "status": error.status,
        "detail": str(error.detail),
        "code": error.code,
        **error.extra(),
    }
    return _render(problem, retry_after=error.retry_after)


def _render(problem: dict[str, Any], retry_after: int | None = None) -> Response:
    problem = {"type": "about:blank", **problem, "requestId": current_request_id()}
    if request.path.startswith("/api/"):
        response = jsonify(problem)
        response.mimetype = "application/problem+json"
    else:
        response = make_response(_page(problem, retry_after))
    response.status_code = problem["status"]
    response.headers["Cache-Control"] = "no-store"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
        if reloads_itself(problem["status"]):
            response.headers["Refresh"] = str(retry_after)
    if problem["status"] == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def _page(problem: dict[str, Any], retry_after: int | None) -> str:
    """Return the page or the part of one for people.

    Templates are rendered without Flask's context processors: some of them ask the database, which
    may be what failed. When even that fails, words without a template are left.
    """
    name = "errors/_problem.html" if wants_fragment() else "errors/problem.html"
    try:
        status, code, request_id = problem["status"], problem["code"], problem["requestId"]
        return current_app.jinja_env.get_template(name).render(
            problem=problem | {"request_id": request_id},
            ways=reload_part() if wants_fragment() else ways_on(status, code, request_id),
            wait=format_timedelta(timedelta(seconds=retry_after)) if retry_after else None,
            is_reloading=retry_after is not None and reloads_itself(status),
            typed=what_was_typed(status),
            **language_context(),
        )
    except Exception:
        log.exception("the error page itself failed")
        return last_words(problem["requestId"])


def last_words(request_id: str) -> str:
    """Return a page that nothing can keep from being shown: no template, language or style."""
    event = current_settings().event
    page = Markup(
        '<!doctype html>\n<html lang="id"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>{name}</title>'
        '<main id="problem"><h1>Ada masalah di pihak kami</h1>'
        "<p>Silakan coba lagi sebentar lagi.</p>"
        '<div lang="en"><h2>Something went wrong on our side</h2>'
        "<p>Please try again in a moment.</p></div>"
        '<p><a href="/">{name}</a> · <a href="mailto:{contact}?subject={id}">{contact}</a></p>'
        "<p><code>{id}</code></p></main></html>\n"
    )
    return page.format(name=event.name, contact=event.contact_email, id=request_id)


def may_refuse(handler: Handler[E]) -> Handler[E]:
    """Let an error handler of a few pages refuse in turn, as any view may.

    Flask answers what an error handler raises with 500, whatever it is.
    """

    @functools.wraps(handler)
    def handle(error: E) -> ResponseReturnValue:
        try:
            return handler(error)
        except DomainError as refusal:
            return render_refusal(refusal)
        except HTTPException as refusal:
            return render_http(refusal)
        except (DBAPIError, PoolTimeout) as failure:
            return _render_database(failure)

    return handle


def render_http(error: HTTPException) -> Response:
    """Answer a refusal of the framework's in the form its caller reads."""
    if error.response is not None:
        return error.response  # type: ignore[return-value]  # an answer somebody made on purpose
    if isinstance(error, CSRFError):
        return _render(
            {
                "title": _("This form is too old"),
                "status": 400,
                "detail": _("Please go back, reload the page and send it again."),
                "code": "csrf_failed",
            }
        )
    messages = getattr(error, "data", {}).get("messages")
    if error.code == 422 and messages:
        # webargs groups them by where they were: json, query, headers
        errors = [error for inner in messages.values() for error in field_errors(inner)]
        return render_refusal(ValidationFailed(errors))
    code, title, detail = HTTP_CODES.get(error.code or 500, HTTP_CODES[400])
    status = error.code or 500
    problem = {"title": str(title), "status": status, "detail": str(detail), "code": code}
    response = _render(problem)
    if error.code == 405 and (allowed := getattr(error, "valid_methods", None)):
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def field_errors(messages: Any, path: tuple[str, ...] = ()) -> list[FieldError]:
    """Turn nested messages into fields such as `items.0.quantity`."""
    if isinstance(messages, Mapping):
        errors = []
        for key, inner in messages.items():
            errors += field_errors(inner, path if key == "_schema" else (*path, str(key)))
        return errors
    words = messages if isinstance(messages, list) else [messages]
    return [FieldError(".".join(path), word) for word in words[:1]]


def _render_rate_limit(error: RateLimitExceeded) -> Response:
    current = limiter.current_limit
    whole = int(error.limit.limit.get_expiry())
    left = current.reset_at - int(utcnow().timestamp()) if current else whole
    return render_refusal(RateLimited(retry_after=min(max(left, 1), whole)))


def _render_database(error: DBAPIError | PoolTimeout) -> Response:
    if is_outage(error) or is_conflict(error):
        return render_refusal(Busy())
    raise error

"""One renderer for every refusal: problem+json for the API, a fragment for htmx, else a page."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.errors import Busy, DomainError, FieldError, RateLimited, ValidationFailed
from app.routes.htmx import wants_fragment
from app.services.running.transaction import is_conflict, is_outage
from app.tracing import current_request_id

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
        _l("This address does not take that method"),
        _l("Go back to the ticket page."),
    ),
    413: (
        "payload_too_large",
        _l("Too much was sent"),
        _l("At most 64 KiB are accepted. Send less."),
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
        _l("We have been told. If it stays so, send us the number below."),
    ),
}


def init_app(app: Flask) -> None:
    """Register the handlers; exceptions nobody expects stay Flask's, which logs them whole."""
    app.register_error_handler(DomainError, render_refusal)
    app.register_error_handler(HTTPException, _render_http)
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
        shown = problem | {"request_id": problem["requestId"], "retry_after": retry_after}
        name = "errors/_problem.html" if wants_fragment() else "errors/problem.html"
        response = make_response(render_template(name, problem=shown))
    response.status_code = problem["status"]
    response.headers["Cache-Control"] = "no-store"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    if problem["status"] == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


def _render_http(error: HTTPException) -> Response:
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
    seconds = error.limit.limit.get_expiry()
    return render_refusal(RateLimited(retry_after=int(seconds)))


def _render_database(error: DBAPIError | PoolTimeout) -> Response:
    if is_outage(error) or is_conflict(error):
        return render_refusal(Busy())
    raise error

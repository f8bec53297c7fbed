"""What happens around every request: its id, its log line, the security headers."""

import logging
import time

from flask import Flask, Response, current_app, g, request

from app import tracing
from app.config import Settings

log = logging.getLogger("app.request")

HEADERS = "security_headers"
BEGAN = "tickets.began"  # when the request came, before it waited for its turn
QUIET = {"health.healthz", "health.readyz", "health.metrics", "static", "door_shell.file"}


def init_app(app: Flask, settings: Settings) -> None:
    """Register the hooks."""
    app.extensions[HEADERS] = security_headers(settings)
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_forget)


def _begin() -> None:
    offered = request.headers.get(tracing.HEADER)
    g.request_id_scope = tracing.request_id(tracing.accept_request_id(offered))
    g.request_id_scope.__enter__()
    g.started = request.environ.get(BEGAN) or time.monotonic()


def _finish(response: Response) -> Response:
    response.headers[tracing.HEADER] = tracing.current_request_id()
    _secure(response)
    level = logging.DEBUG if request.endpoint in QUIET else logging.INFO
    log.log(
        level,
        "request",
        extra={
            "method": request.method,
            # The rule, not the path: an order page's address is a secret.
            "route": request.url_rule.rule if request.url_rule else None,
            "status": response.status_code,
            "ms": round((time.monotonic() - g.started) * 1000, 1),
        },
    )
    return response


def _secure(response: Response) -> None:
    own = set(response.headers.keys(lower=True))
    for name, value in current_app.extensions[HEADERS].items():
        if name.lower() not in own:
            response.headers.add(name, value)
    if request.endpoint != "static":
        response.vary.add("HX-Request")


def security_headers(settings: Settings) -> dict[str, str]:
    """Return the headers that every answer carries unless it has its own."""
    checkout = " ".join(settings.checkout_origins)
    headers = {
        # Paying is a form answered by a redirect, and form-action follows redirects.
        "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; "
        f"base-uri 'none'; frame-ancestors 'none'; form-action 'self' {checkout}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if settings.public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def _forget(error: BaseException | None) -> None:
    scope = g.pop("request_id_scope", None)
    if scope is not None:
        scope.__exit__(None, None, None)

"""The catalogue for a crowd: what was sent a moment ago is sent again, before Flask begins.

So is the page that tells late comers that all they chose is gone.
Nothing is decided here. An answer is kept as the view gave it, under everything that the view
looks at, and for as long as the view itself would draw the same. The request id, wherever it
stands, is the asker's own; a repeat does not count against anybody's rate.
"""

import itertools
import logging
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Flask, Request

from app import tracing
from app.clock import utcnow
from app.extensions import db
from app.routes.language import COOKIE, language_of
from app.routes.late_comers import CHECKOUT, comes_too_late
from app.services.selling.shop_window import ShopWindow, window_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What each address's answer depends on; its `Vary` says the same to caches.
LANGUAGE = "the reader's language"
OF_A_PAGE = (LANGUAGE, "HTTP_HX_REQUEST", "HTTP_HX_HISTORY_RESTORE_REQUEST")
LOOKED_AT = {"/": OF_A_PAGE, "/api/tickets": (), CHECKOUT: (*OF_A_PAGE, "QUERY_STRING")}
CHOSEN_LANGUAGE = re.compile(rf"(?:^|;\s*){COOKIE}=([^;]*)")
MOST_KEPT = 64
# While one draws anew in a full shop, the others get the last one rather than a refusal.
OLDEST = 5.0
SUMMARY_EVERY = 1_000
# They say of one asker what is not true of the next.
OF_ONE_ASKER = (tracing.HEADER.lower(), "content-length", "x-ratelimit-")

log = logging.getLogger("app.request")

Key = tuple[str, ...]
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """An answer as the view gave it, with the look at the stock that it shows.

    `parts` is the body where it was cut at the request id.
    """

    look: object
    second: int
    kept_at: float
    headers: Headers
    etag: str
    parts: list[bytes]


class ShopFront:
    """A WSGI middleware that repeats the catalogue's answers, and hands on everything else."""

    def __init__(self, app: "WSGIApplication", window: ShopWindow) -> None:
        self._app = app
        self._window = window
        self._kept: dict[Key, Answer] = {}
        self._drawing: dict[Key, float] = {}
        self._guard = threading.Lock()
        self._repeats = itertools.count(1)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if not _is_plain(environ, self._window):
            return self._app(environ, start_response)
        key = _key(environ)
        answer = self._find(key)
        if answer is None:
            return self._ask_view(key, environ, start_response)
        return self._repeat(answer, environ, start_response)

    def _find(self, key: Key) -> Answer | None:
        """Return what may be sent; None lets the caller draw, and others wait for that."""
        kept, now, clock = self._kept.get(key), utcnow(), time.monotonic()
        if kept and kept.look is self._window.seen(now) and kept.second == int(now.timestamp()):
            return kept
        with self._guard:
            is_drawn = clock - self._drawing.get(key, -OLDEST) < OLDEST
            if kept and is_drawn and clock - kept.kept_at < OLDEST:
                return kept
            self._drawing[key] = clock
        return None

    def _ask_view(
        self, key: Key, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Ask for the whole answer, whatever the asker has already: others will want it."""
        told: list[Any] = []

        def start(*status_and_headers: Any) -> Any:
            told[:] = status_and_headers

        whole = {name: environ[name] for name in environ if name != "HTTP_IF_NONE_MATCH"}
        now = utcnow()
        try:
            body = _read(self._app(whole, start))
            status, headers, *_ = told
            if status.startswith("200"):
                self._keep(key, int(now.timestamp()), headers, body)
        finally:
            with self._guard:
                self._drawing.pop(key, None)
        etag = _named(headers).get("etag")
        if status.startswith("200") and etag:
            return _send(headers, etag, body, environ, start_response)
        start_response(*told)
        return [body]

    def _keep(self, key: Key, second: int, headers: Headers, body: bytes) -> None:
        look, named = self._window.seen(utcnow()), _named(headers)
        if "set-cookie" in named or "etag" not in named or look is None:
            return
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        same = [pair for pair in headers if not pair[0].lower().startswith(OF_ONE_ASKER)]
        parts = body.split(named[tracing.HEADER.lower()].encode())
        self._kept[key] = Answer(look, second, time.monotonic(), same, named["etag"], parts)

    def _repeat(
        self, answer: Answer, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if (number := next(self._repeats)) % SUMMARY_EVERY == 0:
            log.info("catalogue repeated", extra={"answered": number})
        offered = tracing.accept_request_id(environ.get("HTTP_X_REQUEST_ID"))
        body = offered.encode().join(answer.parts)
        own = [(tracing.HEADER, offered), ("Content-Length", str(len(body)))]
        return _send([*answer.headers, *own], answer.etag, body, environ, start_response)


def _send(
    headers: Headers,
    etag: str,
    body: bytes,
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
) -> Iterable[bytes]:
    """Send an answer, or only that the asker has it already."""
    known = environ.get("HTTP_IF_NONE_MATCH", "").strip().removeprefix("W/")
    if known not in (etag.removeprefix("W/"), "*"):
        start_response("200 OK", headers)
        return [body]
    bodiless = ("content-type", "content-length")
    start_response(
        "304 NOT MODIFIED", [pair for pair in headers if pair[0].lower() not in bodiless]
    )
    return [b""]


def _named(headers: Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def init_app(app: Flask) -> None:
    """Stand before the application."""
    with app.app_context():
        window = window_of(db.engine)
    app.extensions["shop_front"] = front = ShopFront(app.wsgi_app, window)
    app.wsgi_app = front  # type: ignore[method-assign]


def _read(body: Iterable[bytes]) -> bytes:
    try:
        return b"".join(body)
    finally:
        if close := getattr(body, "close", None):
            close()


def _is_plain(environ: "WSGIEnvironment", window: ShopWindow) -> bool:
    """Tell whether a request wants what everybody gets.

    One that names several versions it has is left to the view.
    """
    return (
        environ["PATH_INFO"] in LOOKED_AT
        and environ["REQUEST_METHOD"] == "GET"
        and "," not in environ.get("HTTP_IF_NONE_MATCH", "")
        and (not environ.get("QUERY_STRING") or comes_too_late(environ, window))
    )


def _key(environ: "WSGIEnvironment") -> Key:
    path = environ["PATH_INFO"]
    return (path, *(_seen(environ, name) for name in LOOKED_AT[path]))


def _seen(environ: "WSGIEnvironment", name: str) -> str:
    if name is not LANGUAGE:
        return str(environ.get(name, ""))
    chosen = CHOSEN_LANGUAGE.search(environ.get("HTTP_COOKIE", ""))
    accepted = environ.get("HTTP_ACCEPT_LANGUAGE", "")
    return _language(chosen.group(1) if chosen else "", accepted)


@lru_cache(maxsize=1_000)
def _language(chosen: str, accepted: str) -> str:
    """Return the language of one reader; hundreds of ways to say it lead to the same few pages."""
    said = {"HTTP_COOKIE": f"{COOKIE}={chosen}", "HTTP_ACCEPT_LANGUAGE": accepted}
    return language_of(Request(said))

"""What a full lane answers: drawn once by the renderer of all refusals, sent to all it refuses.

A service that is full must not spend itself on saying so. What is each reader's own (the number
of the message, the page to come back to, what was typed) is put into the drawing in place of a
mark. Staff and phones at the door, who are few, get a drawing each.
"""

import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from flask import Flask, Request
from markupsafe import Markup, escape

from app import tracing
from app.errors import DomainError
from app.routes.error_handlers import last_words, render_refusal
from app.routes.htmx import asks_for_fragment
from app.routes.language import COOKIE, language_of, own_path
from app.routes.ways_on import STAFF, own_path_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

API = "/api/"
MOST_KEPT = 500
# Nobody can type them.
OWN_ID, OWN_PAGE, OWN_REFERRER, OWN_FIELD = (secrets.token_hex(16) for _ in range(4))
TYPED = f'<input type="hidden" name="{OWN_FIELD}" value="">'
FIELD = Markup('<input type="hidden" name="{}" value="{}">')
IN_QUERY = "!$'()*,/:;?@"  # what stays as it is there

Headers = list[tuple[str, str]]

log = logging.getLogger("app")


class Kind(NamedTuple):
    """All that makes two refusals look different beside what is their readers' own."""

    method: str
    path: str
    language: str
    is_fragment: bool
    is_typed: bool
    retry_after: int


class Drawing(NamedTuple):
    """A refusal with marks in it."""

    headers: Headers
    body: str


class Own(NamedTuple):
    """What is one reader's own: the page, the page it came from, and the fields it typed."""

    page: str = ""
    referrer: str = ""
    typed: tuple[tuple[str, str], ...] = ()

    def put_into(self, body: str) -> str:
        """Put it in place of the marks."""
        if self.typed:
            body = body.replace(TYPED, "".join(FIELD.format(*pair) for pair in self.typed))
        for mark, path in ((OWN_PAGE, self.page), (OWN_REFERRER, self.referrer)):
            if path:
                in_query = escape(quote(path, safe=IN_QUERY))
                body = body.replace(f"next=/{mark}", f"next={in_query}")
                body = body.replace(f"/{mark}", str(escape(path)))
        return body


class Refusals:
    """Answers for those whom a full lane refuses; one for an application."""

    def __init__(self, app: Flask, headers: Mapping[str, str]) -> None:
        self._app = app
        self._common = list(headers.items())
        self._kept: dict[Kind, Drawing] = {}

    def answer(self, environ: "WSGIEnvironment", refusal: DomainError) -> tuple[Headers, bytes]:
        """Return the headers and the body of an answer under the current request id.

        What cannot be read or drawn is answered with a few words all the same.
        """
        try:
            headers, body = self._write(environ, refusal)
        except Exception:
            log.exception("a refusal could not be drawn")
            with self._app.app_context():
                body = last_words(tracing.current_request_id())
            headers = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")]
            headers.append(("Retry-After", str(refusal.retry_after)))
        written = body.encode()
        mine = [
            ("Content-Length", str(len(written))),
            (tracing.HEADER, tracing.current_request_id()),
        ]
        is_bodiless = environ["REQUEST_METHOD"] == "HEAD"
        return [*self._common, *headers, *mine], b"" if is_bodiless else written

    def _write(self, environ: "WSGIEnvironment", refusal: DomainError) -> tuple[Headers, str]:
        request = self._app.request_class(environ)
        own = _own_of(request)
        drawing = self._find(request, own, refusal) if own else self._draw(environ, refusal)
        body = drawing.body.replace(OWN_ID, tracing.current_request_id())
        return drawing.headers, own.put_into(body) if own else body

    def _find(self, request: Request, own: Own, refusal: DomainError) -> Drawing:
        kind = Kind(
            request.method,
            _sample_path(request, own),
            language_of(request),
            asks_for_fragment(request.headers),
            bool(own.typed),
            refusal.retry_after or 0,
        )
        kept = self._kept.get(kind)
        if kept is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            kept = self._kept[kind] = self._draw(self._sample(kind), refusal)
        return kept

    def _draw(self, environ: "WSGIEnvironment", refusal: DomainError) -> Drawing:
        with self._app.request_context(environ) as context, tracing.request_id(OWN_ID):
            response = render_refusal(refusal)
            language = language_of(context.request)
        headers = [pair for pair in response.headers if pair[0] != "Content-Length"]
        if response.mimetype != "text/html":
            return Drawing([*headers, ("Vary", "HX-Request")], response.get_data(as_text=True))
        headers += [("Vary", "HX-Request, Accept-Language, Cookie"), ("Content-Language", language)]
        return Drawing(headers, response.get_data(as_text=True))

    def _sample(self, kind: Kind) -> "WSGIEnvironment":
        """Return a request of this kind whose own parts are the marks."""
        host = "http://localhost"
        page = f"{host}/{OWN_PAGE if kind.is_fragment else OWN_REFERRER}"
        htmx = {"HX-Request": "true", "HX-Current-URL": page} if kind.is_fragment else {}
        context = self._app.test_request_context(
            kind.path,
            host,
            method=kind.method,
            headers={"Cookie": f"{COOKIE}={kind.language}", "Referer": page, **htmx},
            data={OWN_FIELD: ""} if kind.is_typed else None,
        )
        return context.request.environ


def _own_of(request: Request) -> Own | None:
    """Return the reader's own parts; None for a request that gets a drawing of its own."""
    if request.path.startswith(STAFF) or request.method not in ("GET", "POST"):
        return None
    if request.path.startswith(API):
        return Own()
    if asks_for_fragment(request.headers):
        page = own_path_of(request.headers.get("HX-Current-URL"), request.host)
        return Own(page) if page else None
    if request.method == "GET":
        return Own(own_path(request.full_path.rstrip("?"), "/"))
    referrer = own_path_of(request.referrer, request.host)
    if referrer is None or referrer == "/":
        return None  # another page is looked for then, and no page is offered twice
    return Own(request.path, referrer, tuple(request.form.items(multi=True)))


def _sample_path(request: Request, own: Own) -> str:
    """Return the address to draw for: the front page is offered once only, any other beside it."""
    if request.path.startswith(API):
        return API + OWN_PAGE
    return "/" if own.page == "/" else f"/{OWN_PAGE}"

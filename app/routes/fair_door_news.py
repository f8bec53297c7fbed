"""The news for who waits: tens of thousands ask, so they are answered before Flask begins.

A look at the line is shared by all who ask within a second. Whoever finds none, once a second,
goes the usual way, in the lane of the shop, and looks for all others.
"""

import itertools
import json
import logging
import zlib
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from werkzeug.http import parse_cookie

from app import tracing
from app.clock import utcnow
from app.routes.fair_door_cookies import PLACE, TURN, Seals
from app.services.waiting.look import Look, Watch
from app.services.waiting.news import News, news_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATH = "/waiting/news"
RENEW = "fair_door.renew"
SUMMARY_EVERY = 10_000

log = logging.getLogger("app.request")


class NewsDesk:
    """A WSGI middleware that answers questions for news, and hands on everything else."""

    def __init__(
        self, app: "WSGIApplication", *, watch: Watch, seals: Seals, headers: dict[str, str]
    ) -> None:
        self._app = app
        self._watch = watch
        self._seals = seals
        self._headers = list(headers.items())
        self._polls = itertools.count(1)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "GET":
            return self._app(environ, start_response)
        now = utcnow()
        look = self._watch.seen(now)
        if look is None:
            environ[RENEW] = True
            return self._app(environ, start_response)
        self._count()
        return self._answer(environ, start_response, look, now)

    def _answer(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        look: Look,
        now: datetime,
    ) -> Iterable[bytes]:
        body, etag = told(look, news_for(look, self._seals, environ.get("HTTP_COOKIE", ""), now))
        offered = tracing.accept_request_id(environ.get("HTTP_X_REQUEST_ID"))
        headers = [*self._headers, *describe(etag), (tracing.HEADER, offered)]
        if environ.get("HTTP_IF_NONE_MATCH") == etag:
            start_response("304 NOT MODIFIED", headers)
            return [b""]
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    def _count(self) -> None:
        """Log one line for many questions: one each would cost more than the answers."""
        number = next(self._polls)
        if number % SUMMARY_EVERY == 0:
            log.info("questions for news", extra={"route": PATH, "answered": number})


def news_for(look: Look, seals: Seals, cookie_header: str, now: datetime) -> News:
    """Return the news for whoever sent these cookies."""
    cookies = parse_cookie(cookie_header)
    turn = seals.read_turn(cookies.get(TURN))
    is_inside = turn is not None and turn.door_id == look.door.id and turn.until > now
    return news_of(look, seals.read_place(cookies.get(PLACE)), now, is_inside=is_inside)


def told(look: Look, news: News) -> tuple[bytes, str]:
    """Return the news as JSON, and the mark by which a page knows that it has them already.

    A time to the second would be new every time, so the opening is told as a moment.
    """
    opens_at = int(look.opens_at.timestamp()) if look.opens_at and not look.is_open else None
    return _written(
        news.state.value, news.pause, news.ahead, news.minutes, news.is_scarce, opens_at
    )


@lru_cache(maxsize=20_000)
def _written(
    state: str, pause: int, ahead: int, minutes: int, is_scarce: bool, opens_at: int | None
) -> tuple[bytes, str]:
    news = {"state": state, "pause": pause, "ahead": ahead, "minutes": minutes}
    body = json.dumps({**news, "isScarce": is_scarce, "opensAt": opens_at}).encode()
    return body, f'W/"{zlib.crc32(body):08x}"'


def describe(etag: str) -> list[tuple[str, str]]:
    """Return what caches must know: keep it for this browser alone, and ask each time."""
    return [("ETag", etag), ("Cache-Control", "private, no-cache"), ("Vary", "Cookie")]

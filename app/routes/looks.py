"""Counts how often the shop's first page is looked at: how often, and nothing of who.

Counted in memory, in front of everything else, and written once a minute after an answer was sent:
no visitor waits for it. What a process had counted in its last minute is lost with it.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, cast

from flask import Flask
from werkzeug.wsgi import ClosingIterator

from app.clock import utcnow
from app.config import Settings
from app.extensions import db
from app.services.office.charts import add_looks

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


class Looks:
    """Stands before an application and counts whole pages of its first address."""

    def __init__(self, app: Flask, inner: "WSGIApplication") -> None:
        self._app = app
        self._inner = inner
        self._zone = cast(Settings, app.extensions["settings"]).event.timezone
        self._guard = threading.Lock()
        self._counted: Counter[date] = Counter()
        self._written_at = time.monotonic()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        answer = self._inner(environ, start_response)
        if not _is_look(environ):
            return answer
        return ClosingIterator(answer, [self._count])

    def _count(self) -> None:
        day = utcnow().astimezone(self._zone).date()
        with self._guard:
            self._counted[day] += 1
            if time.monotonic() - self._written_at < EVERY_SECONDS:
                return
            self._written_at = time.monotonic()
            counted, self._counted = self._counted, Counter()
        self._write(counted)

    def _write(self, counted: Counter[date]) -> None:
        """Write what was counted; what cannot be written now is for the next minute."""
        for day, looks in counted.items():
            try:
                with self._app.app_context():
                    add_looks(day, looks)
                    db.session.remove()
            except Exception:
                log.exception("looks at the shop were not written")
                with self._guard:
                    self._counted[day] += looks


def init_app(app: Flask) -> None:
    """Stand before the application, and before what repeats its pages."""
    app.wsgi_app = Looks(app, app.wsgi_app)  # type: ignore[method-assign]


def _is_look(environ: "WSGIEnvironment") -> bool:
    is_page = environ.get("REQUEST_METHOD") == "GET" and environ.get("PATH_INFO") == "/"
    return is_page and "HTTP_HX_REQUEST" not in environ

"""Each request in its lane, before Flask begins: what it is for is told by its address alone.

The one exception: who only has to be told something waits beside the shop's lane, not in it.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, cast

from flask import Flask, Response, current_app, request
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from werkzeug.wsgi import ClosingIterator

from app import lanes, tracing
from app.config import Settings
from app.crowd import Crowded
from app.extensions import db
from app.lanes import Gate, Lane, gates_for
from app.routes.hooks import BEGAN, security_headers
from app.routes.late_comers import lane_beside
from app.routes.refusals import Refusals
from app.services.selling.shop_window import ShopWindow, window_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Money, the buyers who have ordered, the door; each with all that is below it.
PAYMENTS = (
    "/api/payment-callback",
    "/api/refund-callback",
    "/orders",
    "/door",
    "/api/check-ins",
    "/api/door",
)
HEALTH = ("/readyz", "/metrics")
# They ask no database; the first has to be answered whatever happens, all pages need the others.
NO_LANE = ("/healthz", "/static", "/event.css", "/event")
TURNSTILE = "turnstile"
IS_MADE_MEANWHILE = "tickets.streams"

log = logging.getLogger("app.request")


class Turnstile:
    """A WSGI middleware that lets requests in by lane, and refuses those that find it full."""

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        gates: dict[Lane, Gate],
        refusals: Refusals,
        window: ShopWindow,
    ) -> None:
        self._app = app
        self._window = window
        self._gates = gates
        self._refusals = refusals
        self.when_refused: list[Callable[[], None]] = []

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        lane = lane_of(environ["PATH_INFO"])
        if lane is None:
            return self._app(environ, start_response)
        if lane is Lane.SHOP:
            lane = lane_beside(environ, self._window) or lane
        environ[BEGAN] = time.monotonic()
        try:
            lanes.enter(self._gates[lane])
        except Crowded as refusal:
            return self._refuse(refusal, lane, environ, start_response)
        try:
            answer = self._app(environ, start_response)
        except BaseException:
            lanes.leave()
            raise
        if environ.get(IS_MADE_MEANWHILE):
            return ClosingIterator(answer, lanes.leave)
        lanes.leave()
        return answer

    def _refuse(
        self,
        refusal: Crowded,
        lane: Lane,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        if lane is not Lane.HEALTH:
            for act in self.when_refused:
                act()
        with tracing.request_id(tracing.accept_request_id(environ.get("HTTP_X_REQUEST_ID"))):
            headers, body = self._refusals.answer(environ, refusal)
            self._note(lane, environ)
        start_response("503 SERVICE UNAVAILABLE", headers)
        return [body]

    def _note(self, lane: Lane, environ: "WSGIEnvironment") -> None:
        """Log it as every request is logged; which rule it would have met nobody has looked up."""
        milliseconds = round((time.monotonic() - environ[BEGAN]) * 1000, 1)
        told = {"method": environ["REQUEST_METHOD"], "route": None, "lane": lane.value}
        log.info("request", extra={**told, "status": Crowded.status, "ms": milliseconds})


def init_app(app: Flask, settings: Settings) -> None:
    """Stand directly before the application: behind whatever answers without it."""
    app.extensions["lanes"] = gates = gates_for(settings.web_threads)
    refusals = Refusals(app, security_headers(settings))
    with app.app_context():
        window = window_of(db.engine)
    turnstile = Turnstile(app.wsgi_app, gates=gates, refusals=refusals, window=window)
    app.extensions[TURNSTILE] = turnstile
    app.wsgi_app = turnstile  # type: ignore[method-assign]
    app.after_request(_note_stream)


def _note_stream(response: Response) -> Response:
    """Note an answer that is made while it is sent: it is work still, and files are not."""
    is_file = response.direct_passthrough
    request.environ[IS_MADE_MEANWHILE] = response.is_streamed and not is_file
    return response


def when_refused(app: Flask, act: Callable[[], None]) -> None:
    """Have `act` called for each who is refused, but for those who only watch."""
    cast(Turnstile, app.extensions[TURNSTILE]).when_refused.append(act)


def current_gates() -> dict[Lane, Gate]:
    """Return the gates of this process by lane."""
    return cast(dict[Lane, Gate], current_app.extensions["lanes"])


def lane_of(path: str) -> Lane | None:
    """Return the lane of an address; None when it needs none."""
    if _is_below(path, NO_LANE):
        return None
    if _is_below(path, PAYMENTS):
        return Lane.PAYMENTS
    return Lane.HEALTH if _is_below(path, HEALTH) else Lane.SHOP


def _is_below(path: str, tops: tuple[str, ...]) -> bool:
    return any(path == top or path.startswith(f"{top}/") for top in tops)


class LaneCollector(Collector):
    """Collects how the lanes of the process that answers stand, under its process id."""

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Yield the gauge and the counter."""
        process = str(os.getpid())
        now = GaugeMetricFamily(
            "tickets_requests",
            "Requests of one web process, by lane",
            labels=["lane", "state", "process"],
        )
        refused = CounterMetricFamily(
            "tickets_requests_refused",
            "Requests refused by one web process because its lane was full",
            labels=["lane", "process"],
        )
        for lane, gate in current_gates().items():
            figures = gate.figures()
            for state in ("at_work", "waiting", "outside", "aside"):
                now.add_metric([lane.value, state, process], getattr(figures, state))
            refused.add_metric([lane.value, process], figures.refused)
        yield now
        yield refused

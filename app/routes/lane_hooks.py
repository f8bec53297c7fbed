"""Each request in its lane: what it is for is told by its address alone."""

import os
from collections.abc import Iterator
from typing import cast

from flask import Flask, current_app, request
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from app import lanes
from app.lanes import Gate, Lane, gates_for

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


def init_app(app: Flask, web_threads: int) -> None:
    """Register the hooks; after those that every answer needs, before all that cost something."""
    app.extensions["lanes"] = gates_for(web_threads)
    app.before_request(_enter)
    app.teardown_request(_leave)


def current_gates() -> dict[Lane, Gate]:
    """Return the gates of this process by lane."""
    return cast(dict[Lane, Gate], current_app.extensions["lanes"])


def _enter() -> None:
    lane = lane_of(request.path)
    if lane is not None:
        lanes.enter(current_gates()[lane])


def _leave(_error: BaseException | None) -> None:
    lanes.leave()


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

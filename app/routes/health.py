"""For operators: alive, able to serve, and numbers for Prometheus."""

import hmac
from datetime import timedelta

from flask import Blueprint, Response, jsonify, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from app.clock import utcnow
from app.errors import NotFound
from app.extensions import limiter
from app.gateways import current_settings
from app.routes.fair_door_metrics import FairDoorCollector
from app.routes.lane_hooks import LaneCollector
from app.services.running import jobs
from app.services.running.inspections import Found, last_inspection
from app.services.running.metrics import ServiceCollector
from app.tracing import current_request_id

bp = Blueprint("health", __name__)
limiter.exempt(bp)

HEARTBEAT_LIMIT = timedelta(seconds=30)


@bp.get("/healthz")
def healthz() -> Response:
    """Answer that the process lives; asks nothing else."""
    return jsonify(status="ok", requestId=current_request_id())


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Answer whether the database answers and a worker was seen within half a minute.

    What the last inspection said of the invariants is told too. It makes nobody unready: a service
    that is taken away cannot be looked into.
    """
    now = utcnow()
    try:
        seen, found = jobs.last_beat(), last_inspection()
        database = "ok"
    except SQLAlchemyError:
        seen, found, database = None, None, "unreachable"
    worker = "ok" if seen and now - seen < HEARTBEAT_LIMIT else "not seen"
    is_ready = database == worker == "ok"
    body = jsonify(
        status="ready" if is_ready else "not ready",
        database=database,
        worker=worker,
        invariants=_said_of(found),
        inspectedSecondsAgo=round(found.age(now).total_seconds()) if found else None,
        requestId=current_request_id(),
    )
    return body, 200 if is_ready else 503


def _said_of(found: Found | None) -> str:
    if found is None:
        return "not checked"
    return "broken" if found.broken else "ok"


@bp.get("/metrics")
def metrics() -> Response:
    """Answer Prometheus. Sales figures are not public: a token, or the machine itself, may ask."""
    if not _may_see_metrics():
        raise NotFound
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LaneCollector())
    now, fair_door = utcnow(), current_settings().fair_door
    registry.register(ServiceCollector(now))
    if fair_door is not None:
        registry.register(FairDoorCollector(now, fair_door))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_see_metrics() -> bool:
    token = current_settings().metrics_token
    if token:
        shown = request.headers.get("Authorization", "")
        return hmac.compare_digest(f"Bearer {token}".encode(), shown.encode())
    is_direct = "X-Forwarded-For" not in request.headers
    return is_direct and request.remote_addr in ("127.0.0.1", "::1")

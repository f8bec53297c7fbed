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
from app.routes.lane_hooks import LaneCollector
from app.services.running import jobs
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
    """Answer whether the database answers and a worker was seen within half a minute."""
    try:
        seen = jobs.last_beat()
        database = "ok"
    except SQLAlchemyError:
        seen, database = None, "unreachable"
    worker = "ok" if seen and utcnow() - seen < HEARTBEAT_LIMIT else "not seen"
    is_ready = database == worker == "ok"
    body = jsonify(
        status="ready" if is_ready else "not ready",
        database=database,
        worker=worker,
        requestId=current_request_id(),
    )
    return body, 200 if is_ready else 503


@bp.get("/metrics")
def metrics() -> Response:
    """Answer Prometheus. Sales figures are not public: a token, or the machine itself, may ask."""
    if not _may_see_metrics():
        raise NotFound
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LaneCollector())
    registry.register(ServiceCollector(utcnow()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_see_metrics() -> bool:
    token = current_settings().metrics_token
    if token:
        shown = request.headers.get("Authorization", "")
        return hmac.compare_digest(f"Bearer {token}".encode(), shown.encode())
    is_direct = "X-Forwarded-For" not in request.headers
    return is_direct and request.remote_addr in ("127.0.0.1", "::1")

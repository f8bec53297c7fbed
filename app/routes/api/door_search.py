"""GET /api/door/search: a guest without a code, for the scanner page."""

from typing import Any

from flask import Blueprint, Response, g, jsonify
from webargs.flaskparser import use_kwargs

from app.errors import InsufficientScope
from app.extensions import limiter
from app.gateways import current_settings
from app.routes.access import requires_door
from app.routes.api.check_in_schemas import SearchSchema
from app.routes.credentials import scanner
from app.services.door.search import Found, search_guests
from app.tracing import current_request_id

bp = Blueprint("api_door_search", __name__, url_prefix="/api/door")


@bp.get("/search")
@limiter.limit("120 per minute", key_func=scanner)
@requires_door()
@use_kwargs(SearchSchema, location="query")
def search(q: str) -> Response:
    """Find guests by name or order. Partners' systems may not: names are for the door."""
    if g.door_caller.api_key_id is not None:
        raise InsufficientScope
    results = [_dump(found) for found in search_guests(q)]
    response = jsonify({"results": results, "requestId": current_request_id()})
    response.headers["Cache-Control"] = "no-store"
    return response


def _dump(found: Found) -> dict[str, Any]:
    zone = current_settings().event.timezone
    entered = found.admitted_at and found.admitted_at.astimezone(zone)
    return {
        "code": found.code,
        "attendee": found.attendee,
        "type": found.ticket_type,
        "orderCode": found.order_code,
        "admittedAt": entered.isoformat(timespec="seconds") if entered else None,
        "gate": found.gate,
        "refusedFor": found.refused_for.value if found.refused_for else None,
    }

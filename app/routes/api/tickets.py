"""GET /api/tickets."""

import hashlib
import json
from typing import Any

from flask import Response, jsonify, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from app.clock import utcnow
from app.extensions import limiter
from app.gateways import current_settings
from app.routes.api.schemas import ProblemSchema, TicketListSchema, TicketSchema
from app.routes.credentials import caller
from app.services.selling.catalogue import TicketOnSale, list_tickets
from app.tracing import current_request_id

bp = Blueprint("api_tickets", __name__, url_prefix="/api", description="The catalogue")


class TicketQuerySchema(Schema):
    """Which tickets to list."""

    class Meta:
        unknown = "exclude"

    status = fields.String(
        load_default="active",
        validate=validate.OneOf(["active", "all"]),
        metadata={"description": "`all` adds the upcoming and the ended ones."},
    )


@bp.get("/tickets")
@limiter.limit("600 per minute", key_func=caller)
@bp.arguments(TicketQuerySchema, location="query")
@bp.response(200, TicketListSchema)
@bp.alt_response(422, schema=ProblemSchema, content_type="application/problem+json")
def list_on_sale(query: dict[str, str]) -> Response:
    """List the tickets whose sale is open now."""
    tickets = list_tickets(utcnow(), include_all=query["status"] == "all")
    dumped = [_dump(ticket) for ticket in tickets]
    response = jsonify(tickets=dumped, requestId=current_request_id())
    response.set_etag(hashlib.sha256(json.dumps(dumped).encode()).hexdigest()[:32], weak=True)
    response.headers["Cache-Control"] = "no-cache"  # keep it, but ask each time whether it changed
    return response.make_conditional(request)  # type: ignore[return-value]


def _dump(ticket: TicketOnSale) -> dict[str, Any]:
    dumped: dict[str, Any] = TicketSchema().dump(ticket)
    zone = current_settings().event.timezone
    dumped["validFrom"] = ticket.valid_from.astimezone(zone).isoformat()
    dumped["validUntil"] = ticket.valid_until.astimezone(zone).isoformat()
    return dumped

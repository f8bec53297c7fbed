"""GET /api/tickets."""

import json
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from app.clock import utcnow
from app.extensions import limiter
from app.gateways import current_settings
from app.routes.api.problems import may_refuse
from app.routes.api.schemas import TicketListSchema, TicketSchema
from app.routes.credentials import caller
from app.routes.drawings import drawn
from app.services.selling.catalogue import ACTIVE, TicketOnSale
from app.services.selling.shop_window import look_at_tickets
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
@bp.arguments(TicketQuerySchema(), location="query")  # an instance: a class is built anew each time
@bp.response(200, TicketListSchema)
@may_refuse(bp, 422)
def list_on_sale(query: dict[str, str]) -> Response:
    """List the tickets whose sale is open now.

    `available` and `status` are at most a second old. Ask again with `If-None-Match`: 304 says that
    nothing has changed.
    """
    shown = query["status"]
    looked = look_at_tickets(utcnow())
    tickets = [ticket for ticket in looked if shown == "all" or ticket.status in ACTIVE]
    listed = drawn((bp.name, shown), tickets, lambda: _list(tickets))
    body = f'{{"requestId":{json.dumps(current_request_id())},"tickets":{listed.body}}}\n'
    response = Response(body, mimetype="application/json")
    # Weak, and of the tickets alone: the request id is another each time.
    response.set_etag(listed.etag, weak=True)
    response.headers["Cache-Control"] = "no-cache"  # keep it, but ask each time whether it changed
    return response.make_conditional(request)  # type: ignore[return-value]


def _list(tickets: list[TicketOnSale]) -> str:
    return json.dumps([_dump(ticket) for ticket in tickets], separators=(",", ":"))


def _dump(ticket: TicketOnSale) -> dict[str, Any]:
    dumped: dict[str, Any] = TicketSchema().dump(ticket)
    zone = current_settings().event.timezone
    dumped["validFrom"] = ticket.valid_from.astimezone(zone).isoformat()
    dumped["validUntil"] = ticket.valid_until.astimezone(zone).isoformat()
    return dumped

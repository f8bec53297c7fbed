"""POST /api/orders and GET /api/orders/{code}."""

from typing import Any

from flask import Response, g, jsonify, url_for
from flask_smorest import Blueprint

from app.clock import utcnow
from app.errors import OrderNotFound
from app.extensions import limiter
from app.gateways import current_gateways, current_settings
from app.models import Order, OrderStatus
from app.routes.access import caller, requires_key
from app.routes.api.bodies import json_object
from app.routes.api.schemas import (
    OrderAnswerSchema,
    OrderHeadersSchema,
    OrderRequestSchema,
    ProblemSchema,
)
from app.services.money.invoice_line import place_in_line
from app.services.money.invoicing import try_open_invoice
from app.services.selling.ordering import (
    IdempotencyRef,
    OrderRequest,
    find_order_by_code,
    place_order,
)
from app.tracing import current_request_id

bp = Blueprint("api_orders", __name__, url_prefix="/api", description="Orders")

RETRY_AFTER_SECONDS = 5  # when to ask for the invoice that follows
PROBLEM = {"schema": ProblemSchema, "content_type": "application/problem+json"}


@bp.post("/orders")
@limiter.limit("600 per minute", key_func=caller)
@requires_key("orders:write")
@json_object
@bp.arguments(OrderHeadersSchema, location="headers")
@bp.arguments(OrderRequestSchema)
@bp.response(201, OrderAnswerSchema)
@bp.alt_response(202, schema=OrderAnswerSchema, description="Held; the invoice follows by itself")
@bp.alt_response(400, **PROBLEM)
@bp.alt_response(401, **PROBLEM)
@bp.alt_response(403, **PROBLEM)
@bp.alt_response(409, **PROBLEM)
@bp.alt_response(422, **PROBLEM)
@bp.alt_response(429, **PROBLEM)
@bp.alt_response(503, **PROBLEM)
@bp.doc(security=[{"apiKey": []}])
def create(headers: dict[str, Any], wanted: OrderRequest) -> Response:
    """Hold the seats, write the order and open its invoice."""
    settings, now = current_settings(), utcnow()
    key = headers["idempotency_key"]
    placed = place_order(
        wanted,
        now=now,
        settings=settings,
        idempotency=IdempotencyRef(f"key:{g.api_key_id or 'anyone'}", key) if key else None,
        api_key_id=g.api_key_id,
    )
    try_open_invoice(placed, now=now, gateway=current_gateways().xendit, settings=settings)
    order = _get_order(placed.code)
    response = jsonify(_dump(order))
    response.status_code = 202 if _invoice_follows(order) else 201
    if response.status_code == 202:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response.headers["Location"] = url_for("api_orders.show", code=order.code)
    return response


@bp.get("/orders/<code>")
@limiter.limit("600 per minute", key_func=caller)
@requires_key("orders:write")
@bp.response(200, OrderAnswerSchema)
@bp.alt_response(401, **PROBLEM)
@bp.alt_response(403, **PROBLEM)
@bp.alt_response(404, **PROBLEM)
@bp.doc(security=[{"apiKey": []}])
def show(code: str) -> Response:
    """Show an order this key made."""
    return jsonify(_dump(_get_order(code)))


def _get_order(code: str) -> Order:
    order = find_order_by_code(code, api_key_id=g.api_key_id)
    if order is None:
        raise OrderNotFound
    return order


def _invoice_follows(order: Order) -> bool:
    return order.status is OrderStatus.PENDING and order.payment.invoice_id is None


def _dump(order: Order) -> dict[str, Any]:
    settings = current_settings()
    answer = {"order": order, "payment": order.payment, "request_id": current_request_id()}
    if order.is_paid:
        answer["e_tickets"] = order.e_tickets
    dumped: dict[str, Any] = OrderAnswerSchema().dump(answer)
    expires_at = order.expires_at.astimezone(settings.event.timezone)
    dumped["order"]["expiresAt"] = expires_at.isoformat(timespec="seconds")
    dumped["order"]["url"] = f"{settings.public_url}/orders/{order.token}"
    if _invoice_follows(order):
        dumped["payment"]["line"] = _line(order)
    return dumped


def _line(order: Order) -> dict[str, int | None]:
    """Return the place of an order whose invoice follows, as its page tells it too."""
    since = order.expires_at - current_settings().order_hold
    place = place_in_line(order.id, utcnow(), since=since)
    seconds = None if place.wait is None else round(place.wait.total_seconds())
    return {"ahead": place.ahead, "estimatedSeconds": seconds}

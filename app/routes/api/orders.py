"""POST /api/orders and GET /api/orders/{code}."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from flask import Response, g, jsonify, url_for
from flask_smorest import Blueprint

from app.clock import utcnow
from app.errors import OrderNotFound
from app.extensions import limiter
from app.gateways import current_gateways, current_settings
from app.models import Order, OrderStatus, Payment, PaymentStatus
from app.routes.access import requires_key
from app.routes.api.bodies import json_object
from app.routes.api.problems import may_refuse
from app.routes.api.schemas import (
    OrderAnswerSchema,
    OrderHeadersSchema,
    OrderRequestSchema,
)
from app.routes.credentials import caller
from app.routes.voucher_codes import guessing
from app.services.money import invoice_line
from app.services.money.invoicing import try_open_invoice
from app.services.selling.ordering import (
    IdempotencyRef,
    OrderRequest,
    PlacedOrder,
    find_order_by_code,
    place_order,
)
from app.tracing import current_request_id


@dataclass(frozen=True)
class NoInvoiceYet:
    """What a payment is told as while its invoice is being made."""

    status: PaymentStatus = PaymentStatus.PENDING
    invoice_id: None = None
    invoice_url: None = None


NO_INVOICE_YET = NoInvoiceYet()
# Made once: what a schema holds is looked up for each new one.
ANSWER = OrderAnswerSchema()
E_TICKETS = OrderAnswerSchema(only=("e_tickets",))

bp = Blueprint("api_orders", __name__, url_prefix="/api", description="Orders")

RETRY_AFTER_SECONDS = 5  # when to ask for the invoice that follows


@bp.post("/orders")
@limiter.limit("600 per minute", key_func=caller)
@requires_key("orders:write")
@json_object
@bp.arguments(OrderHeadersSchema(), location="headers")
@bp.arguments(OrderRequestSchema())
@bp.response(201, OrderAnswerSchema)
@bp.alt_response(202, schema=OrderAnswerSchema, description="Held; the invoice follows by itself")
@may_refuse(bp, 400, 401, 403, 409, 422, 429, 503)
@bp.doc(security=[{"apiKey": []}])
def create(headers: dict[str, Any], wanted: OrderRequest) -> Response:
    """Hold the seats, write the order and open its invoice."""
    settings, now = current_settings(), utcnow()
    key = headers["idempotency_key"]
    with guessing() if wanted.voucher else nullcontext():
        placed = place_order(
            wanted,
            now=now,
            settings=settings,
            idempotency=IdempotencyRef(f"key:{g.api_key_id or 'anyone'}", key) if key else None,
            api_key_id=g.api_key_id,
            has_head_start=invoice_line.is_free(now),
        )
    has_invoice = try_open_invoice(
        placed, now=now, gateway=current_gateways().xendit, settings=settings
    )
    if has_invoice or placed.is_paid or placed.is_repeat:
        answer, follows = _answer(_get_order(placed.code))
    else:  # all of it is known: in a rush a reading would cost as much as the order
        answer, follows = _dump(placed, NO_INVOICE_YET), True
    response = jsonify(answer)
    response.status_code = 202 if follows else 201
    if follows:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response.headers["Location"] = url_for("api_orders.show", code=placed.code)
    return response


@bp.get("/orders/<code>")
@limiter.limit("600 per minute", key_func=caller)
@requires_key("orders:write")
@bp.response(200, OrderAnswerSchema)
@may_refuse(bp, 401, 403, 404)
@bp.doc(security=[{"apiKey": []}])
def show(code: str) -> Response:
    """Show an order this key made."""
    answer, _ = _answer(_get_order(code))
    return jsonify(answer)


def _get_order(code: str) -> Order:
    order = find_order_by_code(code, api_key_id=g.api_key_id)
    if order is None:
        raise OrderNotFound
    return order


def _answer(order: Order) -> tuple[dict[str, Any], bool]:
    """Return what is told of an order, and whether its invoice is still to follow."""
    follows = order.status is OrderStatus.PENDING and order.payment.invoice_id is None
    answer = _dump(order, NO_INVOICE_YET if follows else order.payment)
    if order.is_paid:
        answer |= E_TICKETS.dump(order)
    return answer, follows


def _dump(order: Order | PlacedOrder, payment: Payment | NoInvoiceYet) -> dict[str, Any]:
    settings = current_settings()
    answer = {"order": order, "payment": payment, "request_id": current_request_id()}
    dumped: dict[str, Any] = ANSWER.dump(answer)
    expires_at = order.expires_at.astimezone(settings.event.timezone)
    dumped["order"]["expiresAt"] = expires_at.isoformat(timespec="seconds")
    dumped["order"]["url"] = f"{settings.public_url}/orders/{order.token}"
    if isinstance(payment, NoInvoiceYet):
        dumped["payment"]["line"] = _line(order)
    return dumped


def _line(order: Order | PlacedOrder) -> dict[str, int | None]:
    """Return the place of an order whose invoice follows, as its page tells it too."""
    since = order.expires_at - current_settings().order_hold
    order_id = order.id if isinstance(order, Order) else order.order_id
    place = invoice_line.place_in_line(order_id, utcnow(), since=since)
    seconds = None if place.wait is None else round(place.wait.total_seconds())
    return {"ahead": place.ahead, "estimatedSeconds": seconds}

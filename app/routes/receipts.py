"""Receipts and credit notes of an order, for whoever has its page's address."""

from flask import Blueprint, Response

from app.clock import utcnow
from app.gateways import current_gateways, current_settings
from app.models import Receipt
from app.routes.orders import get_order, keep_private
from app.services.office import receipts

bp = Blueprint("receipts", __name__)
bp.after_request(keep_private)


@bp.get("/orders/<token>/receipt.pdf")
def show(token: str) -> Response:
    """Send the receipt of a paid order: the same number and words every time."""
    order_id = get_order(token).id
    event = current_settings().event
    return _send(receipts.get_receipt(order_id, event=event, now=utcnow()))


@bp.get("/orders/<token>/credit-notes/<reference>.pdf")
def credit_note(token: str, reference: str) -> Response:
    """Send the credit note about a refund."""
    order_id = get_order(token).id
    event = current_settings().event
    return _send(receipts.get_credit_note(order_id, reference, event=event, now=utcnow()))


@bp.app_context_processor
def _offer() -> dict[str, object]:
    return {"has_receipt": receipts.has_receipt, "list_credited": receipts.list_credited}


def _send(receipt: Receipt) -> Response:
    renderer, event = current_gateways().renderer, current_settings().event
    response = Response(
        receipts.render(receipt, event=event, renderer=renderer), mimetype="application/pdf"
    )
    name = f"{receipts.number_of(receipt)}.pdf"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response

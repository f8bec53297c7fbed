"""Xendit's webhooks: invoices, refunds."""

import hmac
import logging

from flask import Blueprint, Response, jsonify, request
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import DomainError, MalformedJson
from app.gateways import current_settings
from app.services.money import callbacks, refund_callbacks
from app.tracing import current_request_id

log = logging.getLogger(__name__)
bp = Blueprint("callback", __name__)


class CallbackTokenInvalid(DomainError):
    """The sender did not show Xendit's webhook token."""

    code = "callback_token_invalid"
    status = 401
    title = _l("The webhook token is missing or wrong")


@bp.post("/api/payment-callback")
def receive() -> Response:
    """Check the sender, keep the delivery, answer at once. Calls nobody."""
    _check_sender()
    try:
        delivery = callbacks.parse_delivery(request.get_data(as_text=True))
    except callbacks.MalformedCallback as error:
        raise MalformedJson(str(error)) from error
    callbacks.receive(delivery, now=utcnow())
    return _received()


@bp.post("/api/refund-callback")
def receive_refund() -> Response:
    """Do the same for a refund, which comes in an envelope and to an address of its own."""
    _check_sender()
    try:
        body = request.get_data(as_text=True)
        delivery, invoice_id = refund_callbacks.parse_refund_delivery(body)
    except callbacks.MalformedCallback as error:
        raise MalformedJson(str(error)) from error
    refund_callbacks.receive_refund(delivery, invoice_id, now=utcnow())
    return _received()


def _check_sender() -> None:
    expected = current_settings().xendit_callback_token.encode()
    shown = request.headers.get("x-callback-token", "").encode()
    if not expected or not hmac.compare_digest(expected, shown):
        log.warning("webhook with a wrong token")
        raise CallbackTokenInvalid


def _received() -> Response:
    return jsonify(received=True, requestId=current_request_id())

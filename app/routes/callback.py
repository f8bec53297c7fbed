"""Xendit's invoice webhook."""

import hmac
import logging

from flask import Blueprint, Response, jsonify, request
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import DomainError, MalformedJson
from app.gateways import current_settings
from app.services.money import callbacks
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
    if not _is_from_xendit():
        log.warning("webhook with a wrong token")
        raise CallbackTokenInvalid
    try:
        delivery = callbacks.parse_delivery(request.get_data(as_text=True))
    except callbacks.MalformedCallback as error:
        raise MalformedJson(str(error)) from error
    callbacks.receive(delivery, now=utcnow())
    return jsonify(received=True, requestId=current_request_id())


def _is_from_xendit() -> bool:
    expected = current_settings().xendit_callback_token.encode()
    shown = request.headers.get("x-callback-token", "").encode()
    return bool(expected) and hmac.compare_digest(expected, shown)

"""Refund callbacks: like those of invoices, kept raw and answered at once; the truth is read."""

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models import Payment, Refund
from app.services.money import callbacks
from app.services.money.callbacks import Delivery, MalformedCallback, key_of
from app.services.money.refunding import CONFIRM_REFUND
from app.services.running import jobs
from app.services.running.transaction import transaction, use_case

log = logging.getLogger(__name__)


def parse_refund_delivery(body: str) -> tuple[Delivery, str]:
    """Read a delivery's ids, tolerantly, and the id of the invoice that is refunded.

    The refund is in `data`; Xendit's own example nests it once more (facts 6.4). In the Delivery,
    `invoice_id` holds the refund's id and `status` the event. Raises MalformedCallback.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedCallback("not JSON") from error
    data = _data(event)
    if not isinstance(data.get("id"), str) or not data["id"]:
        raise MalformedCallback("no refund id")
    delivery = Delivery(
        invoice_id=key_of(data["id"], 64),
        external_id=key_of(data.get("reference_id"), 128),
        status=key_of(event.get("event"), 32),
        xendit_payment_id="",
        body=body,
    )
    return delivery, key_of(data.get("invoice_id"), 64)


def _data(event: object) -> Mapping[str, Any]:
    outer = event.get("data") if isinstance(event, dict) else None
    inner = outer.get("data") if isinstance(outer, dict) else None
    found = inner if isinstance(inner, dict) else outer
    return found if isinstance(found, dict) else {}


@use_case
def receive_refund(delivery: Delivery, invoice_id: str, *, now: datetime) -> None:
    """Keep a delivery and have its refund read. Calls nobody; a stranger is kept and left alone."""
    try:
        _store(delivery, invoice_id, now, is_repeat=False)
    except IntegrityError:
        _store(delivery, invoice_id, now, is_repeat=True)


def _store(delivery: Delivery, invoice_id: str, now: datetime, *, is_repeat: bool) -> None:
    with transaction() as session:
        found = _find(session, delivery, invoice_id)
        payment_id = None
        if found:
            payments = sa.select(Payment.id).where(Payment.order_id == found[0].order_id)
            payment_id = session.scalar(payments)
        callbacks.keep(session, delivery, payment_id, now=now, is_repeat=is_repeat)
        if not found:
            log.warning("callback for a refund that is not ours", extra={"id": delivery.invoice_id})
        for refund in found:
            hint = {"refund_id": refund.id, "xendit_refund_id": delivery.invoice_id}
            jobs.enqueue(session, CONFIRM_REFUND, hint, now=now, due_at=now)


def _find(session: Session, delivery: Delivery, invoice_id: str) -> list[Refund]:
    """Return the refunds it may be about: all of the invoice, when no id of ours is known.

    A reading tells which it is. A webhook can come before the answer that brings the id.
    """
    known = sa.select(Refund).where(Refund.xendit_refund_id == delivery.invoice_id)
    found = list(session.scalars(known))
    if found:
        return found
    by_reference = Refund.reference_id == delivery.external_id
    by_invoice = Refund.invoice_id == invoice_id
    return list(session.scalars(sa.select(Refund).where(sa.or_(by_reference, by_invoice))))

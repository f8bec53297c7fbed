"""Callbacks: Xendit's webhook deliveries, stored raw and answered at once."""

import json
import logging
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.models import Callback
from app.services.money.payments import CONFIRM, find_payment_id
from app.services.running import jobs
from app.services.running.transaction import affected, insert, transaction, use_case
from app.tracing import current_request_id

log = logging.getLogger(__name__)


class MalformedCallback(ValueError):
    """The body is not JSON, not an object, or names no invoice."""


@dataclass(frozen=True)
class Delivery:
    """One delivery; only its ids are used, everything else is read back from Xendit."""

    invoice_id: str
    external_id: str
    status: str
    xendit_payment_id: str
    body: str


def parse_delivery(body: str) -> Delivery:
    """Read a delivery's ids, tolerantly. Raises MalformedCallback."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:  # also "[" thousands of times over
        raise MalformedCallback("not JSON") from error
    if not isinstance(event, dict) or not isinstance(event.get("id"), str) or not event["id"]:
        raise MalformedCallback("no invoice id")
    return Delivery(
        invoice_id=key_of(event["id"], 64),
        external_id=key_of(event.get("external_id"), 64),
        status=key_of(event.get("status"), 32),
        xendit_payment_id=key_of(
            event.get("payment_id") or event.get("credit_card_charge_id"), 128
        ),
        body=body,
    )


def key_of(value: object, length: int) -> str:
    """Return a plain ASCII key; whatever else was sent stays in the raw body."""
    return str(value or "").encode("ascii", "replace").decode()[:length]


@use_case
def receive(delivery: Delivery, *, now: datetime) -> None:
    """Keep a delivery and have its invoice read; a repeat is counted and read again.

    Calls nobody. A delivery about an invoice that is not ours is kept and left alone.
    """
    try:
        _store(delivery, now, is_repeat=False)
    except IntegrityError:
        _store(delivery, now, is_repeat=True)


def _store(delivery: Delivery, now: datetime, *, is_repeat: bool) -> None:
    with transaction() as session:
        # By our reference: the invoice may be one whose creation was never answered.
        payment_id = find_payment_id(session, delivery.external_id)
        keep(session, delivery, payment_id, now=now, is_repeat=is_repeat)
        if payment_id is None:
            log.warning(
                "callback for an invoice that is not ours", extra={"invoice": delivery.invoice_id}
            )
            return
        hint = {"payment_id": payment_id, "invoice_id": delivery.invoice_id}
        jobs.enqueue(session, CONFIRM, hint, now=now, due_at=now)


def keep(
    session: Session,
    delivery: Delivery,
    payment_id: int | None,
    *,
    now: datetime,
    is_repeat: bool,
) -> None:
    """Keep a delivery in the caller's transaction; one known to be a repeat is only counted.

    Raises IntegrityError when it is a repeat after all: the unique key tells, so that first
    deliveries need no look for a twin. Begin again with `is_repeat` then.
    """
    if not is_repeat:
        insert(
            session,
            Callback,
            payment_id=payment_id,
            invoice_id=delivery.invoice_id,
            status=delivery.status,
            xendit_payment_id=delivery.xendit_payment_id,
            body=delivery.body,
            deliveries=1,
            request_id=current_request_id(),
            received_at=now,
        )
        return
    same = sa.and_(
        Callback.invoice_id == delivery.invoice_id,
        Callback.status == delivery.status,
        Callback.xendit_payment_id == delivery.xendit_payment_id,
    )
    affected(session, sa.update(Callback).where(same).values(deliveries=Callback.deliveries + 1))

"""Readings: what Xendit said of a payment's invoices, kept for the order's story."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.errors import Busy
from app.integrations.xendit import Invoice, XenditError, XenditThrottled
from app.models import InvoiceReading, Payment
from app.services.running.transaction import insert, transaction, use_case
from app.tracing import current_request_id

LONGEST = 255


def note(session: Session, payment: Payment, invoice: Invoice, *, now: datetime) -> None:
    """Note that an invoice was read just now, and keep what Xendit said if that is news.

    News is each state of an invoice that it is read in for the first time: whatever a reading
    decides, it decides by that. Part of the caller's transaction, which holds the order's lock.
    """
    payment.read_at = now
    table = cast(sa.Table, InvoiceReading.__table__)
    said: dict[str, Any] = {
        "payment_id": payment.id,
        "invoice_id": invoice.id,
        "status": invoice.status.value,
    }
    row = said | {"request_id": current_request_id(), "read_at": now}
    is_known = sa.exists().where(*(table.c[name] == value for name, value in said.items()))
    values = [sa.literal(value, table.c[name].type) for name, value in row.items()]
    news = sa.select(*values).where(Payment.id == payment.id, sa.not_(is_known))
    # Not through the session: the payment's own UPDATE is yet to come, in one with what follows.
    session.connection().execute(sa.insert(table).from_select(list(row), news))


@contextmanager
def noting_failure(payment_id: int, *, now: datetime) -> Iterator[None]:
    """Keep that Xendit could not be asked inside the block; the error goes on its way.

    Once until the next reading that succeeds, however often it is tried. Having to wait for our
    own turn is no failure.
    """
    try:
        yield
    except XenditThrottled:
        raise
    except XenditError as error:
        with suppress(Busy):  # only a trace: what went wrong matters more
            _keep_failure(payment_id, str(error) or type(error).__name__, now)
        raise


@use_case
def _keep_failure(payment_id: int, why: str, now: datetime) -> None:
    reading, payment = InvoiceReading, Payment
    known = (
        sa.select(reading.id)
        .join(payment, payment.id == reading.payment_id)
        .where(
            reading.payment_id == payment_id,
            reading.failure.is_not(None),
            payment.read_at.is_(None) | (reading.read_at > payment.read_at),
        )
    )
    with transaction() as session:
        if session.scalar(known.limit(1)) is None:
            failure = why[:LONGEST]
            insert(session, reading, payment_id=payment_id, failure=failure, read_at=now)

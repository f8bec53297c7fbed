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


READINGS = cast(sa.Table, InvoiceReading.__table__)
SAID = ("payment_id", "invoice_id", "status")


def _its(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(f"its_{name}", type_=READINGS.c[name].type)


# Made once, as every payment asks it: an INSERT that does nothing where the same stands already.
_IS_KNOWN = sa.exists().where(*(READINGS.c[name] == _its(name) for name in SAID))
_KEEP_NEWS = sa.insert(READINGS).from_select(
    [*SAID, "request_id", "read_at"],
    sa.select(*(_its(name) for name in (*SAID, "request_id", "read_at"))).where(
        Payment.id == _its("payment_id"), sa.not_(_IS_KNOWN)
    ),
)


def note(session: Session, payment: Payment, invoice: Invoice, *, now: datetime) -> None:
    """Note that an invoice was read just now, and keep what Xendit said if that is news.

    News is each state of an invoice that it is read in for the first time: whatever a reading
    decides, it decides by that. Part of the caller's transaction, which holds the order's lock.
    """
    payment.read_at = now
    values = {
        "its_payment_id": payment.id,
        "its_invoice_id": invoice.id,
        "its_status": invoice.status.value,
        "its_request_id": current_request_id(),
        "its_read_at": now,
    }
    # Not through the session: the payment's own UPDATE is yet to come, in one with what follows.
    session.connection().execute(_KEEP_NEWS, values)


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

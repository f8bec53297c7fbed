"""What an order left behind in other tables: deliveries, mails, scans, what people did."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    ApiKey,
    AuditEntry,
    Callback,
    CheckIn,
    Device,
    ETicket,
    InvoiceReading,
    Mail,
    MailRequest,
    Message,
    MessageRecipient,
    Order,
    PastInvoice,
    Receipt,
    ReceiptKind,
    RecipientStatus,
    Refund,
    Staff,
)
from app.services.office.happenings import Happening, What
from app.services.office.receipts import number_of


def list_traces(session: Session, order: Order) -> tuple[list[Happening], list[int]]:
    """Return invoices replaced and read, deliveries of the webhook, mails, wishes, and receipts.

    Beside them the ids of those wishes. All in one statement.
    """
    parts = (*_of_payment(order.payment.id), *_of_mail(order.id), _of_receipts(order.id))
    rows = session.execute(sa.union_all(*parts)).all()
    wishes = sorted(row.key for row in rows if row.kind == "wish")
    return [_TELL[row.kind](row) for row in rows], wishes


COLUMNS = ("name", "about", "recipient", "why", "number", "request_id", "key")


def _trace(kind: str, at: Any, **columns: Any) -> sa.Select[Any]:
    """Return a part of the union: every part has all columns, NULL where it knows nothing."""
    known = [columns.get(name, sa.null()).label(name) for name in COLUMNS]
    return sa.select(sa.literal(kind).label("kind"), at.label("at"), *known)


def _of_payment(payment_id: int) -> Iterator[sa.Select[Any]]:
    replaced = {"name": PastInvoice.invoice_id, "request_id": PastInvoice.request_id}
    past = _trace("past", PastInvoice.replaced_at, **replaced)
    yield past.where(PastInvoice.payment_id == payment_id)
    read = InvoiceReading
    said = {"name": read.status, "about": read.invoice_id, "why": read.failure}
    reading = _trace("reading", read.read_at, **said, request_id=read.request_id)
    yield reading.where(read.payment_id == payment_id)
    yield _trace(
        "callback",
        Callback.received_at,
        name=Callback.status,
        about=Callback.invoice_id,
        number=Callback.deliveries,
        request_id=Callback.request_id,
    ).where(Callback.payment_id == payment_id)


def _of_mail(order_id: int) -> Iterator[sa.Select[Any]]:
    yield _trace(
        "mail",
        Mail.sent_at,
        name=Mail.name,
        recipient=Mail.recipient,
        why=Mail.refused_because,
        request_id=Mail.request_id,
    ).where(Mail.order_id == order_id)
    is_counted = sa.case((MailRequest.is_counted, 1), else_=0)
    wishes = _trace(
        "wish",
        MailRequest.asked_at,
        number=is_counted,
        request_id=MailRequest.request_id,
        key=MailRequest.id,
    )
    yield wishes.where(MailRequest.order_id == order_id)
    yield from _of_messages(order_id)


def _of_messages(order_id: int) -> Iterator[sa.Select[Any]]:
    """Yield messages to attendees that reached the buyer, did not, or perhaps."""
    person = MessageRecipient
    facts = {"name": Message.subject, "recipient": person.email, "request_id": person.request_id}
    known = _trace("mail", person.finished_at, **facts, why=person.reason)
    unsure = _trace("unsure", person.finished_at, **facts)
    for part, states in (
        (known, (RecipientStatus.SENT, RecipientStatus.REFUSED)),
        (unsure, (RecipientStatus.UNSURE,)),
    ):
        mine = person.order_id == order_id, person.status.in_(states)
        yield part.join(Message, Message.id == person.message_id).where(*mine)


def _of_receipts(order_id: int) -> sa.Select[Any]:
    facts = {"name": Receipt.kind, "key": Receipt.year, "number": Receipt.number}
    facts["request_id"] = Receipt.request_id
    return _trace("receipt", Receipt.issued_at, **facts).where(Receipt.order_id == order_id)


def _tell_past(row: Any) -> Happening:
    return Happening(row.at, What.INVOICE_REPLACED, {"invoice": row.name}, row.request_id)


def _tell_reading(row: Any) -> Happening:
    if row.why:
        return Happening(row.at, What.READING_FAILED, {"why": row.why}, row.request_id)
    facts = {"invoice": row.about, "status": row.name}
    return Happening(row.at, What.READING, facts, row.request_id)


def _tell_callback(row: Any) -> Happening:
    facts = {"status": row.name, "about": row.about, "deliveries": row.number}
    return Happening(row.at, What.CALLBACK, facts, row.request_id)


def _tell_mail(row: Any) -> Happening:
    facts = {"mail": row.name, "recipient": row.recipient, "why": row.why}
    what = What.MAIL_REFUSED if row.why else What.MAIL_SENT
    return Happening(row.at, what, facts, row.request_id)


def _tell_wish(row: Any) -> Happening:
    return Happening(row.at, What.MAIL_ASKED, {"is_counted": bool(row.number)}, row.request_id)


def _tell_unsure(row: Any) -> Happening:
    facts = {"mail": row.name, "recipient": row.recipient}
    return Happening(row.at, What.MAIL_UNSURE, facts, row.request_id)


def _tell_receipt(row: Any) -> Happening:
    kind = ReceiptKind(row.name)
    number = number_of(Receipt(kind=kind, year=row.key, number=row.number))
    facts = {"kind": kind, "number": number}
    return Happening(row.at, What.RECEIPT_MADE, facts, row.request_id)


_TELL: dict[str, Callable[[Any], Happening]] = {
    "past": _tell_past,
    "reading": _tell_reading,
    "callback": _tell_callback,
    "mail": _tell_mail,
    "unsure": _tell_unsure,
    "wish": _tell_wish,
    "receipt": _tell_receipt,
}


def list_scans(session: Session, order: Order) -> Iterator[Happening]:
    """Yield the scans of an order's seats, and those that were taken back."""
    scans = (
        sa.select(
            CheckIn, ETicket.attendee, sa.func.coalesce(Device.name, Staff.email, ApiKey.name)
        )
        .join(ETicket, ETicket.id == CheckIn.e_ticket_id)
        .outerjoin(Device, Device.id == CheckIn.device_id)
        .outerjoin(Staff, Staff.id == CheckIn.staff_id)
        .outerjoin(ApiKey, ApiKey.id == CheckIn.api_key_id)
        .where(ETicket.order_id == order.id)
        .order_by(CheckIn.id)
    )
    for scan, attendee, by in session.execute(scans):
        facts = {
            "attendee": attendee,
            "direction": scan.direction,
            "result": scan.result,
            "reason": scan.reason or scan.objection,
            "gate": scan.gate,
            "by": by,
            "is_offline": scan.is_offline,
        }
        yield Happening(scan.happened_at, What.SCANNED, facts, scan.request_id)
        if scan.undone_at:
            undone = {"attendee": attendee, "by": scan.undone_by}
            yield Happening(scan.undone_at, What.SCAN_UNDONE, undone)


def list_acts(session: Session, order: Order, refunds: Sequence[Refund]) -> Iterator[Happening]:
    """Yield what the audit log has about an order and its refunds."""
    kind, key = AuditEntry.subject_kind, AuditEntry.subject_key
    about = (kind == "order") & (key == order.code)
    if refunds:
        about |= (kind == "refund") & key.in_([refund.reference_id for refund in refunds])
    for entry in session.scalars(sa.select(AuditEntry).where(about).order_by(AuditEntry.id)):
        yield Happening(entry.happened_at, What.ACTED, {"entry": entry}, entry.request_id)

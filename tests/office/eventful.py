"""An order to which everything happened that can, and its story in words."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import force_locale

from app.extensions import db
from app.models import (
    Callback,
    CaseKind,
    CaseResolution,
    CaseStatus,
    CheckIn,
    Direction,
    ETicket,
    InvoiceReading,
    Mail,
    MailRequest,
    Message,
    MessageRecipient,
    MessageStatus,
    MoneyCase,
    Order,
    Receipt,
    ReceiptKind,
    RecipientStatus,
    Refund,
    RefundReason,
    RefundStatus,
    RefundWay,
    ScanReason,
    ScanResult,
)
from app.routes import order_words
from app.services.office import audit
from app.services.office.order_story import tell_order
from tests.office.desk import Desk
from tests.staff.office import TESTS

ACCOUNT = "9988776655"


def eventful(desk: Desk, *, times: int = 1) -> str:
    """Sell two seats; then everything happens to the order that can, so many times."""
    code = desk.paid_order(desk.add_ticket("Reguler"))
    with desk.working():
        order = db.session.scalars(sa.select(Order).where(Order.code == code)).one()
        for number in range(times):
            db.session.add_all(traces(order, number))
        seen = order.payment
        seen.hinted_at = order.created_at + timedelta(minutes=90)
        audit.record(
            db.session(),
            actor=TESTS,
            action="order.cancelled",
            subject=audit.Subject("order", code),
            reason="asked by phone",
            now=order.created_at + timedelta(hours=2),
        )
    return code


def traces(order: Order, number: int) -> Iterator[object]:
    """Yield rows about an order, each some minutes after the one before."""
    placed = order.created_at
    minutes = (placed + timedelta(minutes=5 * n, seconds=number) for n in range(1, 20))
    key, seat = f"{order.code}-{number}", order.e_tickets[0]
    yield Callback(
        payment_id=order.payment.id,
        invoice_id=f"inv-{number}",
        status="PAID",
        body="{}",
        deliveries=3,
        request_id="callback-request",
        received_at=next(minutes),
    )
    mail = {"order_id": order.id, "recipient": "sari@example.com", "subject": "", "message_id": ""}
    yield Mail(**mail, name="etickets", about=key, attachments=[], sent_at=next(minutes))
    refused = {"name": "refund_sent", "refused_because": "550 no such user", "attachments": []}
    yield Mail(**mail, **refused, about=key, sent_at=next(minutes))
    yield MailRequest(order_id=order.id, about=key, is_counted=True, asked_at=next(minutes))
    yield MoneyCase(
        order_id=order.id,
        kind=CaseKind.DOUBLE_PAYMENT,
        invoice_id=key,
        status=CaseStatus.RESOLVED,
        resolution=CaseResolution.REFUNDED,
        amount=1000,
        opened_at=next(minutes),
        resolved_at=next(minutes),
        resolved_by="system",
    )
    yield Refund(
        order_id=order.id,
        invoice_id=key,
        reason=RefundReason.DOUBLE_PAYMENT,
        way=RefundWay.BY_HAND,
        status=RefundStatus.DUE,
        amount=1000,
        reference_id=f"{key}-ref",
        bank_name="Bank Senja",
        account_number=ACCOUNT,
        account_holder="Sari Rahasia",
        created_at=next(minutes),
        sent_at=next(minutes),
    )
    yield scan(seat, f"{key}-in", next(minutes), result=ScanResult.ADMITTED, request_id="door-1")
    refusal = {"result": ScanResult.REFUSED, "reason": ScanReason.ALREADY_ADMITTED}
    yield scan(seat, f"{key}-no", next(minutes), **refusal)
    yield from last_traces(order, number, minutes)


def last_traces(order: Order, number: int, minutes: Iterator[datetime]) -> Iterator[object]:
    """Yield what comes after the event: messages, a receipt, a look at Xendit that failed."""
    yield receive(order, number, next(minutes))
    yield receive(order, number, next(minutes), status=RecipientStatus.UNSURE)
    content = {"year": 2027, "number": 12 + number, "content": {}, "issued_at": next(minutes)}
    yield Receipt(order_id=order.id, kind=ReceiptKind.RECEIPT, amount=300_000, **content)
    failed = {"failure": "503 from Xendit", "request_id": "reading-request"}
    yield InvoiceReading(payment_id=order.payment.id, read_at=next(minutes), **failed)


def receive(
    order: Order, number: int, at: datetime, status: RecipientStatus = RecipientStatus.SENT
) -> MessageRecipient:
    """Return what is left of a message to attendees that the buyer got, or perhaps not."""
    message = Message(
        subject="Ganti pintu 🎉",
        body="",
        body_en="",
        ticket_ids=[],
        status=MessageStatus.SENT,
        created_by="x",
        created_at=at,
    )
    db.session.add(message)
    db.session.flush()
    return MessageRecipient(
        message_id=message.id,
        address=order.user.email,
        email=order.user.email,
        full_name="Sari Dewi",
        locale="id",
        order_id=order.id,
        status=status,
        finished_at=at,
        request_id="message-request",
    )


def scan(seat: ETicket, scan_id: str, at: datetime, **facts: object) -> CheckIn:
    moments = {"scanned_at": at, "happened_at": at, "created_at": at}
    return CheckIn(
        scan_id=scan_id,
        e_ticket_id=seat.id,
        code=seat.code,
        direction=Direction.IN,
        gate="Utara",
        **moments,
        **facts,
    )


def say(desk: Desk, code: str, language: str = "en") -> list[str]:
    with desk.app.app_context(), force_locale(language):
        story = tell_order(code)
        assert story is not None
        lines = [order_words.tell(one) for one in story.happenings]
        return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]

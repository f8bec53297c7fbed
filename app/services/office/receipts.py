"""Receipts and credit notes: made when first asked for, numbered without gaps, never changed.

A number is taken under the lock of its counter's row in the transaction that keeps the document: a
crash gives it back, and whoever comes meanwhile waits. The order's lock comes first, as everywhere.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.config import Event
from app.errors import NotFound
from app.integrations.pdf import TicketRenderer
from app.integrations.receipt_pdf import Line, ReceiptDocument, VoucherLine, draw_receipt
from app.models import (
    Order,
    OrderItem,
    Receipt,
    ReceiptCounter,
    ReceiptKind,
    Refund,
    RefundReason,
)
from app.services.money import refunds
from app.services.money.payments import lock_order
from app.services.running.transaction import affected, reading, transaction, use_case

# As accountants here file them: kuitansi, nota kredit.
PREFIXES = {ReceiptKind.RECEIPT: "KW", ReceiptKind.CREDIT_NOTE: "NK"}
# What goes back for these was said by a receipt. Money paid twice or too much never was.
CREDITED = (RefundReason.CANCELLED, RefundReason.DIFFERENCE)


def has_receipt(order: Order) -> bool:
    """Tell whether an order's buyer may have a receipt: it was paid, and not free."""
    return order.paid_at is not None and order.total > 0


def number_of(receipt: Receipt) -> str:
    """Return the number as printed: `KW-2027-000012`."""
    return f"{PREFIXES[receipt.kind]}-{receipt.year}-{receipt.number:06}"


@use_case
def get_receipt(order_id: int, *, event: Event, now: datetime) -> Receipt:
    """Return the receipt of an order, made now if there is none. Raises NotFound."""
    found = _find(_receipt_of(order_id))
    if found:
        return found
    _open_year(ReceiptKind.RECEIPT, now, event.timezone)
    with transaction() as session:
        order = lock_order(session, order_id)
        return _kept(session, _receipt_of(order_id)) or _issue(session, order, event, now)


@use_case
def get_credit_note(order_id: int, reference: str, *, event: Event, now: datetime) -> Receipt:
    """Return the credit note about a refund, made now if there is none. Raises NotFound.

    Where nobody had asked for the order's receipt yet, that is made first: a note takes it back.
    """
    refund = _get_refund(order_id, reference)
    note = sa.select(Receipt).where(Receipt.refund_id == refund.id)
    found = _find(note)
    if found:
        return found
    receipt = _receipt_before(refund, event=event, now=now)
    _open_year(ReceiptKind.CREDIT_NOTE, now, event.timezone)
    with transaction() as session:
        order = lock_order(session, order_id)
        return _kept(session, note) or _issue_note(session, order, refund, receipt, event, now)


def list_credited(order: Order, sent_back: Sequence[Refund]) -> list[Refund]:
    """Return those of an order's refunds there is a credit note for, made yet or not.

    Asks the database only where some seats became cheaper.
    """
    if not has_receipt(order):
        return []
    may_have = [refund for refund in sent_back if refund.reason in CREDITED]
    if any(refund.reason is RefundReason.DIFFERENCE for refund in may_have):
        receipt = _find(_receipt_of(order.id))
        may_have = [refund for refund in may_have if _takes_back(refund, receipt)]
    return may_have


def _takes_back(refund: Refund, receipt: Receipt | None) -> bool:
    """Tell whether the order's receipt, if any is made, says a price from before this refund."""
    if refund.reason is RefundReason.CANCELLED:
        return True
    return receipt is not None and receipt.issued_at < refund.created_at


def render(receipt: Receipt, *, event: Event, renderer: TicketRenderer) -> bytes:
    """Return the PDF of what the receipt said when it was made. Raises TicketRenderingFailed."""
    said = receipt.content
    document = ReceiptDocument(
        **{key: said[key] for key in ("locale", "credited", "channel", "order_code", "buyer")},
        **{key: said[key] for key in ("total", "event_name", "contact_email")},
        **{key: said[key] for key in ("organizer", "address", "tax_id")},
        # Those made before there was such a line say the reduced prices instead.
        voucher=VoucherLine(**said["voucher"]) if said.get("voucher") else None,
        number=number_of(receipt),
        amount=receipt.amount,
        issued_at=receipt.issued_at,
        paid_at=datetime.fromisoformat(said["paid_at"]),
        lines=tuple(Line(**line) for line in said["lines"]),
        timezone=ZoneInfo(said["timezone"]),
        accent=event.accent,
    )
    return draw_receipt(document, renderer)


def _issue(session: Session, order: Order, event: Event, now: datetime) -> Receipt:
    if not has_receipt(order):
        raise NotFound
    # Too little that was accepted is what was received; too much goes back or is a gift.
    amount = min(order.total, refunds.money_of(order).paid)
    return _keep(session, ReceiptKind.RECEIPT, order, _say(order, event), amount, event, now)


def _issue_note(
    session: Session, order: Order, refund: Refund, receipt: Receipt, event: Event, now: datetime
) -> Receipt:
    said = receipt.content | {"credited": number_of(receipt)}
    kind = ReceiptKind.CREDIT_NOTE
    return _keep(session, kind, order, said, refund.amount, event, now, refund_id=refund.id)


def _keep(
    session: Session,
    kind: ReceiptKind,
    order: Order,
    content: dict[str, Any],
    amount: int,
    event: Event,
    now: datetime,
    *,
    refund_id: int | None = None,
) -> Receipt:
    """Keep a document under the next number; the last thing done before the commit."""
    year = now.astimezone(event.timezone).year
    made = Receipt(
        kind=kind,
        year=year,
        number=_next_number(session, kind, year),
        order_id=order.id,
        refund_id=refund_id,
        amount=amount,
        content=content,
        issued_at=now,
    )
    session.add(made)
    session.flush()
    session.expunge(made)
    return made


def _next_number(session: Session, kind: ReceiptKind, year: int) -> int:
    """Take the next number; the UPDATE locks the counter until the caller's transaction ends."""
    mine = (ReceiptCounter.kind == kind, ReceiptCounter.year == year)
    affected(session, sa.update(ReceiptCounter).where(*mine).values(last=ReceiptCounter.last + 1))
    return session.scalars(sa.select(ReceiptCounter.last).where(*mine)).one()


def _open_year(kind: ReceiptKind, now: datetime, zone: ZoneInfo) -> None:
    """See to it that the year has a counter, in a transaction of its own."""
    year = now.astimezone(zone).year
    with reading() as session:
        known = (ReceiptCounter.kind == kind, ReceiptCounter.year == year)
        if session.scalar(sa.select(ReceiptCounter.year).where(*known)) is not None:
            return
    try:
        with transaction() as session:
            session.add(ReceiptCounter(kind=kind, year=year, last=0))
    except IntegrityError:
        return  # somebody else opened it meanwhile


def _say(order: Order, event: Event) -> dict[str, Any]:
    """Return everything a receipt says beside its number, date and amount."""
    paid_at = order.payment.paid_at or order.paid_at
    return {
        "locale": order.locale,
        "credited": None,
        "order_code": order.code,
        "buyer": order.user.full_name,
        "paid_at": paid_at.isoformat() if paid_at else None,
        "channel": order.payment.channel,
        "lines": [
            {"type": item.ticket.type, "quantity": item.quantity, "price": _list_price(item)}
            for item in order.items
        ],
        "voucher": order.used_voucher and order.used_voucher._asdict(),
        "total": order.total,
        "event_name": event.name,
        "contact_email": event.contact_email,
        "organizer": event.organizer.name,
        "address": event.organizer.address,
        "tax_id": event.organizer.tax_id,
        "timezone": str(event.timezone),
    }


def _list_price(item: OrderItem) -> int:
    return item.price if item.list_price is None else item.list_price


def _receipt_before(refund: Refund, *, event: Event, now: datetime) -> Receipt:
    """Return the receipt a refund takes back. Raises NotFound.

    A receipt that was made after some seats became cheaper says the lower price already.
    """
    if refund.reason is RefundReason.CANCELLED:
        return get_receipt(refund.order_id, event=event, now=now)
    receipt = _find(_receipt_of(refund.order_id))
    if receipt is None or not _takes_back(refund, receipt):
        raise NotFound
    return receipt


def _receipt_of(order_id: int) -> sa.Select[Receipt]:
    return sa.select(Receipt).where(
        Receipt.order_id == order_id, Receipt.kind == ReceiptKind.RECEIPT
    )


def _get_refund(order_id: int, reference: str) -> Refund:
    wanted = sa.select(Refund).where(
        Refund.order_id == order_id, Refund.reference_id == reference, Refund.reason.in_(CREDITED)
    )
    with reading() as session:
        refund = session.scalar(wanted)
        session.expunge_all()
    if refund is None:
        raise NotFound
    return refund


def _find(query: sa.Select[Receipt]) -> Receipt | None:
    with reading() as session:
        return _kept(session, query)


def _kept(session: Session, query: sa.Select[Receipt]) -> Receipt | None:
    found = session.scalar(query)
    if found is not None:
        session.expunge(found)
    return found

"""An order's story: what happened to it and to its money, in one time line, for staff."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.formatting import rupiah
from app.models import Callback, ETicket, Mail, MoneyCase, Order, PastInvoice, Refund
from app.services.running.transaction import reading


class Happening(NamedTuple):
    """One line of the story; `what` in English, for staff."""

    at: datetime
    what: str


class OrderStory(NamedTuple):
    """An order as it stands, and how it came there."""

    code: str
    order: str
    payment: str
    buyer: str
    total: int
    paid: int | None
    happenings: list[Happening]


def tell_order(code: str) -> OrderStory | None:
    """Return the story of the order with this code, the oldest happening first."""
    with reading() as session:
        order = session.scalar(sa.select(Order).where(Order.code == code))
        if order is None:
            return None
        parts = (_of_order, _of_payment, _of_callbacks, _of_mails, _of_cases, _of_refunds)
        happenings = [one for part in parts for one in part(session, order)]
        return OrderStory(
            code=order.code,
            order=order.status.value,
            payment=order.payment.status.value,
            buyer=f"{order.user.full_name} <{order.user.email}>",
            total=order.total,
            paid=order.payment.paid_amount,
            happenings=sorted(happenings, key=lambda one: one.at),
        )


def _of_order(session: Session, order: Order) -> Iterator[Happening]:
    seats = ", ".join(f"{item.quantity} × {item.ticket.type}" for item in order.items)
    yield Happening(order.created_at, f"order placed: {seats}, {rupiah(order.total)}")
    if order.cancel_requested_at:
        yield Happening(order.cancel_requested_at, "cancelling asked for")
    if order.paid_at:
        yield Happening(order.paid_at, "order PAID, e-tickets made")
    revoked = sa.select(sa.func.min(ETicket.revoked_at)).where(ETicket.order_id == order.id)
    revoked_at = session.scalar(revoked)
    if revoked_at:
        yield Happening(revoked_at, "e-tickets revoked")


def _of_payment(session: Session, order: Order) -> Iterator[Happening]:
    payment = order.payment
    past = sa.select(PastInvoice).where(PastInvoice.payment_id == payment.id)
    for old in session.scalars(past):
        yield Happening(old.replaced_at, f"invoice {old.invoice_id} ({old.external_id}) replaced")
    if payment.paid_at:
        channel = payment.channel or "an unknown channel"
        paid = rupiah(payment.paid_amount or 0)
        yield Happening(payment.paid_at, f"{paid} paid by {channel}, invoice {payment.invoice_id}")
    elif payment.invoice_expires_at:
        ends = f"invoice {payment.invoice_id} ({payment.external_id}) ends"
        yield Happening(payment.invoice_expires_at, ends)


def _of_callbacks(session: Session, order: Order) -> Iterator[Happening]:
    mine = sa.select(Callback).where(Callback.payment_id == order.payment.id)
    for one in session.scalars(mine):
        times = f", {one.deliveries} times" if one.deliveries > 1 else ""
        yield Happening(one.received_at, f"webhook {one.status} about {one.invoice_id}{times}")


def _of_mails(session: Session, order: Order) -> Iterator[Happening]:
    for mail in session.scalars(sa.select(Mail).where(Mail.order_id == order.id)):
        refused = f" REFUSED: {mail.refused_because}" if mail.refused_because else ""
        yield Happening(mail.sent_at, f"mail {mail.name} {mail.about}".rstrip() + refused)


def _of_cases(session: Session, order: Order) -> Iterator[Happening]:
    for case in session.scalars(sa.select(MoneyCase).where(MoneyCase.order_id == order.id)):
        name = f"case {case.id} {case.kind.value}"
        yield Happening(case.opened_at, f"{name} opened: {rupiah(case.amount)}")
        if case.resolved_at and case.resolution:
            ended = f"{name} {case.resolution.value} by {case.resolved_by}"
            yield Happening(case.resolved_at, ended)


def _of_refunds(session: Session, order: Order) -> Iterator[Happening]:
    for refund in session.scalars(sa.select(Refund).where(Refund.order_id == order.id)):
        name = f"refund {refund.reference_id}"
        yield Happening(refund.created_at, f"{name} due: {rupiah(refund.amount)}")
        if refund.sent_at:
            by_hand = refund.way.value == "by_hand"
            sent = "bank account asked for" if by_hand else "sent to Xendit"
            yield Happening(refund.sent_at, f"{name} {sent}")
        if refund.finished_at:
            ended = f"{name} {refund.status.value} by {refund.finished_by}"
            yield Happening(refund.finished_at, ended)

"""An order's story: how it stands, and everything that happened to it, in one time line.

What happened is told in facts; their words are `routes/order_words.py`. However much happened, it
takes the same number of statements.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, lazyload, selectinload

from app.models import (
    ApiKey,
    CaseKind,
    ETicket,
    MoneyCase,
    Order,
    OrderItem,
    OrderStatus,
    PaymentStatus,
    Refund,
    RefundWay,
    Ticket,
    Voucher,
)
from app.services.office.happenings import Happening, What
from app.services.office.order_print import OrderFacts
from app.services.office.order_traces import list_acts, list_scans, list_traces
from app.services.running.transaction import reading

# Xendit counts whole seconds, and by its own clock.
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class OrderSums:
    """The money of an order, in rupiah: all that came, and all that goes or went back.

    `received` counts every invoice: a second payment too, and one of too little.
    """

    asked: int
    received: int
    sent_back: int
    going_back: int

    @property
    def kept(self) -> int:
        """Return what stays once everything that is due went back."""
        return self.received - self.sent_back - self.going_back


@dataclass(frozen=True)
class OrderStory:
    """An order with all its facts, free of any session; happenings from the oldest on.

    `partner` is whose key it was ordered with.
    """

    facts: OrderFacts
    partner: str | None
    happenings: tuple[Happening, ...]

    @property
    def order(self) -> Order:
        return self.facts.order

    @property
    def money(self) -> OrderSums:
        return sum_up(self.order, self.facts.cases, self.facts.refunds)


def tell_order(code: str) -> OrderStory | None:
    """Return the story of the order with this code."""
    with reading() as session:
        row = session.execute(_whole_order().where(Order.code == code)).one_or_none()
        if row is None:
            return None
        order: Order = row[0]
        partner: str | None = row[1]
        cases = _all_of(session, MoneyCase, order)
        refunds = _all_of(session, Refund, order)
        traces, wishes = list_traces(session, order)
        told = [
            *_of_order(order, partner),
            *_of_invoice(order),
            *traces,
            *_of_payment(order),
            *_of_last_reading(order, traces),
            *_of_seats(order),
            *_of_cases(cases),
            *_of_refunds(refunds),
            *list_scans(session, order),
            *list_acts(session, order, refunds),
        ]
        session.expunge_all()
    # Where two happened in the same moment, the order above is the one in which they were done.
    happenings = tuple(sorted(_share_request_ids(told), key=lambda one: one.at))
    return OrderStory(OrderFacts(order, refunds, cases, wishes), partner, happenings)


def _share_request_ids(told: Iterable[Happening]) -> Iterator[Happening]:
    """Yield happenings with the request id of what was done with them.

    One transaction writes one moment, to the microsecond, into all it touches: an order becomes
    paid at the moment of the reading that said so, and only the latter's row keeps an id.
    """
    told = tuple(told)
    known = {one.at: one.request_id for one in told if one.request_id}
    for one in told:
        yield one if one.request_id else replace(one, request_id=known.get(one.at))


def sum_up(order: Order, cases: Iterable[MoneyCase], refunds: Iterable[Refund]) -> OrderSums:
    """Return the sums of an order's money."""
    payment, received = order.payment, 0
    if payment.status is PaymentStatus.PAID:
        received = payment.amount if payment.paid_amount is None else payment.paid_amount
    for case in cases:
        is_known = payment.status is PaymentStatus.PAID and case.invoice_id == payment.invoice_id
        if case.kind in (CaseKind.DOUBLE_PAYMENT, CaseKind.UNDERPAID) and not is_known:
            received += case.amount
    back = dict.fromkeys((True, False), 0)
    for refund in refunds:
        back[refund.is_finished] += refund.amount
    return OrderSums(order.total, received, sent_back=back[True], going_back=back[False])


def invoice_made_at(invoice_id: str | None) -> datetime | None:
    """Return when Xendit made an invoice: its id begins with the second."""
    try:
        return datetime.fromtimestamp(int((invoice_id or "")[:8], 16), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _whole_order() -> sa.Select[Order, str]:
    """Return a query for an order with its buyer, payment, items and seats, and its partner."""
    of_item = selectinload(Order.items)
    of_seat = selectinload(Order.e_tickets)
    return (
        sa.select(Order, ApiKey.name)
        .outerjoin(ApiKey, ApiKey.id == Order.api_key_id)
        .options(
            joinedload(Order.user, innerjoin=True),
            joinedload(Order.payment, innerjoin=True),
            of_item.joinedload(OrderItem.ticket, innerjoin=True).options(lazyload(Ticket.stock)),
            of_item.joinedload(OrderItem.voucher).options(lazyload(Voucher.use)),
            of_seat.joinedload(ETicket.ticket, innerjoin=True).options(lazyload(Ticket.stock)),
        )
    )


Row = TypeVar("Row", MoneyCase, Refund)


def _all_of(session: Session, kind: type[Row], order: Order) -> list[Row]:
    return list(session.scalars(sa.select(kind).where(kind.order_id == order.id).order_by(kind.id)))


# --- what the rows of the order itself tell -----------------------------------------------------


def _of_order(order: Order, partner: str | None) -> Iterator[Happening]:
    seats = [(item.quantity, item.ticket.type) for item in order.items]
    placed = {"seats": seats, "total": order.total, "partner": partner}
    yield Happening(order.created_at, What.PLACED, placed, order.request_id)
    if order.cancel_requested_at:
        yield Happening(order.cancel_requested_at, What.CANCEL_ASKED)
    if order.status is OrderStatus.EXPIRED:
        yield Happening(order.expires_at, What.SEATS_RELEASED)


def _of_invoice(order: Order) -> Iterator[Happening]:
    payment = order.payment
    facts = {"invoice": payment.invoice_id}
    made_at = invoice_made_at(payment.invoice_id)
    if made_at and order.created_at - CLOCKS_DIFFER < made_at < order.expires_at:
        request_id = order.request_id if order.extensions == 0 else None
        # Never before the order, by a clock that is behind or a second that was cut off.
        at = max(made_at, order.created_at)
        yield Happening(at, What.INVOICE_MADE, facts, request_id)
    if payment.invoice_expires_at and not payment.paid_at:
        yield Happening(payment.invoice_expires_at, What.INVOICE_ENDS, facts)


def _of_payment(order: Order) -> Iterator[Happening]:
    payment = order.payment
    if payment.paid_at:
        facts = {"amount": payment.paid_amount, "channel": payment.channel}
        facts |= {"invoice": payment.invoice_id}
        yield Happening(payment.paid_at, What.MONEY_CAME, facts)
    if payment.hinted_at and (payment.read_at is None or payment.read_at < payment.hinted_at):
        yield Happening(payment.hinted_at, What.READING_ASKED)


def _of_last_reading(order: Order, traces: Iterable[Happening]) -> Iterator[Happening]:
    """Yield when the invoice was last read, unless that reading stands there with what it said."""
    read_at = order.payment.read_at
    told = {one.at for one in traces if one.what is What.READING}
    if read_at and read_at not in told:
        yield Happening(read_at, What.READ)


def _of_seats(order: Order) -> Iterator[Happening]:
    if order.paid_at:
        yield Happening(order.paid_at, What.PAID, {"seats": len(order.e_tickets)})
    revoked = Counter(seat.revoked_at for seat in order.e_tickets if seat.revoked_at)
    for at, seats in revoked.items():
        yield Happening(at, What.REVOKED, {"seats": seats})


def _of_cases(cases: Iterable[MoneyCase]) -> Iterator[Happening]:
    for case in cases:
        facts = {"case": case.id, "kind": case.kind}
        opened = {**facts, "amount": case.amount}
        yield Happening(case.opened_at, What.CASE_OPENED, opened, case.request_id)
        if case.resolved_at:
            closed = {**facts, "resolution": case.resolution, "by": case.resolved_by}
            yield Happening(case.resolved_at, What.CASE_CLOSED, closed)


def _of_refunds(refunds: Iterable[Refund]) -> Iterator[Happening]:
    for refund in refunds:
        facts = {"refund": refund.reference_id}
        due = {**facts, "amount": refund.amount, "reason": refund.reason}
        yield Happening(refund.created_at, What.REFUND_DUE, due, refund.request_id)
        if refund.sent_at:
            is_by_hand = refund.way is RefundWay.BY_HAND
            what = What.ACCOUNT_ASKED if is_by_hand else What.REFUND_SENT
            yield Happening(refund.sent_at, what, facts)
        if refund.finished_at:
            done = {**facts, "status": refund.status, "by": refund.finished_by}
            yield Happening(refund.finished_at, What.REFUND_DONE, done)

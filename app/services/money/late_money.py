"""Late money: paid after the seats were released and sold to others. The buyer chooses."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.errors import CaseClosed, SoldOut
from app.models import (
    CaseKind,
    CaseResolution,
    CaseStatus,
    MoneyCase,
    Order,
    OrderItem,
    OrderStatus,
    RefundReason,
    SaleStatus,
)
from app.services.money import cases, postings, refunds
from app.services.money.payments import lock_order
from app.services.running.audit import Actor, By
from app.services.running.transaction import reading, transaction, use_case
from app.services.selling import eticketing, seats
from app.services.selling.catalogue import TicketOnSale, list_tickets

BUYER = "buyer"


@dataclass(frozen=True)
class Alternative:
    """Seats of another type for the same people; `difference` in rupiah goes back."""

    ticket: TicketOnSale
    quantity: int
    difference: int


def list_alternatives(order: Order, now: datetime) -> list[Alternative]:
    """Return the tickets on sale that have room for all seats and cost at most what was paid."""
    quantity = sum(order.quantities.values())
    paid = refunds.money_of(order).paid
    return [
        Alternative(ticket, quantity, paid - quantity * ticket.price)
        for ticket in list_tickets(now)
        if ticket.status is SaleStatus.ON_SALE
        and ticket.available >= quantity
        and ticket.min_per_order <= quantity <= ticket.max_per_order
        and quantity * ticket.price <= paid
    ]


@use_case
def take_other_seats(order_id: int, ticket_id: int, *, now: datetime) -> None:
    """Give the buyer seats of another type, and the difference back.

    Raises CaseClosed, or SoldOut when they went meanwhile: the case stays open then.
    """
    with transaction() as session:
        order, case = _lock_case(session, order_id)
        chosen = next(
            (found for found in list_alternatives(order, now) if found.ticket.id == ticket_id), None
        )
        if chosen is None:
            raise SoldOut({ticket_id: 0})
        money = refunds.money_of(order)
        _replace_items(session, order, chosen)
        if not seats.sell_again(session, order):
            raise SoldOut({ticket_id: 0})
        _become_paid(session, order, case, CaseResolution.SWITCHED, BUYER, now)
        _resolve_rest(session, order, BUYER, now)
        if chosen.difference > 0:
            reason = RefundReason.DIFFERENCE
            refunds.open_refund(session, order, money, chosen.difference, reason, now=now)


@use_case
def wait_for_seats(order_id: int, *, now: datetime) -> None:
    """Put the buyer in line for seats that come free, until the case's deadline.

    Raises CaseClosed.
    """
    with transaction() as session:
        _, case = _lock_case(session, order_id)
        case.status = CaseStatus.WAITING
        session.flush()
        cases.enqueue_waiting(session, now)  # one may be free at this moment


@use_case
def take_money_back(order_id: int, *, now: datetime, by: By = BUYER) -> None:
    """Give up the seats and have the money sent back. Raises CaseClosed."""
    with transaction() as session:
        order, case = _lock_case(session, order_id)
        _refund_all(session, order, case, by, now)


def close_case(case_id: int, *, now: datetime) -> datetime | None:
    """Turn a case nobody decided in time into a refund; return when it is due, if later."""
    with reading() as session:
        case = session.get_one(MoneyCase, case_id)
        order_id, deadline_at, is_resolved = case.order_id, case.deadline_at, case.is_resolved
    if is_resolved:
        return None
    if deadline_at is not None and now < deadline_at:
        return deadline_at
    try:
        take_money_back(order_id, now=now, by="deadline")
    except CaseClosed:
        return None  # the buyer was a moment faster
    return None


def serve_waiting(*, now: datetime) -> None:
    """Offer free seats to those who wait, first come first served."""
    with reading() as session:
        waiting = sa.select(MoneyCase.order_id).where(MoneyCase.status == CaseStatus.WAITING)
        order_ids = list(session.scalars(waiting.order_by(MoneyCase.opened_at, MoneyCase.id)))
    for order_id in order_ids:
        _serve(order_id, now=now)


@use_case
def _serve(order_id: int, *, now: datetime) -> None:
    with transaction() as session:
        order = lock_order(session, order_id)
        case = cases.find_open(session, order_id, CaseKind.SEATS_GONE)
        if case is None or case.status is not CaseStatus.WAITING:
            return
        if seats.sell_again(session, order):
            _become_paid(session, order, case, CaseResolution.SEATS_FOUND, "system", now)


def _lock_case(session: Session, order_id: int) -> tuple[Order, MoneyCase]:
    order = lock_order(session, order_id)
    case = cases.find_open(session, order_id, CaseKind.SEATS_GONE)
    if case is None or order.is_paid:
        raise CaseClosed
    return order, case


def _replace_items(session: Session, order: Order, chosen: Alternative) -> None:
    names = [name for item in order.items for name in item.attendees]
    for item in list(order.items):
        session.delete(item)
    session.flush()
    session.expire(order, ["items"])
    item = OrderItem(
        order_id=order.id,
        ticket_id=chosen.ticket.id,
        quantity=chosen.quantity,
        price=chosen.ticket.price,
        attendees=names,
    )
    session.add(item)
    session.flush()
    session.expire(order, ["items"])
    order.total = item.subtotal


def _become_paid(
    session: Session,
    order: Order,
    case: MoneyCase,
    resolution: CaseResolution,
    by: By,
    now: datetime,
) -> None:
    order.move_to(OrderStatus.PAID)
    order.paid_at = now
    eticketing.issue(session, order, now)
    cases.resolve(case, resolution, by=by, now=now)
    postings.mark(session, order.id)


def _refund_all(session: Session, order: Order, case: MoneyCase, by: By, now: datetime) -> None:
    money = refunds.money_of(order)
    reason = RefundReason.SEATS_GONE
    refunds.open_refund(session, order, money, money.paid, reason, now=now)
    cases.resolve(case, CaseResolution.REFUNDED, by=by, now=now)
    if isinstance(by, Actor):  # else the buyer chose, or time ran out
        cases.note_decision(session, case, "refund", by=by, now=now)
    _resolve_rest(session, order, by, now)


def _resolve_rest(session: Session, order: Order, by: By, now: datetime) -> None:
    """Close the case of money paid beyond the price: it goes back with the rest."""
    rest = cases.find_open(session, order.id, CaseKind.OVERPAID)
    if rest is not None and rest.invoice_id == order.payment.invoice_id:
        cases.resolve(rest, CaseResolution.REFUNDED, by=by, now=now)

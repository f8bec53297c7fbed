"""Cancelling: by the buyer while unpaid, by staff when paid."""

import logging
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.errors import Busy, OrderNotCancellable
from app.integrations.xendit import INLINE, XenditClient, XenditError
from app.models import ETicket, Order, OrderStatus, RefundReason
from app.services.money import cases, postings, refunds
from app.services.money.expiry import expire_order
from app.services.money.payments import lock_order
from app.services.running import audit, jobs
from app.services.running.audit import Actor, By, Subject
from app.services.running.jobs import RetryLater
from app.services.running.transaction import affected, reading, transaction, use_case
from app.services.selling import seats
from app.services.selling.ordering import EXPIRE_ORDER

log = logging.getLogger(__name__)


def cancel_unpaid(order_id: int, *, now: datetime, gateway: XenditClient) -> bool:
    """Cancel an unpaid order for its buyer: close the invoice at Xendit, then release the seats.

    Returns whether that is done. Else money came in between, which wins (too little of it leaves
    the order to staff), or a job goes on with it, and the seats stay held meanwhile. Raises
    OrderNotCancellable unless it is PENDING.
    """
    _request_cancelling(order_id, now)
    try:
        expire_order(order_id, now=now, gateway=gateway, timeout=INLINE)
    except (XenditError, RetryLater, Busy) as error:  # noted already: a job goes on
        log.warning("cancelled later", extra={"order_id": order_id, "why": repr(error)})
        return False
    with reading() as session:
        return session.get_one(Order, order_id).status is OrderStatus.CANCELLED


@use_case
def _request_cancelling(order_id: int, now: datetime) -> None:
    with transaction() as session:
        order = lock_order(session, order_id)
        if order.status is not OrderStatus.PENDING:
            raise OrderNotCancellable
        if order.cancel_requested_at is None:
            order.cancel_requested_at = now
            jobs.enqueue(session, EXPIRE_ORDER, {"order_id": order_id}, now=now, due_at=now)


@use_case
def cancel_paid(order_id: int, *, by: By, now: datetime) -> None:
    """Cancel a paid order for staff: revoke its e-tickets, free its seats, send the money back.

    A free order has nothing to send back. Raises OrderNotCancellable unless it is PAID.
    """
    with transaction() as session:
        order = lock_order(session, order_id)
        if order.status is not OrderStatus.PAID:
            raise OrderNotCancellable
        end_paid(session, order, now)
        audit.record(
            session,
            actor=by,
            action="order.cancelled",
            subject=Subject("order", order.code),
            now=now,
        )
        log.warning("paid order cancelled", extra={"order": order.code, "by": Actor.of(by).name})


def end_paid(session: Session, order: Order, now: datetime) -> None:
    """Revoke a paid order's e-tickets, free its seats, send back what is left of its money.

    Part of the caller's transaction, which holds the order's lock.
    """
    order.move_to(OrderStatus.CANCELLED)
    _revoke(session, order, now)
    cases.enqueue_waiting(session, now)
    _open_refund(session, order, now)
    postings.mark(session, order.id)
    seats.take_back(session, order)  # last: all orders wait for these locks


def _open_refund(session: Session, order: Order, now: datetime) -> None:
    money = refunds.money_of(order)
    amount = min(order.total, money.paid)  # what was sent back before is not sent again
    if amount > 0:
        refunds.open_refund(session, order, money, amount, RefundReason.CANCELLED, now=now)


def _revoke(session: Session, order: Order, now: datetime) -> None:
    mine = sa.update(ETicket).where(ETicket.order_id == order.id, ETicket.revoked_at.is_(None))
    affected(session, mine.values(revoked_at=now))

"""The money desk: the cases and refunds staff look through. Deciding them is `money.deciding`."""

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from app.models import CaseStatus, MoneyCase, Order, Refund, RefundStatus
from app.services.running.transaction import reading

FINISHED = (RefundStatus.SUCCEEDED, RefundStatus.DONE_BY_HAND)


def list_refunds(*, include_finished: bool = False) -> list[Refund]:
    """Return the refunds that are not done, or all, with their orders, the oldest first."""
    query = sa.select(Refund).options(joinedload(Refund.order)).order_by(Refund.id)
    if not include_finished:
        query = query.where(Refund.status.not_in(FINISHED))
    with reading() as session:
        found = list(session.scalars(query))
        session.expunge_all()
        return found


def find_refund(reference: str) -> Refund | None:
    """Return the refund with this reference, with its order and buyer."""
    order = joinedload(Refund.order)
    query = sa.select(Refund).options(order, order.joinedload(Order.user))
    with reading() as session:
        refund = session.scalar(query.where(Refund.reference_id == reference))
        session.expunge_all()
        return refund


def list_open_cases() -> list[MoneyCase]:
    """Return the cases nobody has decided, with their orders, the oldest first."""
    query = sa.select(MoneyCase).options(joinedload(MoneyCase.order))
    query = query.where(MoneyCase.status != CaseStatus.RESOLVED).order_by(MoneyCase.id)
    with reading() as session:
        found = list(session.scalars(query))
        session.expunge_all()
        return found


def find_order_id(code: str) -> int | None:
    """Return the id of the order with this code."""
    with reading() as session:
        return session.scalar(sa.select(Order.id).where(Order.code == code))

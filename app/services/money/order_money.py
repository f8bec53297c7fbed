"""What an order's page says about money beside its payment: open questions and refunds."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.extensions import db
from app.models import CaseKind, CaseStatus, MoneyCase, Order, Refund
from app.services.money import refunds
from app.services.money.late_money import Alternative, list_alternatives


@dataclass(frozen=True)
class OrderMoney:
    """`choice` is the case of seats gone that waits for the buyer; `paid` what came for it.

    `underpaid` is the case of too little money, which a person looks at.
    """

    paid: int
    choice: MoneyCase | None
    underpaid: MoneyCase | None
    alternatives: tuple[Alternative, ...]
    refunds: tuple[Refund, ...]

    @property
    def is_waiting(self) -> bool:
        """Tell whether the buyer chose to be in line for seats that come free."""
        return self.choice is not None and self.choice.status is CaseStatus.WAITING


def look_at_money(order: Order, now: datetime) -> OrderMoney:
    """Return the open cases of an order, what its buyer may choose, and its refunds by age."""
    session = db.session()
    unresolved = sa.select(MoneyCase).where(
        MoneyCase.order_id == order.id, MoneyCase.status != CaseStatus.RESOLVED
    )
    cases = {case.kind: case for case in session.scalars(unresolved)}
    choice = cases.get(CaseKind.SEATS_GONE)
    sent_back = sa.select(Refund).where(Refund.order_id == order.id).order_by(Refund.id)
    return OrderMoney(
        paid=refunds.money_of(order).paid,
        choice=choice,
        underpaid=cases.get(CaseKind.UNDERPAID),
        alternatives=tuple(list_alternatives(order, now)) if choice else (),
        refunds=tuple(session.scalars(sent_back)),
    )

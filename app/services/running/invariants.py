"""Invariants: what must hold for stock, orders, e-tickets, money and the door at every moment."""

import sqlalchemy as sa

from app.models import (
    ETicket,
    MoneyCase,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    Ticket,
    TicketStock,
)
from app.services.running.door_invariants import find_door_violations
from app.services.running.stock_invariants import find_stock_violations
from app.services.running.transaction import reading


def find_violations() -> list[str]:
    """Return a sentence for every broken equation; an empty list is the only good answer."""
    with reading() as session:
        violations = []
        for ticket_type, amount, held, sold, pending, paid in session.execute(_stock()):
            if held < 0 or sold < 0 or held + sold > amount:
                violations.append(f"{ticket_type}: {held} held + {sold} sold of {amount}")
            if held != pending:
                violations.append(f"{ticket_type}: {held} held, but PENDING orders want {pending}")
            if sold != paid:
                violations.append(f"{ticket_type}: {sold} sold, but PAID orders have {paid}")
        for ticket_type in session.scalars(_without_stock()):
            violations.append(f"{ticket_type}: has no stock row")
        for code, ticket_type, seats, e_tickets in session.execute(_seats()):
            violations.append(
                f"order {code}: {seats} seats of {ticket_type} paid, {e_tickets} e-tickets"
            )
        for code, order, payment in session.execute(_out_of_step()):
            money = payment.value if payment else "missing"
            violations.append(f"order {code}: {order.value}, but its payment is {money}")
        for code in session.scalars(_dropped_money()):
            violations.append(f"order {code}: paid, without seats, without case or refund")
        violations += find_stock_violations(session)
        violations += find_door_violations(session)
        return violations


def _dropped_money() -> sa.Select[str]:
    """Select orders whose payment is PAID though they are not, and that nobody answers for."""
    return (
        sa.select(Order.code)
        .join(Payment, Payment.order_id == Order.id)
        .where(
            Payment.status == PaymentStatus.PAID,
            Payment.amount > 0,
            Order.status != OrderStatus.PAID,
            ~sa.exists().where(MoneyCase.order_id == Order.id),
            ~sa.exists().where(Refund.order_id == Order.id),
        )
    )


def _stock() -> sa.Select[str, int, int, int, int, int]:
    def wanted(status: OrderStatus) -> sa.ScalarSelect[int]:
        return (
            sa.select(sa.func.coalesce(sa.func.sum(OrderItem.quantity), 0))
            .join(Order, Order.id == OrderItem.order_id)
            .where(OrderItem.ticket_id == Ticket.id, Order.status == status)
            .correlate(Ticket)
            .scalar_subquery()
        )

    return sa.select(
        Ticket.type,
        TicketStock.amount,
        TicketStock.held,
        TicketStock.sold,
        wanted(OrderStatus.PENDING),
        wanted(OrderStatus.PAID),
    ).join(TicketStock)


def _without_stock() -> sa.Select[str]:
    return sa.select(Ticket.type).outerjoin(TicketStock).where(TicketStock.ticket_id.is_(None))


def _seats() -> sa.Select[str, str, int, int]:
    """Select items of PAID orders whose e-tickets are not one a seat."""
    made = (
        sa.select(sa.func.count())
        .where(ETicket.order_id == OrderItem.order_id, ETicket.ticket_id == OrderItem.ticket_id)
        .correlate(OrderItem)
        .scalar_subquery()
    )
    return (
        sa.select(Order.code, Ticket.type, OrderItem.quantity, made)
        .join(OrderItem, OrderItem.order_id == Order.id)
        .join(Ticket, Ticket.id == OrderItem.ticket_id)
        .where(Order.status == OrderStatus.PAID, OrderItem.quantity != made)
    )


def _out_of_step() -> sa.Select[str, OrderStatus, PaymentStatus | None]:
    """Select orders PAID without the money, and orders still PENDING although it is there.

    A payment PAID on an order that ended otherwise is money without seats: a case, no mistake.
    """
    has_money = sa.func.coalesce(Payment.status == PaymentStatus.PAID, sa.false())
    return (
        sa.select(Order.code, Order.status, Payment.status)
        .outerjoin(Payment, Payment.order_id == Order.id)
        .where(
            ((Order.status == OrderStatus.PAID) & sa.not_(has_money))
            | ((Order.status == OrderStatus.PENDING) & has_money)
        )
    )

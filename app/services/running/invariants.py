"""Invariants: what must hold for stock, orders and e-tickets at every moment."""

import sqlalchemy as sa

from app.models import ETicket, Order, OrderItem, OrderStatus, Ticket, TicketStock
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
        for code, seats, e_tickets in session.execute(_seats()):
            violations.append(f"order {code}: {seats} seats paid, {e_tickets} e-tickets")
        return violations


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


def _seats() -> sa.Select[str, int, int]:
    """Select PAID orders whose e-tickets are not one a seat."""
    bought = (
        sa.select(OrderItem.order_id, sa.func.sum(OrderItem.quantity).label("seats"))
        .group_by(OrderItem.order_id)
        .subquery()
    )
    made = (
        sa.select(ETicket.order_id, sa.func.count().label("made"))
        .group_by(ETicket.order_id)
        .subquery()
    )
    made_count = sa.func.coalesce(made.c.made, 0)
    return (
        sa.select(Order.code, bought.c.seats, made_count)
        .join(bought, bought.c.order_id == Order.id)
        .outerjoin(made, made.c.order_id == Order.id)
        .where(Order.status == OrderStatus.PAID, bought.c.seats != made_count)
    )

"""What the ledger reads before it posts: the facts of orders, and what is posted of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    LedgerEntry,
    LedgerPosting,
    MoneyCase,
    Movement,
    Order,
    OrderItem,
    Payment,
    Refund,
    Transaction,
)
from app.services.money.ledger_facts import (
    Case,
    Figure,
    Head,
    Item,
    OrderFacts,
    PaidOut,
    Place,
    SentBack,
)

# An order's id (None: the balance's own), what happened, and the key of the fact.
Key = tuple[int | None, Movement, str]


class Posted(NamedTuple):
    """What is in the ledger of one fact already, and when it happened by the first posting."""

    entries: dict[Place, Figure]
    happened_at: datetime


def load_orders(session: Session, order_ids: Sequence[int]) -> dict[int, OrderFacts]:
    """Return the facts of these orders, locked: nothing of them changes before the commit.

    Those that somebody else has locked are left out, so that nobody is waited for. A statement for
    each kind of fact, however many orders.
    """
    head = sa.select(
        Order.id,
        Order.status,
        Order.paid_at,
        Payment.status,
        Payment.amount,
        Payment.paid_amount,
        Payment.paid_at,
        Payment.invoice_id,
        Payment.channel,
    ).join(Payment, Payment.order_id == Order.id)
    locked = (
        head.where(Order.id.in_(order_ids)).order_by(Order.id).with_for_update(skip_locked=True)
    )
    orders = {row[0]: OrderFacts(Head(*row)) for row in session.execute(locked)}
    for order_id, *values in _each(session, OrderItem, Item._fields, orders):
        orders[order_id].items.append(Item(*values))
    for order_id, *values in _each(session, MoneyCase, Case._fields, orders):
        orders[order_id].cases.append(Case(*values))
    for order_id, *values in _each(session, Refund, SentBack._fields, orders):
        orders[order_id].refunds.append(SentBack(*values))
    for order_id, *values in _each(session, Transaction, PaidOut._fields, orders):
        orders[order_id].paid_out.append(PaidOut(*values))
    return orders


def _each(
    session: Session, model: Any, fields: Sequence[str], orders: dict[int, OrderFacts]
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    columns = [getattr(model, field) for field in fields]
    mine = sa.select(model.order_id, *columns).where(model.order_id.in_(list(orders)))
    return session.execute(mine.order_by(model.id)).all()


def load_posted(session: Session, order_ids: Sequence[int]) -> dict[Key, Posted]:
    """Return what the ledger says of these orders, added up by fact, account and ticket."""
    return _load_posted(session, LedgerPosting.order_id.in_(order_ids))


def load_posted_apart(session: Session, keys: Sequence[str]) -> dict[Key, Posted]:
    """Return what the ledger says of these facts that belong to no order."""
    mine = LedgerPosting.order_id.is_(None) & LedgerPosting.key.in_(keys)
    return _load_posted(session, mine)


def _load_posted(session: Session, mine: sa.ColumnElement[bool]) -> dict[Key, Posted]:
    total = (
        sa.select(
            LedgerPosting.order_id,
            LedgerPosting.movement,
            LedgerPosting.key,
            LedgerEntry.account,
            LedgerEntry.ticket_id,
            sa.func.sum(LedgerEntry.amount),
            sa.func.sum(LedgerEntry.count),
            sa.func.min(LedgerPosting.happened_at),
        )
        .join(LedgerEntry, LedgerEntry.posting_id == LedgerPosting.id)
        .where(mine)
        .group_by(
            LedgerPosting.order_id,
            LedgerPosting.movement,
            LedgerPosting.key,
            LedgerEntry.account,
            LedgerEntry.ticket_id,
        )
    )
    found: dict[Key, Posted] = {}
    for order_id, movement, key, account, ticket, amount, count, at in session.execute(total):
        posted = found.setdefault((order_id, movement, key), Posted({}, at))
        posted.entries[account, ticket] = Figure(int(amount), int(count))
    return found

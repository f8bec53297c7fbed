"""Steps shared by tests of the ledger: posting, what it says, and what the facts say."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.extensions import db
from app.models import (
    Account,
    DayClose,
    LedgerEntry,
    LedgerPosting,
    LedgerSum,
    MoneyCase,
    Movement,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    Withdrawal,
)
from app.services.money import ledger, postings
from app.services.money.ledger import Line
from app.services.money.posting_writing import SUM_KEY
from app.services.selling.ordering import PlacedOrder
from tests.money.world import World


def post(world: World) -> int:
    """Do what the worker does every few seconds; return how many marks it took."""
    zone, taken = world.settings.event.timezone, 0
    with world.app.app_context():
        while found := postings.post_marked(now=world.now(), zone=zone):
            taken += found
    return taken


def post_all(world: World) -> int:
    """Look at every order, marked or not; return how many postings it took."""
    with world.app.app_context():
        return postings.sweep_all(now=world.now(), zone=world.settings.event.timezone)


def lines(world: World, placed: PlacedOrder) -> list[Line]:
    """Return the ledger's entries of an order."""
    with world.app.app_context():
        found = ledger.list_lines(date(2000, 1, 1), date(2100, 1, 1), limit=100_000)
    return [line for line in found if line.order_code == placed.code]


def told(world: World, placed: PlacedOrder) -> list[tuple[Movement, Account, int]]:
    """Return what happened to an order's money, as (movement, account, rupiah), in order."""
    return [(line.movement, line.account, line.amount) for line in lines(world, placed)]


def balances(world: World, placed: PlacedOrder | None = None) -> dict[Account, int]:
    """Return the accounts that do not stand at zero, of one order or of all."""
    if placed is None:
        with world.app.app_context():
            found = ledger.balances()
    else:
        found = defaultdict(int)
        for line in lines(world, placed):
            found[line.account] += line.amount
    return {account: amount for account, amount in found.items() if amount}


def wrongs(app: Flask) -> list[str]:
    """Return what is wrong with the ledger by itself, and against the orders' facts."""
    with app.app_context():
        session = db.session()
        return [
            *_out_of_balance(session),
            *_sums_that_differ(session),
            *_overdrawn(session),
            *_facts(session),
        ]


def _out_of_balance(session: Session) -> Iterator[str]:
    total = sa.func.sum(LedgerEntry.amount)
    odd = sa.select(LedgerEntry.posting_id, total).group_by(LedgerEntry.posting_id)
    for posting, rest in session.execute(odd.having(total != 0)):
        yield f"posting {posting} leaves {rest}"


def _overdrawn(session: Session) -> Iterator[str]:
    """Yield orders whose buyers have less than nothing: a gift must be booked as one."""
    total = sa.func.sum(LedgerEntry.amount)
    mine = sa.select(LedgerEntry.order_id, total).where(LedgerEntry.account == Account.BUYERS)
    for order_id, rest in session.execute(mine.group_by(LedgerEntry.order_id).having(total > 0)):
        yield f"order {order_id}: its buyer owes {rest}"


def _sums_that_differ(session: Session) -> Iterator[str]:
    key = [getattr(LedgerEntry, name) for name in SUM_KEY]
    figures = (sa.func.sum(LedgerEntry.amount), sa.func.sum(LedgerEntry.count))
    counted = {tuple(row) for row in session.execute(sa.select(*key, *figures).group_by(*key))}
    kept = [getattr(LedgerSum, name) for name in (*SUM_KEY, "amount", "count")]
    stored = {tuple(row) for row in session.execute(sa.select(*kept))}
    for row in counted ^ stored:
        yield f"sums: {row}"


def _facts(session: Session) -> Iterator[str]:
    """Add up the tables by themselves, another way than the ledger does."""
    is_paid = Payment.status == PaymentStatus.PAID
    came = sa.func.coalesce(Payment.paid_amount, Payment.amount)
    paid = _sum(session, sa.select(sa.func.sum(came)).where(is_paid))
    others = sa.select(sa.func.sum(MoneyCase.amount)).where(
        sa.exists().where(
            Payment.order_id == MoneyCase.order_id,
            sa.not_(is_paid) | (Payment.invoice_id != MoneyCase.invoice_id),
        ),
        MoneyCase.kind.in_(["underpaid", "double_payment"]),
    )
    sold = sa.select(sa.func.sum(Order.total)).where(Order.status == OrderStatus.PAID)
    due = sa.select(sa.func.sum(Refund.amount))
    done = due.where(Refund.finished_at.is_not(None))
    gone = sa.select(sa.func.sum(Withdrawal.amount)).where(Withdrawal.status == "SUCCESS")
    said = {
        "received": (Movement.RECEIVED, Account.RECEIVABLE),
        "owed back": (Movement.REFUND_DUE, Account.REFUNDS_OWED),
        "sent back": (Movement.REFUNDED, Account.REFUNDS_OWED),
        "paid out": (Movement.PAID_OUT, Account.BANK),
    }
    facts = {
        "received": paid + _sum(session, others),
        "owed back": -_sum(session, due),
        "sent back": _sum(session, done),
        "paid out": _sum(session, gone),
    }
    for name, (movement, account) in said.items():
        mine = (LedgerEntry.movement == movement) & (LedgerEntry.account == account)
        posted = _sum(session, sa.select(sa.func.sum(LedgerEntry.amount)).where(mine))
        if posted != facts[name]:
            yield f"{name}: {posted} in the ledger, {facts[name]} in fact"
    of_sales = sa.select(sa.func.sum(LedgerEntry.amount)).where(LedgerEntry.account == "sales")
    if -_sum(session, of_sales) != _sum(session, sold):
        yield f"sales: {-_sum(session, of_sales)} in the ledger, {_sum(session, sold)} in fact"


def _sum(session: Session, statement: sa.Select[int]) -> int:
    return int(session.scalar(statement) or 0)


def close_of(day: date, sums: dict[str, int], now: datetime) -> DayClose:
    """Return the close of a day as if somebody had signed these sums."""
    close = DayClose(day=day, sums=sums, differences=0, closed_by="tests", closed_at=now)
    close.seal = close.previous_seal = ""
    return close


def count_postings(world: World) -> int:
    return world.count(LedgerPosting)

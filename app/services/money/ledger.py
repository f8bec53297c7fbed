"""The ledger, read: sums by day, balances, and the postings themselves for lists and exports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import sqlalchemy as sa

from app.models import Account, LedgerEntry, LedgerPosting, LedgerSum, Movement, Order
from app.services.running.transaction import reading


@dataclass(frozen=True)
class Sum:
    """What one kind of movement did to one account on one day; `amount` as the ledger signs it.

    `count` is seats for SALES, else how many (payments, orders, refunds). `ticket_id` is 0 and
    `channel` empty where there is none.
    """

    day: date
    movement: Movement
    account: Account
    ticket_id: int
    channel: str
    amount: int
    count: int


@dataclass(frozen=True)
class Line:
    """One entry with its posting and order, as lists and exports show it.

    `order_code` is empty for the movements of the balance itself.
    """

    id: int
    posting_id: int
    day: date
    corrects: date | None
    happened_at: datetime
    posted_at: datetime
    order_code: str
    movement: Movement
    key: str
    account: Account
    ticket_id: int
    channel: str
    amount: int
    count: int


def list_sums(first: date, last: date) -> list[Sum]:
    """Return the sums of the days from `first` to `last` (both included), by day.

    At most a few hundred rows a day, whatever the number of orders.
    """
    wanted = (
        sa.select(
            LedgerSum.day,
            LedgerSum.movement,
            LedgerSum.account,
            LedgerSum.ticket_id,
            LedgerSum.channel,
            LedgerSum.amount,
            LedgerSum.count,
        )
        .where(LedgerSum.day >= first, LedgerSum.day <= last)
        .order_by(
            LedgerSum.day,
            LedgerSum.movement,
            LedgerSum.account,
            LedgerSum.ticket_id,
            LedgerSum.channel,
        )
    )
    with reading() as session:
        return [Sum(*row) for row in session.execute(wanted)]


def list_totals(first: date, last: date) -> list[Sum]:
    """Return what `list_sums` does, without tickets and channels: about fifteen rows a day."""
    key = (LedgerSum.day, LedgerSum.movement, LedgerSum.account)
    figures = (sa.func.sum(LedgerSum.amount), sa.func.sum(LedgerSum.count))
    wanted = sa.select(*key, *figures).where(LedgerSum.day.between(first, last)).group_by(*key)
    with reading() as session:
        rows = session.execute(wanted.order_by(*key))
        return [
            Sum(day, movement, account, 0, "", int(amount), int(count))
            for day, movement, account, amount, count in rows
        ]


def find_period() -> tuple[date, date] | None:
    """Return the first and the last day of the ledger; None while it is empty."""
    ends = sa.select(sa.func.min(LedgerSum.day), sa.func.max(LedgerSum.day))
    with reading() as session:
        first, last = cast("tuple[date | None, date | None]", session.execute(ends).one())
    return (first, last) if first and last else None


def balances(until: date | None = None) -> dict[Account, int]:
    """Return what each account stands at after `until` (now, by default); 0 for an empty one."""
    total = sa.select(LedgerSum.account, sa.func.sum(LedgerSum.amount)).group_by(LedgerSum.account)
    if until is not None:
        total = total.where(LedgerSum.day <= until)
    with reading() as session:
        found = {account: int(amount) for account, amount in session.execute(total)}
    return {account: found.get(account, 0) for account in Account}


def sum_account(account: Account) -> dict[Movement, int]:
    """Return what each kind of movement did to an account, of all days, in rupiah."""
    total = sa.select(LedgerSum.movement, sa.func.sum(LedgerSum.amount))
    mine = total.where(LedgerSum.account == account).group_by(LedgerSum.movement)
    with reading() as session:
        return {movement: int(amount) for movement, amount in session.execute(mine)}


def list_lines(
    first: date,
    last: date,
    *,
    after: int = 0,
    limit: int,
    account: Account | None = None,
) -> list[Line]:
    """Return entries booked from `first` to `last`, by id; `after` is the last id of a page."""
    entries = LedgerEntry.day.between(first, last)
    wanted = _lines().where(entries, LedgerEntry.id > after).order_by(LedgerEntry.id)
    if account is not None:
        wanted = wanted.where(LedgerEntry.account == account)
    with reading() as session:
        return [Line(*row) for row in session.execute(wanted.limit(limit))]


def list_corrections(day: date, *, limit: int = 100) -> list[Line]:
    """Return the entries booked on `day` that correct a day closed before."""
    corrected = LedgerPosting.corrects.is_not(None)
    wanted = _lines().where(LedgerPosting.day == day, corrected).order_by(LedgerEntry.id)
    with reading() as session:
        return [Line(*row) for row in session.execute(wanted.limit(limit))]


def add_up(sums: Sequence[Sum], *accounts: Account, of: Movement | None = None) -> int:
    """Return the amount these accounts have in `sums` (of one kind of movement, if given)."""
    return sum(one.amount for one in sums if one.account in accounts and of in (None, one.movement))


def count_up(sums: Sequence[Sum], account: Account, of: Movement) -> int:
    """Return how many: seats for SALES, else payments, orders, refunds."""
    return sum(one.count for one in sums if one.account is account and one.movement is of)


def _lines() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            LedgerEntry.id,
            LedgerEntry.posting_id,
            LedgerEntry.day,
            LedgerPosting.corrects,
            LedgerPosting.happened_at,
            LedgerPosting.posted_at,
            sa.func.coalesce(Order.code, ""),
            LedgerEntry.movement,
            LedgerPosting.key,
            LedgerEntry.account,
            LedgerEntry.ticket_id,
            LedgerEntry.channel,
            LedgerEntry.amount,
            LedgerEntry.count,
        )
        .join(LedgerPosting, LedgerPosting.id == LedgerEntry.posting_id)
        .outerjoin(Order, Order.id == LedgerEntry.order_id)
    )

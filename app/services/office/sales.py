"""The finance overview: what was sold, and where each rupiah of it is, over some days.

All of it is read from the sums of the ledger, whose postings add up to zero. So the tables here
agree with one another, with the exports and with the daily close, to the last rupiah.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from app.models import Account, LedgerSum, Movement, Order, OrderStatus, Ticket, Transaction
from app.services.money import ledger
from app.services.money.daily_reconciliation import midnight
from app.services.money.ledger import Sum, add_up, count_up
from app.services.money.settling import LATE_AFTER
from app.services.running.transaction import reading

DAYS_AHEAD = 7


@dataclass(frozen=True)
class Sales:
    """Seats and rupiah of a ticket, a day, a channel, or all together."""

    name: str
    seats: int = 0
    gross: int = 0
    seats_back: int = 0
    taken_back: int = 0

    @property
    def net(self) -> int:
        return self.gross - self.taken_back

    @property
    def net_seats(self) -> int:
        return self.seats - self.seats_back


@dataclass(frozen=True)
class Day:
    """A day's sales and movements of money, in rupiah; `orders` were sold on it."""

    day: date
    sales: Sales
    orders: int
    received: int
    charged: int
    refunded: int
    settled: int


@dataclass(frozen=True)
class Flow:
    """Net sales, and step by step what is left of them and where. `net` is the last line.

    `undecided` is money of buyers that nobody got seats for, `owed` promised refunds: both are in
    hand and not ours. `forgiven` was never paid (negative: paid too much, and kept). What is left
    is `in_balance`, came to the bank (`at_bank`, less what went back `by_hand`), or is `unsettled`.
    """

    sales: int
    undecided: int
    owed: int
    forgiven: int
    goodwill: int
    fee: int
    vat: int
    withheld: int
    settled: int
    sent_back: int
    charged: int
    entered: int
    paid_out: int
    at_bank: int
    by_hand: int
    unsettled: int

    @property
    def in_balance(self) -> int:
        """Return what was added to the balance at Xendit and stayed there."""
        return self.settled - self.sent_back - self.charged + self.entered - self.paid_out

    @property
    def came(self) -> int:
        """Return what came from buyers and stayed, before Xendit's charges."""
        return self.sales + self.undecided + self.owed - self.forgiven - self.goodwill

    @property
    def net(self) -> int:
        return self.came - self.fee - self.vat - self.withheld


@dataclass(frozen=True)
class Expected:
    """What Xendit will settle on a day; None: later, or nobody knows when."""

    day: date | None
    amount: int
    is_late: bool = False


@dataclass(frozen=True)
class Standing:
    """How things stand now, whatever the days looked at."""

    open_orders: int
    open_total: int
    undecided: int
    owed: int
    unsettled: int
    balance: int
    without_fee: int
    expected: tuple[Expected, ...]


@dataclass(frozen=True)
class Overview:
    """Everything the page shows of the days from `first` to `last`, both included."""

    first: date
    last: date
    total: Sales
    tickets: tuple[Sales, ...]
    channels: tuple[Sales, ...]
    days: tuple[Day, ...]
    received: int
    refunded: int
    flow: Flow


def find_days(first: date | None, last: date | None, *, today: date) -> tuple[date, date]:
    """Return the days to look at; what is not given is the ledger's first day, and today."""
    if first is None or last is None:
        known = ledger.find_period()
        first = first or min(last or today, known[0] if known else today)
        last = last or max(first, today, known[1] if known else today)
    return min(first, last), max(first, last)


def look(first: date, last: date) -> Overview:
    """Return the overview of some days; four statements, whatever was sold."""
    sums, sold = _list_sums(first, last)
    order, names = _list_tickets()
    tickets = _group(sold, lambda one: one.ticket_id)
    channels = _group(sold, lambda one: one.channel)
    by_day: dict[date, list[Sum]] = defaultdict(list)
    for one in sums:
        by_day[one.day].append(one)
    return Overview(
        first=first,
        last=last,
        total=_sales(sums),
        tickets=tuple(
            replace(tickets[key], name=names.get(key, str(key)))
            for key in sorted(tickets, key=lambda key: (order.get(key, len(order)), key))
        ),
        channels=tuple(sorted(_named(channels), key=lambda one: (-one.net, one.name))),
        days=tuple(_day(day, by_day[day]) for day in sorted(by_day, reverse=True)),
        received=add_up(sums, Account.RECEIVABLE, of=Movement.RECEIVED),
        refunded=add_up(sums, Account.REFUNDS_OWED, of=Movement.REFUNDED),
        flow=_flow(sums),
    )


def look_at_now(now: datetime, zone: tzinfo) -> Standing:
    """Return what is open, owed and expected at this moment."""
    stands = ledger.balances()
    is_open = Order.status == OrderStatus.PENDING
    count, total = sa.func.count(Order.id), sa.func.coalesce(sa.func.sum(Order.total), 0)
    with reading() as session:
        open_orders, open_total = session.execute(sa.select(count, total).where(is_open)).one()
    expected = _list_expected(now, zone)
    unsettled = stands[Account.RECEIVABLE]
    return Standing(
        open_orders=open_orders,
        open_total=int(open_total),
        undecided=-stands[Account.BUYERS],
        owed=-stands[Account.REFUNDS_OWED],
        unsettled=unsettled,
        balance=stands[Account.BALANCE],
        without_fee=unsettled - sum(one.amount for one in expected),
        expected=tuple(one for one in expected if one.amount),
    )


def _list_sums(first: date, last: date) -> tuple[list[Sum], list[Sum]]:
    """Return the sums of each day, and what was sold by ticket and channel, of the same moment.

    Hence in one statement. Each day's tickets by channel are five times as many rows, which nobody
    looks at.
    """
    kind = (LedgerSum.movement, LedgerSum.account)
    figures = (sa.func.sum(LedgerSum.amount), sa.func.sum(LedgerSum.count))
    nothing = (sa.literal(0), sa.literal(""))
    days = sa.select(sa.literal(1), LedgerSum.day, *kind, *nothing, *figures)
    days = days.group_by(LedgerSum.day, *kind)
    parts = (LedgerSum.ticket_id, LedgerSum.channel)
    sold = sa.select(sa.literal(0), sa.func.min(LedgerSum.day), *kind, *parts, *figures)
    sold = sold.where(LedgerSum.account == Account.SALES).group_by(*kind, *parts)
    within = LedgerSum.day.between(first, last)
    with reading() as session:
        rows = session.execute(sa.union_all(days.where(within), sold.where(within))).all()
    sums: dict[int, list[Sum]] = {1: [], 0: []}
    for is_day, day, movement, account, ticket_id, channel, amount, count in rows:
        one = Sum(day, movement, account, ticket_id, channel, int(amount), int(count))
        sums[is_day].append(one)
    return sums[1], sums[0]


def _sales(sums: Iterable[Sum], name: str = "") -> Sales:
    of = {Movement.SOLD: [0, 0], Movement.CANCELLED: [0, 0]}
    for one in sums:
        if one.account is Account.SALES and one.movement in of:
            of[one.movement][0] += one.count
            of[one.movement][1] += one.amount
    sold, back = of[Movement.SOLD], of[Movement.CANCELLED]
    return Sales(name, sold[0], -sold[1], -back[0], back[1])


def _group(sums: Sequence[Sum], key: Callable[[Sum], Any]) -> dict[Any, Sales]:
    groups: dict[Any, list[Sum]] = defaultdict(list)
    for one in sums:
        groups[key(one)].append(one)
    return {each: _sales(members) for each, members in groups.items()}


def _named(channels: dict[str, Sales]) -> list[Sales]:
    return [replace(sales, name=name) for name, sales in channels.items()]


def _day(day: date, sums: Sequence[Sum]) -> Day:
    return Day(
        day=day,
        sales=_sales(sums),
        orders=count_up(sums, Account.BUYERS, Movement.SOLD),
        received=add_up(sums, Account.RECEIVABLE, of=Movement.RECEIVED),
        charged=add_up(sums, Account.FEE, Account.VAT, Account.WITHHOLDING),
        refunded=add_up(sums, Account.REFUNDS_OWED, of=Movement.REFUNDED),
        settled=add_up(sums, Account.BALANCE, of=Movement.SETTLED),
    )


def _flow(sums: Sequence[Sum]) -> Flow:
    return Flow(
        sales=-add_up(sums, Account.SALES),
        undecided=-add_up(sums, Account.BUYERS),
        owed=-add_up(sums, Account.REFUNDS_OWED),
        forgiven=add_up(sums, Account.ACCEPTED),
        goodwill=add_up(sums, Account.GOODWILL),
        fee=add_up(sums, Account.FEE),
        vat=add_up(sums, Account.VAT),
        withheld=add_up(sums, Account.WITHHOLDING),
        settled=add_up(sums, Account.BALANCE, of=Movement.SETTLED),
        sent_back=-add_up(sums, Account.BALANCE, of=Movement.REFUNDED),
        charged=-add_up(sums, Account.BALANCE, of=Movement.CHARGED),
        entered=add_up(sums, Account.BALANCE, of=Movement.CORRECTED),
        paid_out=-add_up(sums, Account.BALANCE, of=Movement.PAID_OUT),
        at_bank=add_up(sums, Account.BANK) - add_up(sums, Account.BANK, of=Movement.REFUNDED),
        by_hand=-add_up(sums, Account.BANK, of=Movement.REFUNDED),
        unsettled=add_up(sums, Account.RECEIVABLE),
    )


def _list_tickets() -> tuple[dict[int, int], dict[int, str]]:
    """Return the place of each ticket in the catalogue, and its name."""
    query = sa.select(Ticket.id, Ticket.type).order_by(Ticket.position, Ticket.id)
    with reading() as session:
        rows = session.execute(query).all()
    return {row.id: place for place, row in enumerate(rows)}, {row.id: row.type for row in rows}


def _list_expected(now: datetime, zone: tzinfo) -> list[Expected]:
    """Return what is to be settled: late, until the end of today and of each day, or later."""
    today = now.astimezone(zone).date()
    days_after = [today + timedelta(days=n + 1) for n in range(DAYS_AHEAD)]
    ends = [now - LATE_AFTER, *(midnight(day, zone) for day in days_after)]
    with reading() as session:
        found = session.execute(sa.union_all(*_unsettled_until(ends))).all()
    sums: dict[int, int] = {place: int(amount or 0) for place, amount in found}
    days = [Expected(today + timedelta(days=n), sums.get(n + 1, 0)) for n in range(DAYS_AHEAD)]
    late, rest = sums.get(0, 0), sums.get(len(ends), 0)
    return [Expected(None, late, is_late=True), *days, Expected(None, rest)]


def _unsettled_until(ends: Sequence[datetime]) -> Iterator[sa.Select[int, int | None]]:
    """Yield a sum for each stretch between two ends, and for what is outside.

    Each is a range of one index. A CASE for each row of a big sale would take four times as long.
    """
    at, net = Transaction.expected_at, sa.func.sum(Transaction.net)
    outside = at.is_(None) | (at >= ends[-1])
    stretches = [at < ends[0], *((at >= a) & (at < b) for a, b in pairwise(ends))]
    for place, stretch in enumerate([*stretches, outside]):
        yield sa.select(sa.literal(place), net).where(Transaction.settled_at.is_(None), stretch)

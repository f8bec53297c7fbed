"""What the charts show: sales against seats and price windows, the funnel, channels, arrivals."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.models import (
    Account,
    ETicket,
    LedgerSum,
    Movement,
    Order,
    PageView,
    Ticket,
)
from app.services.money import ledger
from app.services.running.minutes import minute_of, read_minute
from app.services.running.transaction import affected, reading, transaction, use_case

MOST_LINES = 6  # what a reader can tell apart; the tickets that sold least stand together
SLOT = timedelta(minutes=10)


@dataclass(frozen=True)
class Window:
    """A ticket's price and when it is sold for it; times are aware, `seats` net of those back."""

    name: str
    price: int
    opens_at: datetime
    closes_at: datetime
    seats: int
    amount: int


@dataclass(frozen=True)
class SalesCourse:
    """Seats sold until the end of each day, by ticket; `capacity` is how many there are.

    `lines` are the tickets' names, None for all that sold least together; `days` is gapless.
    """

    lines: tuple[str | None, ...]
    days: tuple[tuple[date, tuple[int, ...]], ...]
    capacity: int
    windows: tuple[Window, ...]


@dataclass(frozen=True)
class Funnel:
    """How many looked at the shop, ordered, paid, and how many people there are and came in.

    `looks` is None when nobody was counted: the shop is older than the counting.
    """

    looks: int | None
    orders: int
    paid: int
    seats: int
    entered: int


def chart_sales() -> SalesCourse:
    """Return how sales went from the first day to the last; three statements."""
    tickets = _list_tickets()
    days = ledger.find_period()
    sold = _count_sold()
    totals = {ticket.id: sum(sold[ticket.id].values()) for ticket in tickets}
    named, rest = _choose_lines(tickets, totals)
    return SalesCourse(
        lines=(*(ticket.type for ticket in named), *((None,) if rest else ())),
        days=_add_up_days(days, [*([one] for one in named), *([rest] if rest else ())], sold),
        capacity=_capacity(tickets),
        windows=tuple(
            Window(
                one.type,
                one.price,
                one.valid_from,
                one.valid_until,
                totals[one.id],
                one.stock.amount,
            )
            for one in tickets
        ),
    )


def count_funnel() -> Funnel:
    """Return the funnel of the whole sale."""
    entered = sa.select(sa.func.count(ETicket.id)).where(ETicket.admitted_at.is_not(None))
    sold = (LedgerSum.account == Account.BUYERS) & (LedgerSum.movement == Movement.SOLD)
    with reading() as session:
        paid = session.scalar(_count_up(sold))
        seats = session.scalar(_count_up(LedgerSum.account == Account.SALES))
        looks = session.scalar(sa.select(sa.func.sum(PageView.views)))
        orders = session.scalar(sa.select(sa.func.count(Order.id))) or 0
        came = session.scalar(entered) or 0
    return Funnel(
        looks=None if looks is None else int(looks),
        orders=orders,
        paid=int(paid or 0),
        seats=int(seats or 0),
        entered=came,
    )


def chart_arrivals(zone: tzinfo) -> list[tuple[datetime, int]]:
    """Return first entries of every ten minutes, from the first to the last, without gaps."""
    minute = minute_of(ETicket.admitted_at)
    entries = sa.select(sa.func.count(), *minute).where(ETicket.admitted_at.is_not(None))
    counts: Counter[datetime] = Counter()
    with reading() as session:
        for count, *parts in session.execute(entries.group_by(*minute)):
            counts[_slot_of(read_minute(parts))] += count
    if not counts:
        return []
    first, last = min(counts), max(counts)
    # Somebody let in a day early for a trial does not make a chart of a thousand empty slots.
    slot_count = (last - first) // SLOT + 1
    every = [first + SLOT * n for n in range(slot_count)] if slot_count <= 500 else sorted(counts)
    return [(at.astimezone(zone), counts[at]) for at in every]


@use_case
def add_looks(day: date, looks: int) -> None:
    """Add looks at the shop to a day's count."""
    known = sa.update(PageView).where(PageView.day == day)
    more = known.values(views=PageView.views + looks)
    try:
        with transaction() as session:
            if affected(session, more) == 0:
                session.add(PageView(day=day, views=looks))
    except IntegrityError:  # another process opened the day meanwhile
        with transaction() as session:
            affected(session, more)


def _count_sold() -> dict[int, dict[date, int]]:
    """Return the seats of each ticket and day, those taken back taken off."""
    day = (LedgerSum.ticket_id, LedgerSum.day)
    seats = sa.select(*day, sa.func.sum(LedgerSum.count)).group_by(*day)
    sold: dict[int, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    with reading() as session:
        for ticket_id, at, count in session.execute(
            seats.where(LedgerSum.account == Account.SALES)
        ):
            sold[ticket_id][at] = int(count)
    return sold


def _count_up(which: sa.ColumnElement[bool]) -> sa.Select[int]:
    return sa.select(sa.func.sum(LedgerSum.count)).where(which)


def _list_tickets() -> list[Ticket]:
    with reading() as session:
        found = list(session.scalars(sa.select(Ticket).order_by(Ticket.position, Ticket.id)))
        session.expunge_all()
        return found


def _choose_lines(
    tickets: list[Ticket], totals: dict[int, int]
) -> tuple[list[Ticket], list[Ticket]]:
    """Return the tickets with a line of their own, in the catalogue's order, and the others."""
    sold = [ticket for ticket in tickets if totals[ticket.id]]
    best = sorted(sold, key=lambda ticket: -totals[ticket.id])
    has_room = len(best) <= MOST_LINES
    chosen = {ticket.id for ticket in (best if has_room else best[: MOST_LINES - 1])}
    return (
        [ticket for ticket in sold if ticket.id in chosen],
        [ticket for ticket in sold if ticket.id not in chosen],
    )


def _add_up_days(
    days: tuple[date, date] | None,
    lines: Sequence[Sequence[Ticket]],
    sold: dict[int, dict[date, int]],
) -> tuple[tuple[date, tuple[int, ...]], ...]:
    if days is None:
        return ()
    first, last = days
    so_far, course = [0] * len(lines), []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        for index, members in enumerate(lines):
            so_far[index] += sum(sold[ticket.id].get(day, 0) for ticket in members)
        course.append((day, tuple(so_far)))
    return tuple(course)


def _capacity(tickets: Sequence[Ticket]) -> int:
    """Return how many seats can be sold; tickets of one quota share its seats."""
    alone, shared = 0, defaultdict[int, int](int)
    quotas = {}
    for stock in (ticket.stock for ticket in tickets):
        if stock.quota is None:
            alone += stock.amount
        else:
            shared[stock.quota.id] += stock.amount
            quotas[stock.quota.id] = stock.quota.amount
    return alone + sum(min(amount, quotas[key]) for key, amount in shared.items())


def _slot_of(minute: datetime) -> datetime:
    return minute - timedelta(minutes=minute.minute % (SLOT // timedelta(minutes=1)))

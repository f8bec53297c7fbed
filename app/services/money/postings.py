"""Postings: the ledger follows the facts by difference, and so heals whatever was missed.

For each movement an order's facts speak of, what is posted already is taken away, and only the rest
is posted. A repeat posts nothing; a crash is made good by the next run; a correction is a posting
of its own. Whoever changes money facts leaves a mark in the same transaction (`mark`); a worker
posts what is marked within seconds, and a sweep over all orders finds what nobody marked.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    LedgerEntry,
    LedgerMark,
    LedgerPosting,
    LedgerState,
    LedgerSum,
    MoneyCase,
    Order,
    Payment,
    PaymentStatus,
)
from app.services.money.ledger_facts import NOTHING, Fact, Figure, OrderFacts, Place, list_facts
from app.services.money.ledger_loading import Key, Posted, load_orders, load_posted
from app.services.running.transaction import (
    affected,
    insert,
    insert_many,
    reading,
    transaction,
    use_case,
)

log = logging.getLogger(__name__)

# Orders a transaction posts: their rows are locked so long, and somebody may be paying.
BATCH = 50
SWEPT_AT_ONCE = 500
ONE_DAY = timedelta(days=1)
SUM_KEY = ("day", "movement", "account", "ticket_id", "channel")


class Difference(NamedTuple):
    """What is still to be posted of one fact."""

    order_id: int
    fact: Fact
    channel: str
    happened_at: datetime


def mark(session: Session, order_id: int) -> None:
    """Have an order's money looked at, by the caller's transaction that changes it."""
    insert(session, LedgerMark, order_id=order_id)


@use_case
def post_marked(*, now: datetime, zone: tzinfo, limit: int = BATCH) -> int:
    """Post what is missing of the orders marked longest ago; return how many marks were taken."""
    with reading() as session:
        if session.scalar(sa.select(LedgerMark.id).limit(1)) is None:
            return 0
    with transaction() as session:
        state = lock_state(session)
        oldest = sa.select(LedgerMark.id, LedgerMark.order_id).order_by(LedgerMark.id)
        # Read before the facts: a mark that is visible stands for facts that are. One that comes
        # meanwhile stays, and is looked at again.
        found = session.execute(oldest.limit(limit)).all()
        looked_at, _ = _post(session, {mark.order_id for mark in found}, state, now, zone)
        taken = [mark.id for mark in found if mark.order_id in looked_at]
        _take_marks(session, taken)
        return len(taken)


def _take_marks(session: Session, ids: Sequence[int]) -> None:
    """Delete marks one by one: a statement for all may read the whole table and wait for others."""
    table = cast(sa.Table, LedgerMark.__table__)
    if ids:
        mine = sa.delete(table).where(table.c.id == sa.bindparam("its_id"))
        session.connection().execute(mine, [{"its_id": each} for each in ids])


def post_orders(order_ids: Iterable[int], *, now: datetime, zone: tzinfo) -> int:
    """Post what is missing of these orders, and return how many postings that took."""
    wanted = sorted(set(order_ids))
    batches = [wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH)]
    return sum(_post_batch(batch, now, zone) for batch in batches)


@use_case
def _post_batch(order_ids: Sequence[int], now: datetime, zone: tzinfo) -> int:
    with transaction() as session:
        _, postings = _post(session, order_ids, lock_state(session), now, zone)
        return postings


def post_unposted(*, placed_since: datetime, now: datetime, zone: tzinfo) -> int:
    """Post sold orders placed since then that the ledger does not know: free ones leave no mark.

    Returns how many postings that took.
    """
    is_known = sa.exists().where(LedgerPosting.order_id == Order.id)
    sold = sa.select(Order.id).where(Order.created_at >= placed_since, Order.paid_at.is_not(None))
    with reading() as session:
        order_ids = session.scalars(sold.where(sa.not_(is_known)).limit(SWEPT_AT_ONCE)).all()
    return post_orders(order_ids, now=now, zone=zone)


def sweep(*, now: datetime, zone: tzinfo) -> int:
    """Look at the next orders in turn, whether marked or not; return how many postings it took.

    Called now and then; after the last order it begins again at the first.
    """
    with reading() as session:
        after = session.scalar(sa.select(LedgerState.swept_to)) or 0
    order_ids, last = _list_with_money(after)
    found = post_orders(order_ids, now=now, zone=zone)
    if found and after:
        log.warning("the ledger lacked movements", extra={"postings": found, "after": after})
    _remember_sweep(last)
    return found


def sweep_all(
    *, now: datetime, zone: tzinfo, progress: Callable[[int], None] = lambda orders: None
) -> int:
    """Look at every order; return how many postings it took. `progress` is told of orders done."""
    after, found = 0, 0
    while True:
        order_ids, last = _list_with_money(after)
        found += post_orders(order_ids, now=now, zone=zone)
        progress(len(order_ids))
        if last == 0:
            return found
        after = last


def _list_with_money(after: int) -> tuple[list[int], int]:
    """Return the next orders that were paid or have a case, and where to go on; 0 at the end."""
    with_case = sa.exists().where(MoneyCase.order_id == Payment.order_id)
    is_paid = Payment.status == PaymentStatus.PAID
    chunk = sa.select(Payment.order_id, (is_paid | with_case).label("has_money"))
    chunk = chunk.where(Payment.order_id > after).order_by(Payment.order_id).limit(SWEPT_AT_ONCE)
    with reading() as session:
        rows = session.execute(chunk).all()
    is_last = len(rows) < SWEPT_AT_ONCE
    return [row.order_id for row in rows if row.has_money], 0 if is_last else rows[-1].order_id


@use_case
def _remember_sweep(last: int) -> None:
    with transaction() as session:
        affected(session, sa.update(LedgerState).values(swept_to=last))


def lock_state(session: Session) -> LedgerState:
    """Return the ledger's state, locked: nobody else posts or closes a day meanwhile.

    The first lock of its transaction, and the only one that is waited for: orders whose rows
    somebody else has are left for later. So whoever posts can be in no circle of waiting (ADR 19).
    """
    return session.get_one(LedgerState, 1, with_for_update=True, populate_existing=True)


def _post(
    session: Session, order_ids: Iterable[int], state: LedgerState, now: datetime, zone: tzinfo
) -> tuple[AbstractSet[int], int]:
    """Post what is missing of these orders, under the ledger's lock.

    Returns the orders it looked at, all but those somebody is changing now, and how many postings
    that took.
    """
    orders = load_orders(session, sorted(order_ids))
    if not orders:
        return set(), 0
    posted = load_posted(session, list(orders))
    missing = list(_differences(orders, posted, now))
    _write(session, missing, state.closed_until, now, zone)
    return orders.keys(), len(missing)


def _differences(
    orders: dict[int, OrderFacts], posted: dict[Key, Posted], now: datetime
) -> Iterator[Difference]:
    """Yield what the facts say and the ledger does not, and what it says too much."""
    for order_id, order in orders.items():
        channel = order.head.channel or ""
        for fact in list_facts(order):
            known = posted.pop((order_id, fact.movement, fact.key), None)
            happened_at = known.happened_at if known else fact.at or now
            rest = _subtract(fact.entries, known.entries if known else {})
            if rest:
                yield Difference(order_id, fact._replace(entries=rest), channel, happened_at)
    for (order_id, movement, key), gone in posted.items():
        rest = _subtract({}, gone.entries)
        if rest:
            fact = Fact(movement, key, gone.happened_at, rest)
            channel = orders[order_id].head.channel or ""
            yield Difference(order_id, fact, channel, gone.happened_at)


def _subtract(wanted: dict[Place, Figure], known: dict[Place, Figure]) -> dict[Place, Figure]:
    rest = {
        place: wanted.get(place, NOTHING).plus(known.get(place, NOTHING), times=-1)
        for place in dict.fromkeys((*wanted, *known))
    }
    return {place: figure for place, figure in rest.items() if figure != NOTHING}


def _write(
    session: Session,
    missing: Sequence[Difference],
    closed_until: date | None,
    now: datetime,
    zone: tzinfo,
) -> None:
    """Insert a posting with its entries for each difference, and keep the sums of days in step."""
    if not missing:
        return
    postings = [_posting(each, closed_until, now, zone) for each in missing]
    ids = insert_many(session, LedgerPosting, postings)
    entries = [
        entry
        for posting_id, posting, each in zip(ids, postings, missing, strict=True)
        for entry in _entries(posting_id, posting["day"], each)
    ]
    insert_many(session, LedgerEntry, entries)
    _add_to_sums(session, entries)


def _posting(
    missing: Difference, closed_until: date | None, now: datetime, zone: tzinfo
) -> dict[str, Any]:
    """Return a posting on the day it belongs to; when that is closed, on the next open one."""
    day, corrects = missing.happened_at.astimezone(zone).date(), None
    if closed_until is not None and day <= closed_until:
        day, corrects = closed_until + ONE_DAY, day
    return {
        "order_id": missing.order_id,
        "movement": missing.fact.movement,
        "key": missing.fact.key,
        "day": day,
        "corrects": corrects,
        "happened_at": missing.happened_at,
        "posted_at": now,
    }


def _entries(posting_id: int, day: date, missing: Difference) -> Iterator[dict[str, Any]]:
    for (account, ticket_id), figure in missing.fact.entries.items():
        yield {
            "posting_id": posting_id,
            "order_id": missing.order_id,
            "day": day,
            "movement": missing.fact.movement,
            "account": account,
            "ticket_id": ticket_id,
            "channel": missing.channel,
            "amount": figure.amount,
            "count": figure.how_many,
        }


def _add_to_sums(session: Session, entries: Sequence[dict[str, Any]]) -> None:
    """Add entries to the sums of their days. The ledger's lock keeps others from doing so."""
    added: dict[tuple[Any, ...], Figure] = defaultdict(lambda: NOTHING)
    for entry in entries:
        key = tuple(entry[name] for name in SUM_KEY)
        added[key] = added[key].plus(Figure(entry["amount"], entry["count"]))
    columns = [getattr(LedgerSum, name) for name in SUM_KEY]
    days = LedgerSum.day.in_({key[0] for key in added})
    known = {tuple(row) for row in session.execute(sa.select(*columns).where(days))}
    table = cast(sa.Table, LedgerSum.__table__)
    new = [_sum_row(key, added[key]) for key in added if key not in known]
    old = [_sum_row(key, added[key], "its_") for key in added if key in known]
    if new:
        session.connection().execute(sa.insert(table), new)
    if old:
        mine = [table.c[name] == sa.bindparam(f"its_{name}") for name in SUM_KEY]
        grown = {name: table.c[name] + sa.bindparam(f"its_{name}") for name in ("amount", "count")}
        session.connection().execute(sa.update(table).where(*mine).values(grown), old)


def _sum_row(key: tuple[Any, ...], figure: Figure, prefix: str = "") -> dict[str, Any]:
    values = (
        *zip(SUM_KEY, key, strict=True),
        ("amount", figure.amount),
        ("count", figure.how_many),
    )
    return {prefix + name: value for name, value in values}

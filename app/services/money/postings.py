"""Postings: the ledger follows the facts by difference, and so heals whatever was missed.

For each movement an order's facts speak of, what is posted already is taken away, and only the rest
is posted. A repeat posts nothing; a crash is made good by the next run; a correction is a posting
of its own. Whoever changes money facts leaves a mark in the same transaction (`mark`); a worker
posts what is marked within seconds, and a sweep over all orders finds what nobody marked.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, tzinfo
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    LedgerMark,
    LedgerPosting,
    LedgerState,
    MoneyCase,
    Order,
    Payment,
    PaymentStatus,
)
from app.services.money import posting_writing
from app.services.money.ledger_facts import Fact, OrderFacts, list_facts
from app.services.money.ledger_loading import Key, Posted, load_orders, load_posted
from app.services.money.posting_writing import Difference, subtract
from app.services.running.transaction import (
    affected,
    insert,
    reading,
    transaction,
    use_case,
)

log = logging.getLogger(__name__)

# Orders a transaction posts: their rows are locked so long, and somebody may be paying.
BATCH = 50
SWEPT_AT_ONCE = 500


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
    posting_writing.write(session, missing, state.closed_until, now, zone)
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
            rest = subtract(fact.entries, known.entries if known else {})
            if rest:
                yield Difference(order_id, fact._replace(entries=rest), channel, happened_at)
    for (owner, movement, key), gone in posted.items():
        rest = subtract({}, gone.entries)
        if rest and owner is not None:
            fact = Fact(movement, key, gone.happened_at, rest)
            yield Difference(owner, fact, orders[owner].head.channel or "", gone.happened_at)

"""Stock: hold, sell, release, take back. The only statements that move `ticket_stock` and `quotas`.

Each is one conditional UPDATE a ticket, ids ascending, then one a shared quota, ids ascending (two
orders can then never wait for each other in a circle), with its row count checked. CHECK
constraints stand behind them. A ticket may change its quota at any moment: the UPDATE of its row
holds only if it still has the quota that was read, and from then on its lock keeps it there.
"""

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.errors import SoldOut
from app.models import Quota, TicketStock
from app.services.running.transaction import affected

Quantities = Mapping[int, int]  # ticket id → seats
QuotaIds = Mapping[int, int | None]  # ticket id → the quota it was read to have
NOT_READ: QuotaIds = {}

_STOCK, _QUOTAS = (cast(sa.Table, model.__table__) for model in (TicketStock, Quota))


class StockMismatch(Exception):
    """Stock does not hold what an order says it holds: an invariant is broken."""


@dataclass(frozen=True)
class _Move:
    """From which counter into which a seat goes; None is what is free."""

    out_of: str | None
    into: str | None

    def update(self, table: sa.Table) -> sa.Update:
        """Return the UPDATE of rows from which so many `seats` can go this way."""
        seats = sa.bindparam("seats", type_=sa.BigInteger)
        change: dict[str, Any] = {}
        if self.into:
            change[self.into] = table.c[self.into] + seats
        if self.out_of:
            source = table.c[self.out_of]
            change[self.out_of] = source - seats
            return sa.update(table).where(source >= seats).values(**change)
        is_room = table.c.held + table.c.sold + seats <= table.c.amount
        return sa.update(table).where(is_room).values(**change)


HOLD = _Move(None, "held")
SELL = _Move("held", "sold")
RELEASE = _Move("held", None)
TAKE_BACK = _Move("sold", None)


@dataclass
class _Moved:
    """What has been moved so far: seats by ticket id and by quota id, and the tickets' quotas."""

    tickets: dict[int, int] = field(default_factory=dict)
    quotas: dict[int, int] = field(default_factory=dict)
    quota_ids: dict[int, int | None] = field(default_factory=dict)


class _Stopped(Exception):
    """A row has too few seats; `moved` is what was moved before, to be rolled back."""

    def __init__(self, row: str, moved: _Moved) -> None:
        super().__init__(row)
        self.moved = moved


def hold(session: Session, quantities: Quantities, quota_ids: QuotaIds = NOT_READ) -> None:
    """Hold all seats or none. Raises SoldOut with what is left; the caller rolls back.

    `quota_ids` saves readings: without it tickets are first taken to have no quota.
    """
    _hold(session, quantities, quota_ids)


def sell(session: Session, quantities: Quantities, quota_ids: QuotaIds = NOT_READ) -> None:
    """Turn held seats into sold ones. Raises StockMismatch."""
    _must_move(session, SELL, quantities, quota_ids)


def release(session: Session, quantities: Quantities) -> None:
    """Give held seats back. Raises StockMismatch."""
    _must_move(session, RELEASE, quantities, NOT_READ)


def take_back(session: Session, quantities: Quantities) -> None:
    """Make sold seats available again. Raises StockMismatch."""
    _must_move(session, TAKE_BACK, quantities, NOT_READ)


def sell_again(session: Session, quantities: Quantities) -> bool:
    """Hold and sell seats that had been released, all or nothing. False when too few are left."""
    savepoint = session.begin_nested()
    try:
        moved = _hold(session, quantities, NOT_READ)
    except SoldOut:
        savepoint.rollback()
        return False
    sell(session, quantities, moved.quota_ids)
    savepoint.commit()
    return True


def _hold(session: Session, quantities: Quantities, quota_ids: QuotaIds) -> _Moved:
    try:
        return _move(session, HOLD, quantities, quota_ids)
    except _Stopped as stopped:
        raise SoldOut(_left_before(session, quantities, stopped.moved)) from stopped


def _must_move(session: Session, move: _Move, quantities: Quantities, quota_ids: QuotaIds) -> None:
    try:
        _move(session, move, quantities, quota_ids)
    except _Stopped as stopped:
        raise StockMismatch(f"{stopped}: has too few seats {move.out_of}") from stopped


def _move(session: Session, move: _Move, quantities: Quantities, quota_ids: QuotaIds) -> _Moved:
    """Move seats of tickets, then of their quotas. Raises _Stopped at the first with too few."""
    moved = _Moved()
    shared: Counter[int] = Counter()
    for ticket_id, quantity in sorted(quantities.items()):
        row, quota_id = {"ticket": ticket_id, "seats": quantity}, quota_ids.get(ticket_id)
        if not _is_moved_of_quota(session, move, row, quota_id):
            believed, quota_id = quota_id, _lock_quota_id(session, ticket_id)
            if quota_id == believed or not _is_moved_of_quota(session, move, row, quota_id):
                raise _Stopped(f"ticket {ticket_id}", moved)
        moved.tickets[ticket_id] = quantity
        moved.quota_ids[ticket_id] = quota_id
        if quota_id is not None:
            shared[quota_id] += quantity
    for quota_id, quantity in sorted(shared.items()):
        if affected(session, _of_quota(move), {"quota": quota_id, "seats": quantity}) != 1:
            raise _Stopped(f"quota {quota_id}", moved)
        moved.quotas[quota_id] = quantity
    return moved


def _is_moved_of_quota(
    session: Session, move: _Move, row: Mapping[str, int], quota_id: int | None
) -> bool:
    """Move seats of a ticket if it has this quota; tell whether they were moved."""
    quota = {} if quota_id is None else {"quota": quota_id}
    return affected(session, _of_ticket(move, has_quota=bool(quota)), {**row, **quota}) == 1


# Built once each: in a rush they are asked for each group of orders.
@functools.cache
def _of_ticket(move: _Move, *, has_quota: bool) -> sa.Update:
    quota_id = _STOCK.c.quota_id
    is_so = quota_id == sa.bindparam("quota") if has_quota else quota_id.is_(None)
    return move.update(_STOCK).where(_STOCK.c.ticket_id == sa.bindparam("ticket"), is_so)


@functools.cache
def _of_quota(move: _Move) -> sa.Update:
    return move.update(_QUOTAS).where(_QUOTAS.c.id == sa.bindparam("quota"))


def _lock_quota_id(session: Session, ticket_id: int) -> int | None:
    """Return the quota a ticket has, and keep it there until the transaction ends."""
    mine = sa.select(TicketStock.quota_id).where(TicketStock.ticket_id == ticket_id)
    return session.scalar(mine.with_for_update())


def _left_before(session: Session, quantities: Quantities, moved: _Moved) -> dict[int, int]:
    """Return what is left of each wanted ticket, not counting what this attempt just held."""
    columns = (
        TicketStock.ticket_id,
        TicketStock.quota_id,
        TicketStock.amount - TicketStock.held - TicketStock.sold,
        Quota.amount - Quota.held - Quota.sold,
    )
    stock = sa.select(*columns).outerjoin(Quota, Quota.id == TicketStock.quota_id)
    left = {}
    for row in session.execute(stock.where(TicketStock.ticket_id.in_(quantities))):
        ticket_id, quota_id, own, shared = row
        left[ticket_id] = own + moved.tickets.get(ticket_id, 0)
        if quota_id is not None:
            left[ticket_id] = min(left[ticket_id], shared + moved.quotas.get(quota_id, 0))
    return left

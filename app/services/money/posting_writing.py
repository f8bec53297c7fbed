"""Postings, written: what is still to be posted becomes rows, and the sums of days follow."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import LedgerEntry, LedgerPosting, LedgerSum
from app.services.money.ledger_facts import NOTHING, Fact, Figure, Place
from app.services.running.transaction import insert_many

ONE_DAY = timedelta(days=1)
SUM_KEY = ("day", "movement", "account", "ticket_id", "channel")


class Difference(NamedTuple):
    """What is still to be posted of one fact; `order_id` is None for the balance's own."""

    order_id: int | None
    fact: Fact
    channel: str
    happened_at: datetime


def subtract(wanted: dict[Place, Figure], known: dict[Place, Figure]) -> dict[Place, Figure]:
    """Return `wanted` less `known`; places where nothing is left are left out."""
    rest = {
        place: wanted.get(place, NOTHING).plus(known.get(place, NOTHING), times=-1)
        for place in dict.fromkeys((*wanted, *known))
    }
    return {place: figure for place, figure in rest.items() if figure != NOTHING}


def write(
    session: Session,
    missing: Sequence[Difference],
    closed_until: date | None,
    now: datetime,
    zone: tzinfo,
) -> None:
    """Insert a posting with its entries for each difference, and keep the sums of days in step."""
    if not missing:
        return
    postings = [_make_posting(each, closed_until, now, zone) for each in missing]
    ids = insert_many(session, LedgerPosting, postings)
    entries = [
        entry
        for posting_id, posting, each in zip(ids, postings, missing, strict=True)
        for entry in _entries(posting_id, posting["day"], each)
    ]
    insert_many(session, LedgerEntry, entries)
    _add_to_sums(session, entries)


def _make_posting(
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

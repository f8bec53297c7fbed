"""How exports read: a period of days, and rows in batches by id, so that memory stays flat."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.integrations.spreadsheet import Column, Kind, Row
from app.models import Account, LedgerEntry, Movement
from app.services.money.ledger import Line, list_lines
from app.services.running.transaction import reading

BATCH = 1000

Batches = Iterator[list[Row]]


@dataclass(frozen=True)
class Period:
    """Whole days of the event's zone, both ends included."""

    first: date
    last: date
    zone: tzinfo

    @property
    def begins_at(self) -> datetime:
        return datetime.combine(self.first, time(), self.zone)

    @property
    def ends_at(self) -> datetime:
        """Return the moment after the last day."""
        return datetime.combine(self.last + timedelta(days=1), time(), self.zone)


@dataclass(frozen=True)
class Table:
    """An export's columns, how many rows there will be, and the rows."""

    columns: Callable[[], list[Column]]
    count: Callable[[Period], int]
    batches: Callable[[Period], Batches]


def booked() -> list[Column]:
    """Return the columns every export of the ledger begins with."""
    return [Column(_("Booked on"), Kind.DAY), Column(_("Corrects"), Kind.DAY), Column(_("Order"))]


def lines(
    period: Period, account: Account | None = None, movement: Movement | None = None
) -> Iterator[list[Line]]:
    """Yield the ledger's lines of a period in batches, of one account and movement if given."""
    after = 0
    while batch := list_lines(period.first, period.last, after=after, limit=BATCH, account=account):
        yield [line for line in batch if movement in (None, line.movement)]
        after = batch[-1].id


def count_lines(
    account: Account | None = None, movement: Movement | None = None
) -> Callable[[Period], int]:
    """Return what counts the lines that `lines` would yield."""

    def count_them(period: Period) -> int:
        entries = sa.select(sa.func.count(LedgerEntry.id))
        entries = entries.where(LedgerEntry.day.between(period.first, period.last))
        if account is not None:
            entries = entries.where(LedgerEntry.account == account)
        if movement is not None:
            entries = entries.where(LedgerEntry.movement == movement)
        return count(entries)

    return count_them


def count(query: sa.Select[*tuple[Any, ...]]) -> int:
    """Return the number a query asks for."""
    with reading() as session:
        return session.scalar(query) or 0


def read_rows(query: sa.Select[*tuple[Any, ...]]) -> list[Any]:
    """Return the rows of a query."""
    with reading() as session:
        return list(session.execute(query))

"""The inbox: everything that waits for a person, oldest first, with who looks after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.models import (
    BalanceReading,
    InboxNote,
    Job,
    Mail,
    MoneyCase,
    Order,
    Reconciliation,
    ReconciliationLine,
    Refund,
    Role,
    Source,
    Staff,
    Transaction,
)
from app.services.office.day_look import find_next_open
from app.services.office.waiting import after, difference_key, select_waiting
from app.services.running.transaction import reading

PAGE_LENGTH = 25


class Place(NamedTuple):
    """Where an entry stands in the list."""

    opened_at: datetime
    source: str
    key: str


@dataclass(frozen=True)
class Entry:
    """Something that waits since `opened_at`; `amount` in rupiah where money is at stake.

    `kind` is a case's or a job's kind, a letter's name, a verdict, or what a refund waits for;
    `version` counts what staff did here, 0 when nobody has touched it.
    """

    source: Source
    key: str
    opened_at: datetime
    kind: str
    order_code: str | None
    amount: int | None
    about: str
    owner: Staff | None = None
    note: str | None = None
    version: int = 0

    @property
    def place(self) -> Place:
        return Place(self.opened_at, self.source.value, self.key)


@dataclass(frozen=True)
class InboxPage:
    """Some entries, the oldest first; `rest` is where the next page begins, if there is one."""

    entries: Sequence[Entry]
    rest: Place | None


# What an entry is about, as its page shows it.
Row = MoneyCase | Refund | Mail | Transaction | Job
Fact = Row | ReconciliationLine | BalanceReading
# Where the key of an entry is the id of a row.
MODELS: dict[Source, type[Row]] = {
    Source.CASE: MoneyCase,
    Source.REFUND: Refund,
    Source.MAIL: Mail,
    Source.SETTLEMENT: Transaction,
    Source.JOB: Job,
}


def list_waiting(
    *, now: datetime, beyond: Place | None = None, owner_id: int | None = None
) -> InboxPage:
    """Return a page of what waits, beyond a place; with `owner_id` only what this person has.

    Two statements, however much waits.
    """
    rows = select_waiting(now).subquery("waiting")
    wanted = sa.select(rows).order_by(rows.c.opened_at, rows.c.source, rows.c.key)
    if beyond is not None:
        wanted = wanted.where(after(rows, beyond))
    if owner_id is not None:
        mine = (InboxNote.source == rows.c.source) & (InboxNote.key == rows.c.key)
        wanted = wanted.join(InboxNote, mine).where(InboxNote.owner_id == owner_id)
    with reading() as session:
        found = session.execute(wanted.limit(PAGE_LENGTH + 1)).all()
        shown = [Entry(Source(row.source), *row[1:]) for row in found[:PAGE_LENGTH]]
        entries = _with_notes(session, shown)
        session.expunge_all()
    return InboxPage(entries, entries[-1].place if len(found) > PAGE_LENGTH else None)


def count_waiting(*, now: datetime) -> int:
    """Return how much waits for a person; one statement."""
    rows = select_waiting(now).subquery("waiting")
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(rows)) or 0


def find_entry(source: Source, key: str, *, now: datetime) -> Entry | None:
    """Return an entry; None when it does not wait any more, or never did. One statement."""
    rows = select_waiting(now).subquery("waiting")
    noted = (InboxNote.source == source) & (InboxNote.key == key)
    mine = sa.select(rows, InboxNote).outerjoin(InboxNote, noted)
    mine = mine.where(rows.c.source == source.value, rows.c.key == key)
    with reading() as session:
        row = session.execute(mine.options(joinedload(InboxNote.owner))).one_or_none()
        if row is None:
            return None
        *values, note = row[1:]
        entry = _with_note(Entry(source, *values), note)
        session.expunge_all()
        return entry


def get_fact(entry: Entry) -> Fact:
    """Return the row an entry stands for; of a difference the line of the latest run."""
    with reading() as session:
        fact: Fact | None = session.scalars(_fact(entry)).first()
        session.expunge_all()
    if fact is None:
        raise LookupError(f"{entry.source.value} {entry.key} is gone")
    return fact


def find_open_day(*, now: datetime, zone: tzinfo) -> date | None:
    """Return the first day before today whose money nobody has signed yet."""
    with reading() as session:
        day = find_next_open(session)
    return day if day is not None and day < now.astimezone(zone).date() else None


def find_order_code(job: Job) -> str | None:
    """Return the code of the order a job is about, if it names one."""
    order_id = job.payload.get("order_id")
    if not isinstance(order_id, int):
        return None
    with reading() as session:
        return session.scalar(sa.select(Order.code).where(Order.id == order_id))


def list_owners() -> Sequence[Staff]:
    """Return who may look after an entry, by name."""
    able = Staff.role.in_([Role.FINANCE, Role.ADMIN]) & Staff.deactivated_at.is_(None)
    with reading() as session:
        found = session.scalars(sa.select(Staff).where(able).order_by(Staff.email)).all()
        session.expunge_all()
        return found


def _fact(entry: Entry) -> sa.Select[Any]:
    model = MODELS.get(entry.source)
    if model is not None:
        return sa.select(model).where(model.id == int(entry.key))
    if entry.source is Source.BALANCE:
        told = sa.select(BalanceReading).where(BalanceReading.amount.is_not(None))
        return told.order_by(BalanceReading.id.desc()).limit(1)
    lines = sa.select(ReconciliationLine).where(
        difference_key() == entry.key, ReconciliationLine.verdict == entry.kind
    )
    runs = lines.join(Reconciliation, Reconciliation.id == ReconciliationLine.reconciliation_id)
    return runs.order_by(Reconciliation.ran_at.desc()).limit(1)


def _with_notes(session: Session, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries with their owners and notes; one statement for all."""
    wanted = sa.select(InboxNote).options(joinedload(InboxNote.owner))
    keys = [entry.key for entry in entries]
    notes = session.scalars(wanted.where(InboxNote.key.in_(keys))) if keys else ()
    found = {(note.source, note.key): note for note in notes}
    return [_with_note(entry, found.get((entry.source, entry.key))) for entry in entries]


def _with_note(entry: Entry, note: InboxNote | None) -> Entry:
    if note is None:
        return entry
    return replace(entry, owner=note.owner, note=note.note, version=note.version)

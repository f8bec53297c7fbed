"""A day of the ledger as the treasurer looks at it, and what stands against closing it."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    Account,
    CaseStatus,
    DayClose,
    LedgerEntry,
    LedgerPosting,
    LedgerState,
    LedgerSum,
    MoneyCase,
    Movement,
    Order,
    Reconciliation,
    ReconciliationLine,
    Ticket,
    Transaction,
    Verdict,
)
from app.services.money import ledger
from app.services.money.daily_reconciliation import midnight
from app.services.money.ledger import Sum
from app.services.money.reconciliation import FINE
from app.services.money.settling import LATE_AFTER
from app.services.office.day_figures import Figures, figures_of, print_of
from app.services.office.waiting import was_mended_later
from app.services.running.transaction import reading

ONE_DAY = timedelta(days=1)
MOST_LINES = 200
ODD = [verdict for verdict in Verdict if verdict not in FINE]

_OPEN_CASES = (
    sa.select(sa.func.count(MoneyCase.id))
    .where(MoneyCase.status != CaseStatus.RESOLVED)
    .scalar_subquery()
)
_CLOSED_UNTIL = sa.select(LedgerState.closed_until).where(LedgerState.id == 1).scalar_subquery()
_NEXT_OPEN = (
    sa.select(sa.func.min(LedgerSum.day))
    .where(sa.func.coalesce(LedgerSum.day > _CLOSED_UNTIL, sa.true()))
    .scalar_subquery()
)


class Blocker(enum.Enum):
    """Why a day cannot be closed yet."""

    RUNNING = "running"
    EARLIER_OPEN = "earlier_open"
    NOT_RECONCILED = "not_reconciled"


class TicketLine(NamedTuple):
    """What one ticket sold on a day, what was taken back taken off."""

    name: str
    seats: int
    amount: int


class PayOut(NamedTuple):
    """What becomes of the money received on a day; `unknown` payments have no fee yet."""

    unknown: int
    unknown_amount: int
    settled: int
    waiting: int
    expected_at: datetime | None
    late: int


class Difference(NamedTuple):
    """A line of the reconciliation that a person must explain; of no order, the code is empty."""

    verdict: str
    reference: str
    order_code: str
    paid_here: int
    paid_there: int


@dataclass(frozen=True)
class DayLook:
    """Everything the page of a day shows; `seen` is the print of its figures."""

    day: date
    figures: Figures
    tickets: list[TicketLine]
    pay_out: PayOut
    owed_back: int
    undecided: int
    open_cases: int
    corrections: list[ledger.Line]
    reconciled_at: datetime | None
    differences: list[Difference]
    blockers: dict[Blocker, date | None]
    close: DayClose | None
    seen: str

    @property
    def is_ready(self) -> bool:
        """Tell whether it may be signed now; differences want an explanation then."""
        return self.close is None and not self.blockers


def look_at(day: date, *, now: datetime, zone: tzinfo) -> DayLook:
    """Return a day's figures and its state; a day without any movement has zeros."""
    sums = ledger.list_sums(day, day)
    standing = ledger.balances(day)
    corrections = ledger.list_corrections(day)
    with reading() as session:
        reconciled_at, differences = check_reconciliation(session, day, zone)
        close = session.scalar(sa.select(DayClose).where(DayClose.day == day))
        open_cases, next_open = session.execute(sa.select(_OPEN_CASES, _NEXT_OPEN)).one()
        session.expunge_all()
        return DayLook(
            day=day,
            figures=figures_of(sums),
            tickets=_tickets(session, sums),
            pay_out=_pay_out(session, day, now),
            owed_back=-standing[Account.REFUNDS_OWED],
            undecided=-standing[Account.BUYERS],
            open_cases=open_cases,
            corrections=corrections,
            reconciled_at=reconciled_at,
            differences=differences,
            blockers=find_blockers(day, next_open, reconciled_at, now=now, zone=zone),
            close=close,
            seen=print_of(sums),
        )


def find_blockers(
    day: date,
    next_open: date | None,
    reconciled_at: datetime | None,
    *,
    now: datetime,
    zone: tzinfo,
) -> dict[Blocker, date | None]:
    """Return what stands against closing, with the day it is about where it is another."""
    found: dict[Blocker, date | None] = {}
    if now.astimezone(zone).date() <= day:
        return {Blocker.RUNNING: None}
    if next_open is not None and next_open < day:
        found[Blocker.EARLIER_OPEN] = next_open
    if reconciled_at is None:
        found[Blocker.NOT_RECONCILED] = None
    return found


def find_next_to_close() -> date | None:
    """Return the first day with movements that nobody has closed, be it over or not."""
    with reading() as session:
        return find_next_open(session)


def find_next_open(session: Session) -> date | None:
    """Return the first day with movements that is not closed."""
    return session.scalar(sa.select(_NEXT_OPEN))


def check_reconciliation(
    session: Session, day: date, zone: tzinfo
) -> tuple[datetime | None, list[Difference]]:
    """Return when the whole day was compared with Xendit, None when not, and what differs.

    Runs that began before the day was over do not count for its end; several may cover it piece by
    piece. Of each invoice only the latest verdict counts.
    """
    start, end = midnight(day, zone), midnight(day + ONE_DAY, zone)
    overlapping = sa.select(Reconciliation).where(
        Reconciliation.until_at > start, Reconciliation.from_at < end, Reconciliation.ran_at >= end
    )
    runs = list(session.scalars(overlapping.order_by(Reconciliation.from_at)))
    covered = start
    for run in runs:
        if run.from_at <= covered:
            covered = max(covered, run.until_at)
    if covered < end:
        return None, []
    newest_first = sorted(runs, key=lambda run: run.ran_at, reverse=True)
    return newest_first[0].ran_at, _differences(session, newest_first, day, zone)


def _differences(
    session: Session, runs: Sequence[Reconciliation], day: date, zone: tzinfo
) -> list[Difference]:
    """Return what differs for orders of this day, and for invoices that are of no order."""
    if not any(run.differences for run in runs):
        return []
    ids = [run.id for run in runs]
    line = ReconciliationLine
    is_odd = line.reconciliation_id.in_(ids) & line.verdict.in_(ODD)
    # By run first: in the order of the lines alone MariaDB would read all that are in order, too.
    newest = (line.reconciliation_id.desc(), line.id.desc())
    wanted = sa.select(line).where(is_odd, ~was_mended_later()).order_by(*newest).limit(MOST_LINES)
    latest = {one.external_id: one for one in reversed(session.scalars(wanted).all())}
    codes = {name.partition("-")[0] for name in latest}
    placed = sa.select(Order.code, Order.created_at).where(Order.code.in_(codes))
    days = {code: at.astimezone(zone).date() for code, at in session.execute(placed)}
    return [
        Difference(
            line.verdict.value, name, code if code in days else "", line.paid_here, line.paid_there
        )
        for code, name, line in ((name.partition("-")[0], name, latest[name]) for name in latest)
        if days.get(code, day) == day
    ]


def _tickets(session: Session, sums: Sequence[Sum]) -> list[TicketLine]:
    ids = {one.ticket_id for one in sums if one.account is Account.SALES}
    named = sa.select(Ticket.id, Ticket.type).where(Ticket.id.in_(ids))
    rows = []
    for ticket_id, name in session.execute(named.order_by(Ticket.position, Ticket.id)):
        mine = [one for one in sums if one.ticket_id == ticket_id]
        rows.append(
            TicketLine(name, sum(one.count for one in mine), -sum(one.amount for one in mine))
        )
    return rows


def _pay_out(session: Session, day: date, now: datetime) -> PayOut:
    """Return what Xendit has settled of the payments received on this day."""
    is_unknown = Transaction.id.is_(None)
    is_settled = Transaction.settled_at.is_not(None)
    waits = Transaction.id.is_not(None) & Transaction.settled_at.is_(None)
    is_late = waits & (Transaction.expected_at < now - LATE_AFTER)
    received = (
        sa.select(
            sa.func.coalesce(sa.func.sum(sa.case((is_unknown, 1), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((is_settled, Transaction.net), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((waits, Transaction.net), else_=0)), 0),
            sa.func.max(sa.case((waits, Transaction.expected_at))),
            sa.func.coalesce(sa.func.sum(sa.case((is_late, 1), else_=0)), 0),
        )
        .select_from(LedgerPosting)
        .outerjoin(Transaction, Transaction.invoice_id == LedgerPosting.key)
        .where(LedgerPosting.day == day, LedgerPosting.movement == Movement.RECEIVED)
    )
    unknown, settled, waiting, expected_at, late = session.execute(received).one()
    amount = 0
    if unknown:
        lines = received.with_only_columns(sa.func.sum(LedgerEntry.amount)).where(is_unknown)
        mine = LedgerEntry.posting_id == LedgerPosting.id
        of_these = mine & (LedgerEntry.account == Account.RECEIVABLE)
        amount = session.scalar(lines.join(LedgerEntry, of_these)) or 0
    return PayOut(int(unknown), int(amount), int(settled), int(waiting), expected_at, int(late))


def add_up_entries(session: Session, day: date) -> dict[str, int]:
    """Return the day's entries added up one by one, as `{"movement.account": rupiah}`."""
    total = sa.select(
        LedgerEntry.movement, LedgerEntry.account, sa.func.sum(LedgerEntry.amount)
    ).where(LedgerEntry.day == day)
    rows = session.execute(total.group_by(LedgerEntry.movement, LedgerEntry.account))
    named = {f"{movement.value}.{account.value}": int(amount) for movement, account, amount in rows}
    return dict(sorted(named.items()))

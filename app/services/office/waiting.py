"""What waits for a person, selected: a row for each, from every table where such things stand."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.models import (
    BalanceReading,
    CaseStatus,
    InboxNote,
    Job,
    JobStatus,
    Mail,
    MoneyCase,
    Order,
    Reconciliation,
    ReconciliationLine,
    Refund,
    RefundStatus,
    RefundWay,
    Source,
    Transaction,
    Verdict,
)
from app.services.money.settling import LONGEST_LOOK_BACK

FINE = (Verdict.MATCH, Verdict.HEALED)
# Later than this Xendit's answer, or our own job, should have come: facts 6.2 says hours.
LATE = timedelta(days=3)
OVERDUE = LONGEST_LOOK_BACK  # beyond which Xendit's list is not read
KEY_LENGTH = 96

Rows = sa.Select[*tuple[Any, ...]]


def select_waiting(now: datetime) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """Select everything: source, key, opened_at, kind, order_code, amount, about."""
    return sa.union_all(
        _cases(), _refunds(now), _mails(), _differences(), _settlements(now), _balance(), _jobs()
    )


def _cases() -> Rows:
    return (
        _row(Source.CASE, MoneyCase.id, MoneyCase.opened_at, MoneyCase.kind, MoneyCase.amount)
        .join(Order, Order.id == MoneyCase.order_id)
        .where(MoneyCase.status.in_([CaseStatus.OPEN, CaseStatus.WAITING]))
    )


def _refunds(now: datetime) -> Rows:
    """Select refunds that failed, that a person transfers, or that should be through by now."""
    by_hand = Refund.way == RefundWay.BY_HAND
    kind = sa.case(
        (Refund.status == RefundStatus.FAILED, "failed"),
        (Refund.status == RefundStatus.SENT, "unanswered"),
        (by_hand & Refund.account_number.is_(None), "no_account"),
        (by_hand, "transfer"),
        else_="unsent",
    )
    is_due = Refund.status == RefundStatus.DUE
    return (
        _row(Source.REFUND, Refund.id, Refund.created_at, kind, Refund.amount)
        .join(Order, Order.id == Refund.order_id)
        .where(
            Refund.status.in_([RefundStatus.DUE, RefundStatus.SENT, RefundStatus.FAILED]),
            (Refund.status == RefundStatus.FAILED)
            | (is_due & by_hand)
            | (Refund.created_at < now - LATE),
        )
    )


def _mails() -> Rows:
    """Select letters refused for good, after which no other reached the buyer."""
    later = aliased(Mail)
    has_arrived = sa.exists().where(
        later.order_id == Mail.order_id, later.id > Mail.id, later.refused_because.is_(None)
    )
    return (
        _row(Source.MAIL, Mail.id, Mail.sent_at, Mail.name, sa.null(), Mail.recipient)
        .join(Order, Order.id == Mail.order_id)
        .where(
            Mail.refused_because.is_not(None), ~has_arrived, Mail.id.not_in(_closed(Source.MAIL))
        )
    )


def difference_key() -> sa.ColumnElement[str]:
    """Return what names a difference: its verdict and invoice, so that each run finds the same."""
    line = ReconciliationLine
    invoice = sa.case((line.invoice_id != "", line.invoice_id), else_=line.external_id)
    return sa.cast(line.verdict, sa.String(32)) + sa.literal(":") + invoice


def _differences() -> Rows:
    """Select what no later run found in order, no case is about, and nobody has explained."""
    line = ReconciliationLine
    is_mended = was_mended_later()
    has_case = sa.exists().where(
        MoneyCase.invoice_id == line.invoice_id, MoneyCase.invoice_id != ""
    )
    key = difference_key()
    closed = sa.select(InboxNote.key).where(
        InboxNote.source == Source.DIFFERENCE, InboxNote.closed_at.is_not(None)
    )
    odd = [verdict for verdict in Verdict if verdict not in FINE]
    return (
        sa.select(
            sa.literal(Source.DIFFERENCE.value),
            key,
            sa.func.min(Reconciliation.ran_at),
            sa.func.max(sa.cast(line.verdict, sa.String(32))),
            sa.func.max(Order.code),
            sa.func.max(line.paid_there - line.paid_here),
            sa.func.max(line.external_id),
        )
        .join(Reconciliation, Reconciliation.id == line.reconciliation_id)
        .outerjoin(Order, Order.code == sa.func.substr(line.external_id, 1, 10))
        .where(line.verdict.in_(odd), ~is_mended, ~has_case, key.not_in(closed))
        .group_by(key)
    )


def was_mended_later() -> sa.ColumnElement[bool]:
    """Return the condition that a later run found a line's invoice in order."""
    return sa.or_(*(_was_found_later(verdict) for verdict in FINE))


def _was_found_later(verdict: Verdict) -> sa.Exists:
    """Return the condition that a later run gave this verdict on the same invoice.

    One verdict at a time: for two together MariaDB reads every line that has either.
    """
    later = aliased(ReconciliationLine)
    return sa.exists().where(
        later.verdict == verdict,
        later.invoice_id == ReconciliationLine.invoice_id,
        later.id > ReconciliationLine.id,
    )


def _settlements(now: datetime) -> Rows:
    """Select payments that Xendit should have settled long ago."""
    is_overdue = Transaction.settled_at.is_(None) & (Transaction.created_at < now - OVERDUE)
    kind = sa.literal("overdue")
    return (
        _row(Source.SETTLEMENT, Transaction.id, Transaction.created_at, kind, Transaction.net)
        .join(Order, Order.id == Transaction.order_id)
        .where(is_overdue, Transaction.id.not_in(_closed(Source.SETTLEMENT)))
    )


def _balance() -> Rows:
    """Select the latest reading of the balance when it differs as the one before it did."""
    told = sa.select(sa.func.max(BalanceReading.id)).where(BalanceReading.amount.is_not(None))
    first = aliased(BalanceReading)
    return (
        sa.select(
            sa.literal(Source.BALANCE.value),
            sa.cast(first.id, sa.String(KEY_LENGTH)),
            first.read_at,
            sa.literal("differs"),
            sa.null(),
            BalanceReading.amount - BalanceReading.ledger,
            sa.literal(""),
        )
        .join(first, first.id == BalanceReading.began_with)
        .where(
            BalanceReading.id == told.scalar_subquery(), first.id.not_in(_closed(Source.BALANCE))
        )
    )


def _jobs() -> Rows:
    return sa.select(
        sa.literal(Source.JOB.value),
        sa.cast(Job.id, sa.String(KEY_LENGTH)),
        sa.func.coalesce(Job.finished_at, Job.due_at),
        Job.kind,
        sa.null(),
        sa.null(),
        sa.func.coalesce(Job.last_error, ""),
    ).where(Job.status == JobStatus.FAILED, Job.id.not_in(_closed(Source.JOB)))


def _row(source: Source, key: Any, opened_at: Any, kind: Any, amount: Any, about: Any = "") -> Rows:
    return sa.select(
        sa.literal(source.value).label("source"),
        sa.cast(key, sa.String(KEY_LENGTH)).label("key"),
        opened_at.label("opened_at"),
        sa.cast(kind, sa.String(32)).label("kind"),
        Order.code.label("order_code"),
        amount.label("amount"),
        sa.literal(about).label("about") if isinstance(about, str) else about.label("about"),
    )


def _closed(source: Source) -> Rows:
    """Select the ids of what a person has closed."""
    number = sa.cast(InboxNote.key, sa.Integer)
    return sa.select(number).where(InboxNote.source == source, InboxNote.closed_at.is_not(None))


def after(rows: sa.Subquery, place: Iterable[object]) -> sa.ColumnElement[bool]:
    """Return the condition of what comes after a place (opened_at, source, key) in the list."""
    opened_at, source, key = place
    same_moment = rows.c.opened_at == opened_at
    same_source = same_moment & (rows.c.source == source)
    return sa.or_(
        rows.c.opened_at > opened_at,
        same_moment & (rows.c.source > source),
        same_source & (rows.c.key > key),
    )

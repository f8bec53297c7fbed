"""What each export holds: its columns, and its rows in batches by id.

All that is about money is read from the ledger, by the days it was booked on: so each sum is that
of the finance page for the same days, corrections of closed days included.
"""

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.integrations.spreadsheet import Column, Kind
from app.models import (
    Account,
    ETicket,
    ExportKind,
    LedgerEntry,
    LedgerPosting,
    Movement,
    Order,
    Ticket,
)
from app.services.office import export_money
from app.services.office.export_reading import (
    BATCH,
    Batches,
    Period,
    Table,
    booked,
    count,
    count_lines,
    lines,
    read_rows,
)

SALES = (Movement.SOLD, Movement.CANCELLED)
DAY, MOMENT, MONEY, NUMBER = Kind.DAY, Kind.MOMENT, Kind.MONEY, Kind.NUMBER

# --- sales --------------------------------------------------------------------------------------


def _sales_columns() -> list[Column]:
    return [
        *booked(),
        Column(_("What")),
        Column(_("Sold or taken back at"), MOMENT),
        Column(_("Channel")),
        Column(_("Seats"), NUMBER, is_summed=True),
        Column(_("Amount (Rp)"), MONEY, is_summed=True),
    ]


def _sales(period: Period) -> Batches:
    """Yield a row for each order sold or taken back."""
    after = 0
    while found := read_rows(_read_sales(period, after)):
        yield [
            (day, corrects, code, movement.value, at, channel, int(count), int(sold))
            for _id, day, corrects, code, movement, at, channel, count, sold in found
        ]
        after = found[-1][0]


def _read_sales(period: Period, after: int) -> sa.Select[*tuple[Any, ...]]:
    """Return what reads the next postings of sales with the sums of their lines.

    The postings are chosen first, in a query of their own: joined and grouped at once, MariaDB
    would go through all that are left for every batch.
    """
    columns = (
        LedgerPosting.id,
        LedgerPosting.day,
        LedgerPosting.corrects,
        LedgerPosting.order_id,
        LedgerPosting.movement,
        LedgerPosting.happened_at,
    )
    days = LedgerPosting.day.between(period.first, period.last)
    batch = sa.select(*columns).where(days, LedgerPosting.movement.in_(SALES))
    batch = batch.where(LedgerPosting.id > after).order_by(LedgerPosting.id).limit(BATCH)
    one = batch.subquery().c
    said = (one.id, one.day, one.corrects, Order.code, one.movement, one.happened_at)
    channel, seats = sa.func.max(LedgerEntry.channel), sa.func.sum(LedgerEntry.count)
    return (
        sa.select(*said, channel, seats, sa.func.sum(-LedgerEntry.amount))
        .join(LedgerEntry, LedgerEntry.posting_id == one.id)
        .join(Order, Order.id == one.order_id)
        .where(LedgerEntry.account == Account.SALES)
        .group_by(*said)
        .order_by(one.id)
    )


def _item_columns() -> list[Column]:
    return [
        *booked(),
        Column(_("What")),
        Column(_("Ticket")),
        Column(_("Price (Rp)"), MONEY),
        Column(_("Seats"), NUMBER, is_summed=True),
        Column(_("Amount (Rp)"), MONEY, is_summed=True),
    ]


def _items(period: Period) -> Batches:
    """Yield a row for each ticket of each order sold or taken back."""
    names = _name_tickets()
    for batch in lines(period, Account.SALES):
        yield [
            (
                line.day,
                line.corrects,
                line.order_code,
                line.movement.value,
                names.get(line.ticket_id, str(line.ticket_id)),
                line.amount // -line.count if line.count else None,
                line.count,
                -line.amount,
            )
            for line in batch
        ]


# --- the ledger itself --------------------------------------------------------------------------


def _ledger_columns() -> list[Column]:
    return [
        *booked(),
        Column(_("Posting"), NUMBER),
        Column(_("What")),
        Column(_("Happened at"), MOMENT),
        Column(_("Booked at"), MOMENT),
        Column(_("Account")),
        Column(_("Ticket")),
        Column(_("Channel")),
        Column(_("Debit (Rp)"), MONEY, is_summed=True),
        Column(_("Credit (Rp)"), MONEY, is_summed=True),
    ]


def _ledger(period: Period) -> Batches:
    """Yield every line; debits and credits add up to the same."""
    names = _name_tickets()
    for batch in lines(period):
        yield [
            (
                line.day,
                line.corrects,
                line.order_code,
                line.posting_id,
                line.movement.value,
                line.happened_at,
                line.posted_at,
                line.account.value,
                names.get(line.ticket_id, ""),
                line.channel,
                max(line.amount, 0),
                max(-line.amount, 0),
            )
            for line in batch
        ]


# --- attendees ----------------------------------------------------------------------------------


def _attendee_columns() -> list[Column]:
    return [
        Column(_("Ticket")),
        Column(_("Name")),
        Column(_("E-ticket")),
        Column(_("Order")),
        Column(_("Entered at"), MOMENT),
    ]


def _attendees(period: Period) -> Batches:
    """Yield a row for each e-ticket that opens the door, sold in the period."""
    names, after = _name_tickets(), 0
    columns = (
        ETicket.id,
        ETicket.ticket_id,
        ETicket.attendee,
        ETicket.code,
        ETicket.order_id,
        ETicket.admitted_at,
    )
    valid = sa.select(*columns).where(_valid(period)).order_by(ETicket.id).limit(BATCH)
    while True:
        one = valid.where(ETicket.id > after).subquery().c  # first, as in `_read_sales`
        said = (one.id, one.ticket_id, one.attendee, one.code, Order.code, one.admitted_at)
        joined = sa.select(*said).join(Order, Order.id == one.order_id).order_by(one.id)
        found = read_rows(joined)
        if not found:
            return
        yield [(names[ticket_id], *rest) for _id, ticket_id, *rest in found]
        after = found[-1][0]


def _valid(period: Period) -> sa.ColumnElement[bool]:
    return sa.and_(
        ETicket.created_at >= period.begins_at,
        ETicket.created_at < period.ends_at,
        ETicket.revoked_at.is_(None),
    )


# --- reading ------------------------------------------------------------------------------------


def _count_sales(period: Period) -> int:
    postings = sa.select(sa.func.count(LedgerPosting.id))
    days = LedgerPosting.day.between(period.first, period.last)
    return count(postings.where(days, LedgerPosting.movement.in_(SALES)))


def _count_attendees(period: Period) -> int:
    return count(sa.select(sa.func.count(ETicket.id)).where(_valid(period)))


def _name_tickets() -> dict[int, str]:
    return {row[0]: row[1] for row in read_rows(sa.select(Ticket.id, Ticket.type))}


TABLES = {
    ExportKind.ORDERS: Table(_sales_columns, _count_sales, _sales),
    ExportKind.ITEMS: Table(_item_columns, count_lines(Account.SALES), _items),
    ExportKind.PAYMENTS: export_money.PAYMENTS,
    ExportKind.REFUNDS: export_money.REFUNDS,
    ExportKind.LEDGER: Table(_ledger_columns, count_lines(), _ledger),
    ExportKind.ATTENDEES: Table(_attendee_columns, _count_attendees, _attendees),
}

"""Loading the whole catalogue from a file's rows, all or none, and telling it in the same rows."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Quota, Ticket, TicketStock, Voucher
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import reading, transaction, use_case
from app.services.selling import quota_moves, ticket_editing, voucher_storing
from app.services.selling.catalogue_refusals import AmountTooLow, QuotaTooSmall, SeatsTooFew
from app.services.selling.catalogue_rows import (
    CatalogueConflict,
    CatalogueRows,
    LoadResult,
    QuotaRow,
    TicketRow,
    VoucherRow,
)
from app.services.selling.wishes import VoucherWish

Problems = list[str]


@use_case
def load_catalogue(rows: CatalogueRows, *, by: By, now: datetime) -> LoadResult:
    """Create or update quotas, tickets and vouchers by their names, all or none.

    What is not named stays as it is. Tickets are locked before their stock, quotas after it, as
    orders do. Raises CatalogueConflict when amounts would fall below what is held and sold, or a
    name is unknown.
    """
    problems: Problems = []
    with transaction() as session:
        known = {ticket.type: ticket for ticket in session.scalars(sa.select(Ticket))}
        before = {name: _facts_of(ticket) for name, ticket in known.items()}
        quotas = _add_quotas(session, rows.quotas, by, now)
        _check_names(rows, quotas, known, problems)
        tickets = _write_tickets(session, rows.tickets, known, now)
        _move_stock(session, rows, tickets, quotas, problems)
        for row in rows.tickets:
            _note_ticket(session, tickets[row.type], row, before.get(row.type), by, now)
        vouchers = {**known, **tickets}
        for voucher in rows.vouchers:
            _load_voucher(session, voucher, vouchers, by, now, problems)
        if problems:
            raise CatalogueConflict(problems)
    created = sum(row.type not in before for row in rows.tickets)
    updated = len(rows.tickets) - created
    return LoadResult(created, updated, len(rows.quotas), len(rows.vouchers))


@use_case
def read_catalogue_rows() -> CatalogueRows:
    """Return the whole catalogue as the rows that would make it, retired ones too."""
    with reading() as session:
        fresh = {"populate_existing": True}
        quotas = session.scalars(sa.select(Quota).order_by(Quota.name), execution_options=fresh)
        in_order = sa.select(Ticket).order_by(Ticket.position, Ticket.id)
        tickets = session.scalars(in_order, execution_options=fresh).all()
        with_tickets = sa.select(Voucher).order_by(Voucher.id)
        vouchers = session.scalars(
            with_tickets.options(*voucher_storing.WITH_TICKETS), execution_options=fresh
        )
        return CatalogueRows(
            tuple(_ticket_row(ticket) for ticket in tickets),
            tuple(QuotaRow(quota.name, quota.amount) for quota in quotas),
            tuple(_voucher_row(voucher) for voucher in vouchers),
        )


def _add_quotas(
    session: Session, rows: Iterable[QuotaRow], by: By, now: datetime
) -> dict[str, Quota]:
    """Return all quotas by name, with those that are new; the others are changed later."""
    quotas = {quota.name: quota for quota in session.scalars(sa.select(Quota))}
    for row in rows:
        old = quotas.get(row.name)
        if old is None:
            quotas[row.name] = Quota(name=row.name, amount=row.amount, held=0, sold=0)
            session.add(quotas[row.name])
            session.flush()
        subject = Subject("quota", str(quotas[row.name].id), row.name)
        audit.record(
            session,
            actor=by,
            action="quota.changed" if old else "quota.added",
            subject=subject,
            before={"amount": old.amount} if old else None,
            after={"amount": row.amount},
            now=now,
        )
    return quotas


def _check_names(
    rows: CatalogueRows,
    quotas: Mapping[str, Quota],
    known: Mapping[str, Ticket],
    problems: Problems,
) -> None:
    """Raise CatalogueConflict when a row names a quota or a ticket that nobody knows."""
    types = {*known, *(row.type for row in rows.tickets)}
    problems += [
        f"line {row.line}: there is no quota {row.quota!r}"
        for row in rows.tickets
        if row.quota is not None and row.quota not in quotas
    ]
    problems += [
        f"line {row.line}: there is no ticket {name!r}"
        for row in rows.vouchers
        for name in row.tickets or ()
        if name not in types
    ]
    if problems:
        raise CatalogueConflict(problems)


def _write_tickets(
    session: Session, rows: Iterable[TicketRow], known: Mapping[str, Ticket], now: datetime
) -> dict[str, Ticket]:
    """Return the file's tickets, written in its order; the stock of those known is not touched."""
    tickets = {}
    for position, row in enumerate(rows, start=1):
        ticket = known.get(row.type)
        if ticket is None:
            ticket = Ticket(type=row.type, stock=TicketStock(amount=row.amount))
            session.add(ticket)
        tickets[row.type] = ticket
        for name, value in _plain_fields(row).items():
            setattr(ticket, name, value)
        ticket.position = position
        ticket.retired_at = (ticket.retired_at or now) if row.is_retired else None
    session.flush()
    return tickets


def _plain_fields(row: TicketRow) -> dict[str, object]:
    fields = asdict(row)
    for name in ("type", "amount", "quota", "is_retired", "line"):
        del fields[name]
    return fields


def _move_stock(
    session: Session,
    rows: CatalogueRows,
    tickets: Mapping[str, Ticket],
    quotas: Mapping[str, Quota],
    problems: Problems,
) -> None:
    """Give tickets their quotas and both their amounts; note what does not fit."""
    quota_ids = {
        tickets[row.type].id: None if row.quota is None else quotas[row.quota].id
        for row in rows.tickets
    }
    amounts = {quotas[row.name].id: row.amount for row in rows.quotas}
    lines = {row.name: row.line for row in rows.quotas}
    try:
        if amounts or any(quota_ids.values()) or quotas:
            quota_moves.assign(session, quota_ids, amounts)
    except QuotaTooSmall as error:
        problems.append(
            f"line {lines.get(error.name, 1)}: more is held and sold of the tickets of quota "
            f"{error.name!r} than fits into it"
        )
    for row in rows.tickets:
        try:
            ticket_editing.resize(session, tickets[row.type].id, row.amount)
        except AmountTooLow as error:
            problems.append(
                f"line {row.line}: amount of {row.type!r} is {row.amount}, but {error.taken} are "
                f"held or sold already: it must be at least {error.taken}"
            )


def _load_voucher(
    session: Session,
    row: VoucherRow,
    tickets: Mapping[str, Ticket],
    by: By,
    now: datetime,
    problems: Problems,
) -> None:
    ids = None if row.tickets is None else tuple(sorted(tickets[name].id for name in row.tickets))
    wish = VoucherWish(
        row.effect, row.value, ids, row.max_seats, row.valid_from, row.valid_until, row.note
    )
    query = sa.select(Voucher).where(Voucher.code == row.code)
    voucher = session.scalar(query.options(*voucher_storing.WITH_TICKETS))
    before = None
    if voucher is None:
        [voucher_id] = voucher_storing.insert_vouchers(session, [row.code], wish, now)
        voucher = session.get_one(Voucher, voucher_id)
    else:
        before = voucher_storing.facts_of(session, voucher_storing.wish_of(voucher))
        before["retired"] = voucher.retired_at is not None
        try:
            voucher_storing.write_wish(session, voucher, wish)
        except SeatsTooFew as error:
            problems.append(
                f"line {row.line}: seats of {row.code!r} is {row.max_seats}, but it was used for "
                f"{error.used} already"
            )
    voucher.retired_at = (voucher.retired_at or now) if row.is_retired else None
    after = {**voucher_storing.facts_of(session, wish), "retired": row.is_retired}
    audit.record(
        session,
        actor=by,
        action="voucher.changed" if before else "voucher.added",
        subject=Subject("voucher", str(voucher.id), row.code),
        before=before,
        after=after,
        now=now,
    )


def _note_ticket(
    session: Session,
    ticket: Ticket,
    row: TicketRow,
    before: dict[str, object] | None,
    by: By,
    now: datetime,
) -> None:
    audit.record(
        session,
        actor=by,
        action="ticket.changed" if before else "ticket.added",
        subject=Subject("ticket", str(ticket.id), ticket.type),
        before=before,
        after=_facts(row),
        now=now,
    )


def _facts_of(ticket: Ticket) -> dict[str, object]:
    return _facts(_ticket_row(ticket))


def _facts(row: TicketRow) -> dict[str, object]:
    """Return what the audit log tells of a ticket."""
    facts = asdict(row)
    del facts["type"], facts["line"]
    return {**facts, "retired": facts.pop("is_retired")}


def _ticket_row(ticket: Ticket) -> TicketRow:
    stock = ticket.stock
    return TicketRow(
        type=ticket.type,
        description=ticket.description,
        price=ticket.price,
        amount=stock.amount,
        max_per_order=ticket.max_per_order,
        valid_from=ticket.valid_from,
        valid_until=ticket.valid_until,
        admit_from=ticket.admit_from,
        admit_until=ticket.admit_until,
        min_per_order=ticket.min_per_order,
        is_hidden=ticket.is_hidden,
        quota=stock.quota.name if stock.quota else None,
        is_retired=ticket.retired_at is not None,
    )


def _voucher_row(voucher: Voucher) -> VoucherRow:
    tickets = None if voucher.is_for_all else tuple(ticket.type for ticket in voucher.tickets)
    return VoucherRow(
        code=voucher.code,
        tickets=tickets,
        effect=voucher.effect,
        value=voucher.value,
        max_seats=voucher.use.max_seats,
        valid_from=voucher.valid_from,
        valid_until=voucher.valid_until,
        note=voucher.note,
        is_retired=voucher.retired_at is not None,
    )

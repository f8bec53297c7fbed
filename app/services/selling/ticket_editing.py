"""Tickets as staff see and change them; what they change is in force at once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, lazyload

from app.errors import FieldError, NotFound, ValidationFailed
from app.models import Quota, SaleStatus, Ticket, TicketStock
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import affected, reading, transaction, use_case, violates
from app.services.selling import quota_moves
from app.services.selling.catalogue_refusals import AmountTooLow, NameTaken
from app.services.selling.wishes import TicketWish, check_ticket, merge

__all__ = [
    "TicketOverview",
    "TicketWish",
    "change_ticket",
    "create_ticket",
    "get_ticket",
    "list_all_tickets",
    "move_ticket",
    "reopen_ticket",
    "retire_ticket",
]

OF_STOCK = ("amount", "quota_id")


@dataclass(frozen=True)
class TicketOverview:
    """A ticket with what is taken of it; `available` also looks at its quota."""

    id: int
    wish: TicketWish
    position: int
    held: int
    sold: int
    available: int
    quota_name: str | None
    retired_at: datetime | None
    status: SaleStatus


@use_case
def list_all_tickets(now: datetime) -> list[TicketOverview]:
    """Return all tickets in catalogue order, retired ones last. One statement."""
    is_retired = Ticket.retired_at.is_not(None)
    query = sa.select(Ticket).order_by(is_retired, Ticket.position, Ticket.id)
    with reading() as session:
        found = session.scalars(query, execution_options={"populate_existing": True})
        return [_describe(ticket, now) for ticket in found]


@use_case
def get_ticket(ticket_id: int, now: datetime) -> TicketOverview:
    """Return a ticket. Raises NotFound."""
    with reading() as session:
        ticket = session.get(Ticket, ticket_id, populate_existing=True)
        if ticket is None:
            raise NotFound
        return _describe(ticket, now)


@use_case
def create_ticket(wish: TicketWish, *, by: By, now: datetime) -> int:
    """Put a new ticket at the end of the catalogue and return its id.

    Raises ValidationFailed, NameTaken.
    """
    wish = _tidy(wish)
    check_ticket(wish)
    with transaction() as session:
        quota = _find_quota(session, wish.quota_id)
        last = session.scalar(sa.select(sa.func.max(Ticket.position))) or 0
        ticket = Ticket(position=last + 1, stock=TicketStock(amount=wish.amount, quota=quota))
        _write(ticket, wish)
        session.add(ticket)
        _flush(session)
        _note(session, "ticket.added", ticket, by, now, after=_facts(wish, quota))
        return ticket.id


@use_case
def change_ticket(
    ticket_id: int, wish: TicketWish, *, seen: TicketWish, by: By, now: datetime
) -> None:
    """Change a ticket; orders that exist keep their prices.

    `seen` is what the form was drawn from. Raises NotFound, ValidationFailed, NameTaken,
    ChangedMeanwhile, AmountTooLow, QuotaTooSmall.
    """
    wish = _tidy(wish)
    check_ticket(wish)
    with transaction() as session:
        ticket = _lock(session, ticket_id)
        before = wish_of(ticket)
        old_quota = ticket.stock.quota
        after = merge(wish, seen=seen, now=before)
        check_ticket(after)
        quota = _find_quota(session, after.quota_id)
        _write(ticket, after)
        _flush(session)
        if after.quota_id != before.quota_id:
            quota_moves.assign(session, {ticket_id: after.quota_id})
        resize(session, ticket_id, after.amount)
        facts = _facts(before, old_quota), _facts(after, quota)
        _note(session, "ticket.changed", ticket, by, now, before=facts[0], after=facts[1])


@use_case
def move_ticket(ticket_id: int, step: int, *, by: By, now: datetime) -> None:
    """Move a ticket up (-1) or down (+1) among those not retired; at the end nothing happens.

    Raises NotFound.
    """
    with transaction() as session:
        in_order = (Ticket.position, Ticket.id)
        query = sa.select(Ticket).where(Ticket.retired_at.is_(None)).order_by(*in_order)
        listed = list(session.scalars(query.options(lazyload(Ticket.stock)).with_for_update()))
        index = next((n for n, each in enumerate(listed) if each.id == ticket_id), None)
        if index is None:
            raise NotFound
        if not 0 <= index + step < len(listed):
            return
        listed.insert(index + step, listed.pop(index))
        for position, ticket in enumerate(listed, start=1):
            ticket.position = position
        places = {"position": index + 1}, {"position": index + step + 1}
        moved = listed[index + step]
        _note(session, "ticket.moved", moved, by, now, before=places[0], after=places[1])


@use_case
def retire_ticket(ticket_id: int, *, by: By, now: datetime) -> None:
    """Take a ticket off sale for good; what is ordered stays as it is. Raises NotFound."""
    with transaction() as session:
        ticket = _lock(session, ticket_id)
        if ticket.retired_at is None:
            ticket.retired_at = now
            _note(session, "ticket.retired", ticket, by, now)


@use_case
def reopen_ticket(ticket_id: int, *, by: By, now: datetime) -> None:
    """Let a retired ticket be sold again, within its period. Raises NotFound."""
    with transaction() as session:
        ticket = _lock(session, ticket_id)
        if ticket.retired_at is not None:
            ticket.retired_at = None
            _note(session, "ticket.reopened", ticket, by, now)


def resize(session: Session, ticket_id: int, amount: int) -> None:
    """Change the amount unless more are taken: buyers may be ordering. Raises AmountTooLow."""
    stock = sa.update(TicketStock).where(TicketStock.ticket_id == ticket_id)
    has_room = TicketStock.held + TicketStock.sold <= amount
    if affected(session, stock.where(has_room).values(amount=amount)) != 1:
        row = session.get_one(TicketStock, ticket_id, populate_existing=True)
        raise AmountTooLow(row.held + row.sold)


def wish_of(ticket: Ticket) -> TicketWish:
    """Return a ticket as it stands."""
    stock = ticket.stock
    return TicketWish(
        ticket.type,
        ticket.description,
        ticket.price,
        stock.amount,
        ticket.min_per_order,
        ticket.max_per_order,
        ticket.valid_from,
        ticket.valid_until,
        ticket.admit_from,
        ticket.admit_until,
        ticket.is_hidden,
        stock.quota_id,
    )


def _lock(session: Session, ticket_id: int) -> Ticket:
    """Lock the ticket's row and nothing else: orders lock it first and its stock last. NotFound."""
    alone = [lazyload(Ticket.stock)]
    ticket = session.get(
        Ticket, ticket_id, options=alone, with_for_update=True, populate_existing=True
    )
    if ticket is None:
        raise NotFound
    session.refresh(ticket.stock)
    return ticket


def _tidy(wish: TicketWish) -> TicketWish:
    return replace(
        wish, type=" ".join(wish.type.split()), description=" ".join(wish.description.split())
    )


def _write(ticket: Ticket, wish: TicketWish) -> None:
    for name, value in asdict(wish).items():
        if name not in OF_STOCK:
            setattr(ticket, name, value)


def _find_quota(session: Session, quota_id: int | None) -> Quota | None:
    quota = None if quota_id is None else session.get(Quota, quota_id)
    if quota is None and quota_id is not None:
        raise ValidationFailed([FieldError("quota_id", NotFound.title)])
    return quota


def _facts(wish: TicketWish, quota: Quota | None) -> dict[str, object]:
    """Return what the audit log tells of a ticket."""
    facts = asdict(wish)
    del facts["quota_id"]
    return {**facts, "quota": quota.name if quota else None}


def _note(
    session: Session,
    action: str,
    ticket: Ticket,
    by: By,
    now: datetime,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    subject = Subject("ticket", str(ticket.id), ticket.type)
    audit.record(
        session, actor=by, action=action, subject=subject, before=before, after=after, now=now
    )


def _describe(ticket: Ticket, now: datetime) -> TicketOverview:
    stock = ticket.stock
    return TicketOverview(
        id=ticket.id,
        wish=wish_of(ticket),
        position=ticket.position,
        held=stock.held,
        sold=stock.sold,
        available=stock.available,
        quota_name=stock.quota.name if stock.quota else None,
        retired_at=ticket.retired_at,
        status=ticket.sale_status(now),
    )


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        if violates(error, "uq_tickets_type", "tickets.type"):
            raise NameTaken("type") from error
        raise

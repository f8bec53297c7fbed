"""Finding orders: by what somebody knows of one, narrowed down, the newest first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    CaseStatus,
    MoneyCase,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    Ticket,
    User,
    Voucher,
)
from app.services.office.order_text import (
    MOST,
    Condition,
    choose_fitting,
    find_fitting,
    find_named,
    narrow,
)
from app.services.running.transaction import reading

PAGE_LENGTH = 50
NOT_DONE = (RefundStatus.DUE, RefundStatus.SENT, RefundStatus.FAILED)


@dataclass(frozen=True)
class OrderFilter:
    """Which orders are wanted; an empty field does not narrow.

    `text` is what somebody typed: a name, an address, a code, an invoice's id, the end of a phone
    number. They were placed from `since` (included) to `until` (not). `has_case` asks for a
    question about money that is open, `has_refund` for money that is not back yet.
    """

    text: str = ""
    status: OrderStatus | None = None
    payment: PaymentStatus | None = None
    ticket_id: int | None = None
    channel: str = ""
    voucher: str = ""
    since: datetime | None = None
    until: datetime | None = None
    has_case: bool = False
    has_refund: bool = False


@dataclass(frozen=True)
class FoundOrder:
    """An order as the list shows it; `seats` are quantities and names of tickets.

    `attendees` are those whose name was looked for, where it is not the buyer's.
    """

    code: str
    created_at: datetime
    status: OrderStatus
    total: int
    buyer: str
    email: str
    payment: PaymentStatus
    channel: str | None
    has_case: bool
    has_refund: bool
    seats: tuple[tuple[int, str], ...]
    attendees: tuple[str, ...]


@dataclass(frozen=True)
class OrderPage:
    """A page of orders. `count` is how many there are, up to MOST + 1; None on later pages.

    `older` is the code behind which the next page begins, if there is one; `only` the code of the
    one order that a key named.
    """

    orders: Sequence[FoundOrder]
    count: int | None
    older: str | None
    only: str | None


def search_orders(wanted: OrderFilter, *, before: str | None = None) -> OrderPage:
    """Return a page of what is wanted, from the newest or from behind the order `before`.

    Takes five statements at most, however many orders there are.
    """
    with reading() as session:
        named = find_named(session, wanted.text)
        known = named or (find_fitting(session, wanted.text) if wanted.text else None)
        ids = _list_ids(session, wanted, known, before)
        shown = _load(session, ids[:PAGE_LENGTH], "" if named else wanted.text)
    return OrderPage(
        orders=shown,
        count=len(ids) if before is None else None,
        older=shown[-1].code if len(ids) > PAGE_LENGTH else None,
        only=shown[0].code if named and len(ids) == 1 else None,
    )


def list_channels() -> Sequence[str]:
    """Return the channels anybody ever paid by, by name."""
    known = sa.select(Payment.channel).where(Payment.channel.is_not(None)).distinct()
    with reading() as session:
        return [one for one in session.scalars(known.order_by(Payment.channel)) if one]


def list_ticket_names() -> list[tuple[int, str]]:
    """Return every ticket there ever was, by its place in the catalogue: id and name."""
    with reading() as session:
        rows = session.execute(sa.select(Ticket.id, Ticket.type).order_by(Ticket.position))
        return [(ticket_id, name) for ticket_id, name in rows]


# --- what narrows -------------------------------------------------------------------------------


def _list_ids(
    session: Session, wanted: OrderFilter, known: Sequence[int] | None, before: str | None
) -> Sequence[int]:
    """Return ids from the newest: one more than is counted, or than is shown on a later page.

    `known` are all that the text fits; None where it was not looked for or too many fit.
    """
    conditions = _conditions(wanted)
    if known is not None and not conditions and before is None:
        return sorted(known, reverse=True)[: MOST + 1]
    query = sa.select(Order.id).where(*conditions)
    if known is not None:
        query = query.where(Order.id.in_(known))
    elif wanted.text:
        query = narrow(query, wanted.text)
    if before is not None:
        last = sa.select(Order.id).where(Order.code == before).scalar_subquery()
        query = query.where(Order.id < last)
    most = MOST if before is None else PAGE_LENGTH
    return session.scalars(query.order_by(Order.id.desc()).limit(most + 1)).all()


def _conditions(wanted: OrderFilter) -> list[Condition]:
    conditions: list[Condition] = []
    if wanted.status:
        conditions.append(Order.status == wanted.status)
    if wanted.since:
        conditions.append(Order.created_at >= wanted.since)
    if wanted.until:
        conditions.append(Order.created_at < wanted.until)
    if wanted.payment or wanted.channel:
        conditions.append(Order.id.in_(_payments(wanted)))
    if wanted.ticket_id is not None:
        of_ticket = sa.select(OrderItem.order_id).where(OrderItem.ticket_id == wanted.ticket_id)
        conditions.append(Order.id.in_(of_ticket))
    if wanted.voucher:
        used = sa.select(OrderItem.order_id).join(Voucher, Voucher.id == OrderItem.voucher_id)
        conditions.append(Order.id.in_(used.where(Voucher.code == wanted.voucher.upper())))
    if wanted.has_case:
        conditions.append(Order.id.in_(_open_cases()))
    if wanted.has_refund:
        conditions.append(Order.id.in_(_open_refunds()))
    return conditions


def _payments(wanted: OrderFilter) -> sa.Select[int]:
    payments = sa.select(Payment.order_id)
    if wanted.payment:
        payments = payments.where(Payment.status == wanted.payment)
    if wanted.channel:
        payments = payments.where(Payment.channel == wanted.channel)
    return payments


def _open_cases() -> sa.Select[int]:
    return sa.select(MoneyCase.order_id).where(MoneyCase.status != CaseStatus.RESOLVED)


def _open_refunds() -> sa.Select[int]:
    return sa.select(Refund.order_id).where(Refund.status.in_(NOT_DONE))


# --- what is shown ------------------------------------------------------------------------------


def _load(session: Session, ids: Sequence[int], text: str) -> list[FoundOrder]:
    if not ids:
        return []
    rows = session.execute(
        sa.select(
            Order.id,
            Order.code,
            Order.created_at,
            Order.status,
            Order.total,
            User.full_name,
            User.email,
            Payment.status,
            Payment.channel,
            _open_cases().where(MoneyCase.order_id == Order.id).exists(),
            _open_refunds().where(Refund.order_id == Order.id).exists(),
        )
        .join(User, User.id == Order.user_id)
        .join(Payment, Payment.order_id == Order.id)
        .where(Order.id.in_(ids))
        .order_by(Order.id.desc())
    ).all()
    seats, guests = _seats(session, ids)
    return [
        FoundOrder(
            *row[1:],
            tuple(seats[row[0]]),
            tuple(name for name in choose_fitting(text, guests[row[0]]) if name != row.full_name),
        )
        for row in rows
    ]


def _seats(
    session: Session, ids: Sequence[int]
) -> tuple[dict[int, list[tuple[int, str]]], dict[int, list[str]]]:
    """Return quantities and names of tickets, and the names on the seats, by order."""
    items = (
        sa.select(OrderItem.order_id, OrderItem.quantity, Ticket.type, OrderItem.attendees)
        .join(Ticket, Ticket.id == OrderItem.ticket_id)
        .where(OrderItem.order_id.in_(ids))
        .order_by(OrderItem.order_id, Ticket.position)
    )
    seats, guests = defaultdict[int, list[tuple[int, str]]](list), defaultdict[int, list[str]](list)
    for order_id, quantity, name, attendees in session.execute(items):
        seats[order_id].append((quantity, name))
        guests[order_id] += attendees
    return seats, guests

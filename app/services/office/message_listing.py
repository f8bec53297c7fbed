"""The list of those a message goes to: made in steps, so that none takes long.

It is made from the newest e-ticket down: the first step within the request, and the others by a
worker. The message says how far it is, and each step goes on from there under the message's lock.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    ETicket,
    Message,
    MessageRecipient,
    MessageStatus,
    Order,
    OrderStatus,
    RecipientStatus,
    User,
)
from app.services.running import jobs
from app.services.running.transaction import affected, transaction, use_case

LIST_MESSAGE = "list_message"
STEP = 2_000  # e-tickets looked at in one transaction: one or two tenths of a second
FRESH = timedelta(minutes=10)  # so long a list is sent as it was shown


def begin(session: Session, message: Message, now: datetime) -> None:
    """Make the list of a draft anew: its first step now, the others by a worker."""
    affected(session, sa.delete(MessageRecipient).where(MessageRecipient.message_id == message.id))
    newest = _newest(session)
    message.listed_from, message.listed_down_to = newest, newest + 1
    message.listed_at = None
    if not _step(session, message, now):
        payload = {"message_id": message.id}
        jobs.enqueue(session, LIST_MESSAGE, payload, now=now, due_at=now)


def finish(message_id: int, *, clock: Callable[[], datetime]) -> None:
    """Make the list to its end, a transaction for each step. Safe to call any number of times."""
    while not _go_on(message_id, clock()):
        pass


def bring_up_to_date(session: Session, message: Message, now: datetime) -> None:
    """Add those who have bought since a list was made, if it is no longer fresh.

    Where they are too many for one step, the list is made anew.
    """
    listed_at, listed_from = message.listed_at, message.listed_from or 0
    if listed_at is None or now < listed_at + FRESH:
        return
    newest = _newest(session)
    if newest - listed_from > STEP:
        begin(session, message, now)
        return
    _add(session, message, above=listed_from, up_to=newest)
    message.listed_from, message.listed_at = newest, now


def count(session: Session, message_id: int) -> int:
    """Return how many people are on a list."""
    mine = MessageRecipient.message_id == message_id
    return session.scalar(sa.select(sa.func.count()).where(mine)) or 0


@use_case
def _go_on(message_id: int, now: datetime) -> bool:
    """Make one step of a draft's list; tell whether there is nothing left to do."""
    with transaction() as session:
        message = session.get(Message, message_id, with_for_update=True, populate_existing=True)
        is_open = message is not None and message.status is MessageStatus.DRAFT
        if message is None or not is_open or message.listed_at is not None:
            return True
        return _step(session, message, now)


def _step(session: Session, message: Message, now: datetime) -> bool:
    """Look at the next e-tickets, from the newest down; tell whether they were the last."""
    ids = sa.select(ETicket.id).where(ETicket.id < message.listed_down_to)
    found = session.scalars(ids.order_by(ETicket.id.desc()).limit(STEP)).all()
    if found:
        _add(session, message, above=found[-1] - 1, up_to=found[0])
        message.listed_down_to = found[-1]
    if len(found) == STEP:
        return False
    message.listed_at = now
    return True


def _add(session: Session, message: Message, *, above: int, up_to: int) -> None:
    """Put on the list who holds one of the message's tickets among these e-tickets.

    Paid, not cancelled. One person an address, whatever its capitals; who has several orders is
    written to about the latest, in its language.
    """
    address = sa.func.lower(User.email)
    row = MessageRecipient
    is_listed = sa.exists().where(row.message_id == message.id, row.address == address)
    latest = (
        sa.select(sa.func.max(Order.id).label("order_id"))
        .select_from(ETicket)
        .join(Order, Order.id == ETicket.order_id)
        .join(User, User.id == Order.user_id)
        .where(
            ETicket.id > above,
            ETicket.id <= up_to,
            ETicket.ticket_id.in_(message.ticket_ids),
            ETicket.revoked_at.is_(None),
            Order.status == OrderStatus.PAID,
        )
        .group_by(address)
        .subquery()
    )
    values = {
        "message_id": sa.literal(message.id),
        "address": address,
        "email": User.email,
        "full_name": User.full_name,
        "locale": Order.locale,
        "order_id": Order.id,
        "status": sa.literal(RecipientStatus.WAITING.value),
    }
    chosen = (
        sa.select(*values.values())
        .select_from(latest)
        .join(Order, Order.id == latest.c.order_id)
        .join(User, User.id == Order.user_id)
        .where(sa.not_(is_listed))
        .order_by(Order.id)
    )
    table = cast(sa.Table, row.__table__)
    session.execute(sa.insert(table).from_select(list(values), chosen))


def _newest(session: Session) -> int:
    return session.scalar(sa.select(sa.func.max(ETicket.id))) or 0

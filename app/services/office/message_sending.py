"""Sending messages: one letter after the other, each person once, whatever breaks.

A recipient is marked as taken, and that committed, before the letter is handed over, and marked
again afterwards. Whoever is found taken by a worker that is gone may have got it or not: nobody is
mailed twice by ourselves, so that is for a person to decide (UNSURE).
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.integrations.mailer import MailDelayed, Mailer, MailRefused
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
from app.services.office.message_letter import Recipient, write_letter
from app.services.office.messages import MessageText, text_of
from app.services.running.jobs import LEASE, RetryLater
from app.services.running.transaction import affected, reading, transaction, use_case
from app.tracing import current_request_id

log = logging.getLogger(__name__)

# Twenty, then a rest: one worker thread sends ten a second at most, and letters about orders,
# which others send meanwhile, do not wait behind thousands of these.
BATCH = 20
PAUSE = timedelta(seconds=2)
AFTER_FAILURE = timedelta(minutes=1)
LOST_AFTER = 2 * LEASE
BROKEN_OFF = "the worker stopped while it was handing the letter over"
REASON_LENGTH = 255


def send_batch(
    message_id: int, *, clock: Callable[[], datetime], mailer: Mailer, settings: Settings
) -> None:
    """Send the next letters of a message. Raises RetryLater while some are left.

    Nothing once it was stopped: that is asked before every single letter.
    """
    _give_up_lost(message_id, clock())
    with reading() as session:
        message = session.get(Message, message_id)
        if message is None:
            return
        text = text_of(message)
    for _ in range(BATCH):
        recipient = _take(message_id, clock())
        if recipient is None:
            _end(message_id, clock())
            return
        if not recipient.holds_ticket:
            continue
        _post(message_id, recipient, text, clock=clock, mailer=mailer, settings=settings)
    raise RetryLater("more letters are to be sent", PAUSE)


def send_sample(
    message_id: int,
    version: int,
    to: str,
    *,
    mailer: Mailer,
    settings: Settings,
) -> None:
    """Mail a draft to its writer, in each of its languages, unless it was changed meanwhile.

    Raises MailDelayed: the job tries again. Whoever gets it here may get it again: only a try.
    """
    with reading() as session:
        message = session.get(Message, message_id)
        if message is None or message.version != version:
            return
        text = text_of(message)
    sample = Recipient(0, to, to.partition("@")[0], "id", "TXCONTOH00", "contoh-sample")
    for locale in ("id", "en") if text.body_en else ("id",):
        letter = write_letter(message_id, sample._replace(locale=locale), text, settings)
        try:
            mailer.send(letter)
        except MailRefused:
            log.exception("the sample of a message was refused", extra={"message_id": message_id})
            return
    _note_tried(message_id, version)


@use_case
def _take(message_id: int, now: datetime) -> Recipient | None:
    """Mark the next person as taken; None when nobody is left, or the message was stopped.

    Who holds no such ticket any more is marked as gone instead: nobody may write to them. The
    message's row is locked: stopping it is either before this person or after.
    """
    with transaction() as session:
        told = sa.select(Message.status, Message.ticket_ids).where(Message.id == message_id)
        status, ticket_ids = session.execute(told.with_for_update()).one()
        if status is not MessageStatus.SENDING:
            return None
        found = session.execute(_next_person(message_id, ticket_ids)).one_or_none()
        if found is None:
            return None
        recipient = Recipient(*found[:-1])
        if not recipient.holds_ticket:
            recipient = _by_another_order(session, recipient, found.address, ticket_ids)
        row = MessageRecipient
        mine = sa.update(row).where(row.id == found.id, row.status == RecipientStatus.WAITING)
        taken = {"status": RecipientStatus.TAKEN, "taken_at": now}
        gone = {"status": RecipientStatus.GONE, "finished_at": now}
        state = taken if recipient.holds_ticket else gone
        affected(session, mine.values(**state, request_id=current_request_id()))
        return recipient


def _next_person(message_id: int, ticket_ids: Sequence[int]) -> sa.Select[Any]:
    row = MessageRecipient
    holds = sa.exists().where(ETicket.order_id == row.order_id, *_is_good(ticket_ids))
    columns: tuple[Any, ...] = (
        *(row.id, row.email, row.full_name, row.locale),
        *(Order.code, Order.token),
        (Order.status == OrderStatus.PAID) & holds,
        row.address,
    )
    return (
        sa.select(*columns)
        .join(Order, Order.id == row.order_id)
        .where(row.message_id == message_id, row.status == RecipientStatus.WAITING)
        .order_by(row.id)
        .limit(1)
    )


def _by_another_order(
    session: Session, recipient: Recipient, address: str, ticket_ids: Sequence[int]
) -> Recipient:
    """Return somebody whose order is no good any more by another of theirs, if there is one.

    All buyers are looked at, as no index knows an address in small letters: this is rare.
    """
    others = (
        sa.select(Order.code, Order.token)
        .join(User, User.id == Order.user_id)
        .join(ETicket, ETicket.order_id == Order.id)
        .where(
            sa.func.lower(User.email) == address,
            Order.status == OrderStatus.PAID,
            *_is_good(ticket_ids),
        )
        .order_by(Order.id.desc())
        .limit(1)
    )
    other = session.execute(others).one_or_none()
    if other is None:
        return recipient
    return recipient._replace(order_code=other.code, order_token=other.token, holds_ticket=True)


def _is_good(ticket_ids: Sequence[int]) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions for an e-ticket of these that opens the door."""
    return ETicket.ticket_id.in_(ticket_ids), ETicket.revoked_at.is_(None)


def _post(
    message_id: int,
    recipient: Recipient,
    text: MessageText,
    *,
    clock: Callable[[], datetime],
    mailer: Mailer,
    settings: Settings,
) -> None:
    """Hand a letter over and mark what became of it. Raises RetryLater when it was not taken."""
    facts = {"message_id": message_id, "recipient": recipient.id}
    try:
        mailer.send(write_letter(message_id, recipient, text, settings))
    except MailRefused as error:
        log.error("message refused", extra=facts | {"why": str(error)})
        _mark(recipient.id, RecipientStatus.REFUSED, clock(), error.reason)
    except MailDelayed as error:
        is_lost = error.may_have_arrived
        state = RecipientStatus.UNSURE if is_lost else RecipientStatus.WAITING
        _mark(recipient.id, state, clock(), error.reason)
        log.warning("message delayed", extra=facts | {"why": str(error)})
        raise RetryLater(str(error), AFTER_FAILURE) from error
    else:
        _mark(recipient.id, RecipientStatus.SENT, clock())


@use_case
def _mark(recipient_id: int, status: RecipientStatus, now: datetime, reason: str = "") -> None:
    with transaction() as session:
        taken = sa.update(MessageRecipient).where(
            MessageRecipient.id == recipient_id, MessageRecipient.status == RecipientStatus.TAKEN
        )
        ended_at = None if status is RecipientStatus.WAITING else now
        values = {
            "status": status,
            "finished_at": ended_at,
            "reason": reason[:REASON_LENGTH] or None,
        }
        affected(session, taken.values(**values))


@use_case
def _give_up_lost(message_id: int, now: datetime) -> None:
    """Mark those as unsure whom a worker took that is not there any more."""
    with transaction() as session:
        lost = sa.update(MessageRecipient).where(
            MessageRecipient.message_id == message_id,
            MessageRecipient.status == RecipientStatus.TAKEN,
            MessageRecipient.taken_at < now - LOST_AFTER,
        )
        values = {"status": RecipientStatus.UNSURE, "finished_at": now, "reason": BROKEN_OFF}
        if number := affected(session, lost.values(**values)):
            log.error("letters of a message are unsure", extra={"number": number})


@use_case
def _end(message_id: int, now: datetime) -> None:
    """End a message nobody waits for any more; RetryLater while a worker still has somebody."""
    with transaction() as session:
        message = session.get_one(Message, message_id, with_for_update=True, populate_existing=True)
        if message.status is not MessageStatus.SENDING:
            return
        row = MessageRecipient
        taken = (row.message_id == message_id) & (row.status == RecipientStatus.TAKEN)
        if session.scalar(sa.select(row.id).where(taken).limit(1)) is not None:
            raise RetryLater("a letter is still being handed over", LOST_AFTER)
        message.status, message.finished_at = MessageStatus.SENT, now
        log.info("message sent", extra={"message_id": message_id})


@use_case
def _note_tried(message_id: int, version: int) -> None:
    with transaction() as session:
        tried = sa.update(Message).where(Message.id == message_id, Message.version == version)
        affected(session, tried.values(tried_version=version))

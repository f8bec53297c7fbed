"""Sending messages: one letter after the other, each person once, whatever breaks.

A recipient is marked as taken, and that committed, before the letter is handed over, and marked
again afterwards. Whoever is found taken by a worker that is gone may have got it or not: nobody is
mailed twice by ourselves, so that is for a person to decide (UNSURE).
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

import sqlalchemy as sa

from app.config import Settings
from app.integrations.mail_templates import compose
from app.integrations.mailer import Letter, MailDelayed, Mailer, MailRefused
from app.models import Message, MessageRecipient, MessageStatus, Order, RecipientStatus
from app.services.office.messages import MessageText, text_of
from app.services.running.jobs import LEASE, RetryLater
from app.services.running.transaction import affected, reading, transaction, use_case
from app.tracing import current_request_id

log = logging.getLogger(__name__)

TEMPLATE = "message"
# Twenty, then a rest: one worker thread sends ten a second at most, and letters about orders,
# which others send meanwhile, do not wait behind thousands of these.
BATCH = 20
PAUSE = timedelta(seconds=2)
AFTER_FAILURE = timedelta(minutes=1)
LOST_AFTER = 2 * LEASE
BROKEN_OFF = "the worker stopped while it was handing the letter over"
REASON_LENGTH = 255


class Recipient(NamedTuple):
    """One person who is being written to."""

    id: int
    email: str
    full_name: str
    locale: str
    order_code: str
    order_token: str


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


def write_letter(
    message_id: int, recipient: Recipient, text: MessageText, settings: Settings
) -> Letter:
    """Return the letter to one person, in their language where the message has it."""
    locale, subject, body = text.in_language(recipient.locale)
    event = settings.event
    subject, plain, html = compose(
        TEMPLATE,
        locale,
        subject=subject,
        paragraphs=split_paragraphs(body),
        event_name=event.name,
        contact_email=event.contact_email,
        accent=event.accent,
        action=event.action,
        buyer_name=recipient.full_name,
        order_code=recipient.order_code,
        order_url=f"{settings.public_url}/orders/{recipient.order_token}",
    )
    host = urlsplit(settings.public_url).hostname
    return Letter(
        to=recipient.email,
        subject=subject,
        text=plain,
        html=html,
        message_id=f"<message-{message_id}.{recipient.id}@{host}>",
        locale=locale,
        reply_to=event.contact_email,
    )


def split_paragraphs(body: str) -> list[list[str]]:
    """Return the lines of each paragraph; empty lines part them."""
    blocks = "\n".join(line.rstrip() for line in body.splitlines()).split("\n\n")
    return [block.strip("\n").split("\n") for block in blocks if block.strip()]


@use_case
def _take(message_id: int, now: datetime) -> Recipient | None:
    """Mark the next person as taken; None when nobody is left, or the message was stopped.

    The message's row is locked: stopping it is either before this person or after.
    """
    with transaction() as session:
        status = sa.select(Message.status).where(Message.id == message_id)
        if session.scalar(status.with_for_update()) is not MessageStatus.SENDING:
            return None
        row = MessageRecipient
        waiting = (row.message_id == message_id) & (row.status == RecipientStatus.WAITING)
        found = session.execute(
            sa.select(row.id, row.email, row.full_name, row.locale, Order.code, Order.token)
            .join(Order, Order.id == row.order_id)
            .where(waiting)
            .order_by(row.id)
            .limit(1)
        ).one_or_none()
        if found is None:
            return None
        mine = sa.update(row).where(row.id == found.id, row.status == RecipientStatus.WAITING)
        taken = {"status": RecipientStatus.TAKEN, "taken_at": now}
        affected(session, mine.values(**taken, request_id=current_request_id()))
        return Recipient(*found)


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

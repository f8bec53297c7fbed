"""Messages to attendees: drafts, and the decisions to send, stop and go on.

Whom a message goes to is a row for each person, whose unique key lets nobody get it twice: made by
`message_listing`, and fixed when it is sent. `message_letter` writes to one of them,
`message_sending` hands the letters over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Message, MessageRecipient, MessageStatus, RecipientStatus
from app.services.office import message_listing
from app.services.running import audit, jobs
from app.services.running.audit import Actor, Subject
from app.services.running.transaction import affected, transaction, use_case

SEND_MESSAGE = "send_message"
TRY_MESSAGE = "try_message"
FAILED = (RecipientStatus.REFUSED, RecipientStatus.UNSURE)


class StaleMessage(Exception):
    """The message is not any more what the page had shown; nothing was done."""


class NotTried(Exception):
    """The text as it is now was not mailed to its writer yet."""


@dataclass(frozen=True)
class MessageText:
    """What is written; the English part is empty where all get the Indonesian."""

    subject: str
    body: str
    subject_en: str = ""
    body_en: str = ""

    def in_language(self, locale: str) -> tuple[str, str, str]:
        """Return language, subject and body for a reader of this language."""
        if locale == "en" and self.subject_en and self.body_en:
            return "en", self.subject_en, self.body_en
        return "id", self.subject, self.body


def text_of(message: Message) -> MessageText:
    """Return what a message says."""
    return MessageText(message.subject, message.body, message.subject_en, message.body_en)


@use_case
def write(text: MessageText, ticket_ids: Sequence[int], *, by: Actor, now: datetime) -> int:
    """Keep a new draft with those it would go to, and return its id."""
    with transaction() as session:
        message = Message(
            **vars(text),
            ticket_ids=sorted(ticket_ids),
            status=MessageStatus.DRAFT,
            created_by=by.name,
            created_at=now,
        )
        session.add(message)
        session.flush()
        message_listing.begin(session, message, now)
        return message.id


@use_case
def rewrite(
    message_id: int, text: MessageText, ticket_ids: Sequence[int], *, shown: int, now: datetime
) -> None:
    """Change a draft; what was tried is to be tried again. Raises StaleMessage.

    Whom it goes to is listed anew only for other tickets.
    """
    with transaction() as session:
        message = _lock(session, message_id, MessageStatus.DRAFT)
        if message.version != shown:
            raise StaleMessage
        for name, value in vars(text).items():
            setattr(message, name, value)
        message.version += 1
        if message.ticket_ids != sorted(ticket_ids):
            message.ticket_ids = sorted(ticket_ids)
            message_listing.begin(session, message, now)


@use_case
def try_out(message_id: int, to: str, *, shown: int, now: datetime) -> None:
    """Have a draft mailed to its writer, in each of its languages. Raises StaleMessage."""
    with transaction() as session:
        message = _lock(session, message_id, MessageStatus.DRAFT)
        if message.version != shown:
            raise StaleMessage
        payload = {"message_id": message_id, "version": shown, "to": to}
        jobs.enqueue(session, TRY_MESSAGE, payload, now=now, due_at=now)


@use_case
def send(message_id: int, *, shown: int, count: int, by: Actor, now: datetime) -> None:
    """Send a draft to those on its list, `count` of them as the page has said.

    A list that is no longer fresh is brought up to date first. Raises NotTried; StaleMessage when
    text or number are not as they were shown, or the list is not complete.
    """
    with transaction() as session:
        message = _lock(session, message_id, MessageStatus.DRAFT)
        if message.version != shown:
            raise StaleMessage
        if message.tried_version != message.version:
            raise NotTried
        message_listing.bring_up_to_date(session, message, now)
        is_listed = message.listed_at is not None
        is_as_shown = is_listed and message_listing.count(session, message_id) == count
        if is_as_shown:
            message.status, message.sent_by, message.started_at = (
                MessageStatus.SENDING,
                by.name,
                now,
            )
            _enqueue(session, message, now)
            _record(session, message, "message.sent", by, now, recipients=count)
    if not is_as_shown:
        raise StaleMessage  # after the commit: the page shows whom it would go to now


@use_case
def stop(message_id: int, *, by: Actor, now: datetime) -> None:
    """Send no further letter; the one that is being handed over arrives. Raises StaleMessage."""
    with transaction() as session:
        message = _lock(session, message_id, MessageStatus.SENDING)
        message.status, message.stopped_at = MessageStatus.STOPPED, now
        _record(session, message, "message.stopped", by, now)


@use_case
def go_on(message_id: int, *, by: Actor, now: datetime) -> None:
    """Send a stopped message to those who have not got it. Raises StaleMessage."""
    with transaction() as session:
        message = _lock(session, message_id, MessageStatus.STOPPED)
        message.status, message.stopped_at = MessageStatus.SENDING, None
        _enqueue(session, message, now)
        _record(session, message, "message.resumed", by, now)


@use_case
def retry_failed(message_id: int, status: RecipientStatus, *, by: Actor, now: datetime) -> None:
    """Try those again that were refused, or those nobody knows of: these may get it twice.

    Raises StaleMessage unless the message is through, with some of that state.
    """
    if status not in FAILED:
        raise ValueError(status)
    with transaction() as session:
        message = _lock(session, message_id, MessageStatus.SENT)
        failed = sa.update(MessageRecipient).where(
            MessageRecipient.message_id == message_id, MessageRecipient.status == status
        )
        again = {"status": RecipientStatus.WAITING, "taken_at": None, "reason": None}
        number = affected(session, failed.values(**again))
        if not number:
            raise StaleMessage
        message.status, message.finished_at = MessageStatus.SENDING, None
        _enqueue(session, message, now)
        _record(session, message, "message.retried", by, now, recipients=number)


def _lock(session: Session, message_id: int, status: MessageStatus) -> Message:
    message = session.get(Message, message_id, with_for_update=True, populate_existing=True)
    if message is None or message.status is not status:
        raise StaleMessage
    return message


def _enqueue(session: Session, message: Message, now: datetime) -> None:
    jobs.enqueue(session, SEND_MESSAGE, {"message_id": message.id}, now=now, due_at=now)


def _record(
    session: Session, message: Message, action: str, by: Actor, now: datetime, **after: object
) -> None:
    subject = Subject("message", str(message.id), message.subject)
    audit.record(session, actor=by, action=action, subject=subject, after=after or None, now=now)

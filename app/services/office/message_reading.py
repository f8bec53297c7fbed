"""Messages to attendees as pages show them: how far each is, and whom it did not reach."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Message, MessageRecipient, RecipientStatus, Ticket
from app.services.office.messages import FAILED
from app.services.running.transaction import reading

NAMED = 50  # of those it could not be sent to, on a page
UNDER_WAY = (RecipientStatus.WAITING, RecipientStatus.TAKEN)

Counts = dict[RecipientStatus, int]


@dataclass(frozen=True)
class MessageView:
    """A message as a page shows it: its row, how many are in which state, its tickets' names."""

    message: Message
    counts: Counts
    tickets: Sequence[str]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Return how many letters are through, well or not."""
        return self.total - sum(self.counts[status] for status in UNDER_WAY)

    @property
    def is_listed(self) -> bool:
        """Tell whether all it goes to are known."""
        return self.message.listed_at is not None

    @property
    def listed_percent(self) -> int:
        """Return how far the list of those it goes to is, in percent of the e-tickets sold."""
        newest, reached = self.message.listed_from, self.message.listed_down_to
        if not newest or reached is None:
            return 0
        return 100 * (newest + 1 - reached) // newest


def list_messages(*, limit: int = 50) -> list[MessageView]:
    """Return the newest messages with how far they are."""
    with reading() as session:
        query = sa.select(Message).order_by(Message.id.desc()).limit(limit)
        messages = session.scalars(query).all()
        found = _views(session, messages)
        session.expunge_all()
        return found


def find_message(message_id: int) -> MessageView | None:
    """Return a message with how far it is."""
    with reading() as session:
        message = session.get(Message, message_id)
        found = _views(session, [message]) if message else []
        session.expunge_all()
        return found[0] if found else None


def list_failed(message_id: int) -> Sequence[MessageRecipient]:
    """Return the first of those it was not, or perhaps not, delivered to."""
    failed = sa.select(MessageRecipient).where(
        MessageRecipient.message_id == message_id, MessageRecipient.status.in_(FAILED)
    )
    with reading() as session:
        found = session.scalars(failed.order_by(MessageRecipient.id).limit(NAMED)).all()
        session.expunge_all()
        return found


def list_tickets() -> list[tuple[int, str]]:
    """Return id and name of every ticket, as the shop orders them."""
    with reading() as session:
        rows = session.execute(sa.select(Ticket.id, Ticket.type).order_by(Ticket.position))
        return [(ticket_id, name) for ticket_id, name in rows]


def _views(session: Session, messages: Sequence[Message]) -> list[MessageView]:
    one = MessageRecipient
    ids = [message.id for message in messages]
    counted = sa.select(one.message_id, one.status, sa.func.count()).where(one.message_id.in_(ids))
    counts = {key: dict.fromkeys(RecipientStatus, 0) for key in ids}
    for message_id, status, number in session.execute(counted.group_by(one.message_id, one.status)):
        counts[message_id][status] = number
    names = {row.id: row.type for row in session.execute(sa.select(Ticket.id, Ticket.type))}
    return [
        MessageView(
            message,
            counts[message.id],
            [names[key] for key in message.ticket_ids if key in names],
        )
        for message in messages
    ]

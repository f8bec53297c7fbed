"""Two workers at one message: each person is taken once. The careless way is raced too."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import Message, MessageRecipient, MessageStatus, RecipientStatus
from app.services.office import message_sending
from app.services.office.message_letter import Recipient
from app.services.running.transaction import affected, reading, transaction, use_case
from tests.harness.interleaving import overlap
from tests.running.sales import add_ticket, order

NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
PEOPLE = 2

Take = Callable[[int, datetime], Recipient | None]


@use_case
def take_carelessly(message_id: int, now: datetime) -> Recipient | None:
    """Select and then update, as one would without knowing better."""
    row = MessageRecipient
    with reading() as session:
        waiting = sa.select(row.id).where(row.status == RecipientStatus.WAITING)
        found = session.scalar(waiting.order_by(row.id).limit(1))
    if found is None:
        return None
    with transaction() as session:
        mine = sa.update(row).where(row.id == found)
        affected(session, mine.values(status=RecipientStatus.TAKEN, taken_at=now))
    return Recipient(found, "", "", "id", "", "")


def write_to_many(app: Flask) -> int:
    """Begin to send a message to PEOPLE, and return its id."""
    settings = app.extensions["settings"]
    ticket_id = add_ticket("Reguler", now=NOW)
    order_id = order(ticket_id, 1, now=NOW, settings=settings).order_id
    with transaction() as session:
        message = Message(
            subject="Pintu pindah",
            body="Ke timur.",
            body_en="",
            ticket_ids=[ticket_id],
            status=MessageStatus.SENDING,
            created_by="tests",
            created_at=NOW,
        )
        session.add(message)
        session.flush()
        for number in range(PEOPLE):
            address = f"tamu{number}@example.com"
            session.add(
                MessageRecipient(
                    message_id=message.id,
                    address=address,
                    email=address,
                    full_name="Tamu",
                    locale="id",
                    order_id=order_id,
                    status=RecipientStatus.WAITING,
                )
            )
        return message.id


def race(app: Flask, take: Take, *, after: int) -> list[int]:
    """Let one worker take somebody between another one's statements; return who was taken."""
    with app.app_context():
        message_id = write_to_many(app)
        db.session.remove()
    taken = overlap(app, *[lambda: take(message_id, NOW)] * 2, after=after)
    assert all(isinstance(each, Recipient) for each in taken), taken
    return [each.id for each in taken if isinstance(each, Recipient)]


@pytest.mark.parametrize("statements", [1, 2, 3])
def test_no_two_workers_write_to_the_same_person(mariadb_app: Flask, statements: int) -> None:
    assert len(set(race(mariadb_app, message_sending._take, after=statements))) == 2


def test_without_the_lock_somebody_would_get_two_letters(mariadb_app: Flask) -> None:
    assert len(set(race(mariadb_app, take_carelessly, after=1))) == 1

"""Correspondence: the letters about money, written from the order's state when they are sent."""

import logging
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.integrations.mailer import Mailer
from app.models import CaseKind, Order, Refund
from app.services.money import cases, letters, refunds, reminding
from app.services.money.late_money import list_alternatives
from app.services.running.mailing import Topic, Words, post, was_posted, write_about
from app.services.running.transaction import reading

log = logging.getLogger(__name__)


def send_letter(
    order_id: int, name: str, about: str, *, now: datetime, mailer: Mailer, settings: Settings
) -> None:
    """Send one letter in the order's language, once; nothing when events have overtaken it.

    `name` is one of `letters`, `about` a refund's reference or empty. Raises MailDelayed: the job
    tries again; and RetryLater where its moment has not come. A refusal for good is recorded and
    logged.
    """
    with reading() as session:
        order = session.get_one(Order, order_id)
        topic = Topic(order.id, order.code, name, about)
        if was_posted(session, topic):
            return
        words = _words(session, order, topic, now=now, settings=settings)
        if words is None:
            log.info("letter not needed any more", extra={"order": order.code, "mail": name})
            return
        letter = write_about(order, topic, settings, template=name, words=words)
    post(topic, letter, now=now, mailer=mailer)


def _words(
    session: Session, order: Order, topic: Topic, *, now: datetime, settings: Settings
) -> Words | None:
    """Return what the letter says beside the common words; None when there is nothing to say."""
    if topic.name == letters.REMINDER:
        return reminding.reminder_words(session, order, now=now, settings=settings)
    if topic.name == letters.EXPIRED:
        return reminding.expired_words(session, order, now=now)
    if topic.name == letters.SEATS_GONE:
        return _choices(session, order, now)
    return _refund_words(session, order, topic)


def _refund_words(session: Session, order: Order, topic: Topic) -> Words | None:
    refund = session.scalar(
        sa.select(Refund).where(Refund.order_id == order.id, Refund.reference_id == topic.about)
    )
    if refund is None:
        raise LookupError(f"order {order.code} has no refund {topic.about}")
    if topic.name == letters.BANK_DETAILS and not refund.needs_bank_details:
        return None
    return {"amount": refund.amount, "way": refund.way.value, "reference": refund.reference_id}


def _choices(session: Session, order: Order, now: datetime) -> Words | None:
    case = cases.find_open(session, order.id, CaseKind.SEATS_GONE)
    if case is None:
        return None
    return {
        "amount": refunds.money_of(order).paid,
        "deadline": case.deadline_at,
        "alternatives": list_alternatives(order, now),
    }

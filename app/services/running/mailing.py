"""Mailing: one letter about an order, sent once, and what became of it."""

import logging
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.integrations.mail_templates import compose
from app.integrations.mailer import Attachment, Letter, Mailer, MailRefused
from app.models import Mail, Order
from app.services.running.transaction import transaction, use_case

log = logging.getLogger(__name__)

Words = dict[str, object]


@dataclass(frozen=True)
class Topic:
    """Which letter about which order; `about` is what of the order it is about, if not all of it.

    There is one letter for each topic, however often it is asked for.
    """

    order_id: int
    order_code: str
    name: str
    about: str = ""

    def message_id(self, settings: Settings) -> str:
        """Return its one Message-ID: a repeat after a crash can be told from a second letter."""
        local = ".".join(part for part in (self.order_code, self.name, self.about) if part)
        return f"<{local}@{urlsplit(settings.public_url).hostname}>"


def was_posted(session: Session, topic: Topic) -> bool:
    """Tell whether this letter was taken by the mail server, or refused for good."""
    same = sa.select(Mail.id).where(
        Mail.order_id == topic.order_id, Mail.name == topic.name, Mail.about == topic.about
    )
    return session.scalar(same.limit(1)) is not None


def common_words(order: Order, settings: Settings) -> Words:
    """Return what every letter's template may name of an order and its event."""
    event = settings.event
    return {
        "event_name": event.name,
        "starts_at": event.starts_at,
        "timezone": event.timezone,
        "venue": event.venue,
        "map_url": event.map_url,
        "accent": event.accent,
        "action": event.action,
        "contact_email": event.contact_email,
        "buyer_name": order.user.full_name,
        "order_code": order.code,
        "order_url": f"{settings.public_url}/orders/{order.token}",
        "total": order.total,
    }


def write_about(
    order: Order,
    topic: Topic,
    settings: Settings,
    *,
    template: str,
    words: Words,
    attachments: tuple[Attachment, ...] = (),
) -> Letter:
    """Return a letter to an order's buyer, in the order's language, from the mail `template`.

    `words` is what the template needs beside the common words.
    """
    subject, text, html = compose(template, order.locale, **common_words(order, settings), **words)
    return Letter(
        to=order.user.email,
        subject=subject,
        text=text,
        html=html,
        message_id=topic.message_id(settings),
        locale=order.locale,
        attachments=attachments,
        reply_to=settings.event.contact_email,
    )


def post(topic: Topic, letter: Letter, *, now: datetime, mailer: Mailer) -> None:
    """Send a letter and record it.

    Raises MailDelayed: the job tries again. A refusal for good is recorded and logged.
    """
    refused: str | None = None
    try:
        mailer.send(letter)
    except MailRefused as error:
        refused = str(error)
        facts = {"order": topic.order_code, "mail": topic.name, "why": refused}
        log.error("mail refused", extra=facts)
    _record(topic, letter, refused, now)
    log.info(
        "mail sent" if refused is None else "mail recorded as refused",
        extra={
            "order": topic.order_code,
            "mail": topic.name,
            "attachments": len(letter.attachments),
        },
    )


@use_case
def _record(topic: Topic, letter: Letter, refused: str | None, now: datetime) -> None:
    with transaction() as session:
        session.add(
            Mail(
                order_id=topic.order_id,
                name=topic.name,
                about=topic.about,
                recipient=letter.to,
                subject=letter.subject[:255],
                message_id=letter.message_id,
                attachments=[f"{a.filename} ({len(a.data)} bytes)" for a in letter.attachments],
                refused_because=refused,
                sent_at=now,
            )
        )

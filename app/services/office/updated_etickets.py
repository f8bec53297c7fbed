"""Updated e-tickets: the mail after staff changed an order, or sent its e-tickets once more."""

import enum
from datetime import datetime

from sqlalchemy.orm import Session

from app.config import Settings
from app.integrations.mail_templates import compose
from app.integrations.mailer import Letter
from app.models import MailRequest, Order
from app.services.running import jobs
from app.services.running.mailing import Topic, common_words
from app.services.selling.delivery import attachments_of

SEND_UPDATED = "send_updated_etickets"
TEMPLATE = "etickets_updated"


class Update(enum.Enum):
    """What the mail tells: nothing new, other names on them, or other codes too."""

    RESENT = "resent"
    NAMES = "names"
    CODES = "codes"


def enqueue(session: Session, order: Order, update: Update, *, now: datetime) -> None:
    """Have an order's e-tickets mailed after the caller's commit; takes no wish of the buyer's."""
    about = f"{now:%Y%m%dT%H%M%S%f}-{update.value}"
    session.add(MailRequest(order_id=order.id, about=about, is_counted=False, asked_at=now))
    payload = {"order_id": order.id, "about": about}
    jobs.enqueue(session, SEND_UPDATED, payload, now=now, due_at=now)


def write_letter(order: Order, topic: Topic, pdf: bytes, settings: Settings) -> Letter:
    """Return the letter; the end of its topic's `about` says what is new.

    It is sent as a repeat of the confirmation, which is what the buyer's page looks for.
    """
    subject, text, html = compose(
        TEMPLATE,
        order.locale,
        **common_words(order, settings),
        seats=[(seat.attendee, seat.ticket.type, seat.code) for seat in order.e_tickets],
        update=topic.about.rpartition("-")[2],
    )
    return Letter(
        to=order.user.email,
        subject=subject,
        text=text,
        html=html,
        message_id=topic.message_id(settings),
        locale=order.locale,
        attachments=attachments_of(order, pdf, settings),
        reply_to=settings.event.contact_email,
    )

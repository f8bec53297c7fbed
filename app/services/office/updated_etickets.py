"""Updated e-tickets: the mail after staff changed an order, or sent its e-tickets once more."""

import enum
from datetime import datetime

from sqlalchemy.orm import Session

from app.config import Settings
from app.integrations.mailer import Letter
from app.models import MailRequest, Order
from app.services.running import jobs
from app.services.running.mailing import Topic, write_about
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
    seats = [(seat.attendee, seat.ticket.type, seat.code) for seat in order.e_tickets]
    return write_about(
        order,
        topic,
        settings,
        template=TEMPLATE,
        words={"seats": seats, "update": topic.about.rpartition("-")[2]},
        attachments=attachments_of(order, pdf, settings),
    )

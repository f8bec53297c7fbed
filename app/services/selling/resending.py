"""Resending: the mail with the e-tickets once more, for who cannot find it; a few times a day."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import ResentEnough
from app.extensions import db
from app.integrations.mail_templates import compose
from app.integrations.mailer import Attachment, Letter, Mailer
from app.integrations.pdf import TicketRenderer
from app.models import Job, JobStatus, Mail, Order
from app.services.running import jobs
from app.services.running.mailing import Topic, common_words, post, was_posted
from app.services.running.transaction import reading, transaction, use_case
from app.services.selling.delivery import CONFIRMATION, render_tickets

RESEND = "resend_etickets"
AGAIN = "etickets_again"
MOST = 3
WITHIN = timedelta(days=1)
PAUSE = timedelta(minutes=5)


@dataclass(frozen=True)
class TicketMail:
    """What became of the mail with an order's e-tickets.

    `latest` is the one last sent or refused, `is_coming` tells that one is on its way. `left` is
    how often it may still be sent again today, and `again_at` from when on.
    """

    latest: Mail | None
    is_coming: bool
    left: int
    again_at: datetime | None

    @property
    def was_repeated(self) -> bool:
        return self.latest is not None and self.latest.name == AGAIN


def look_at_mail(order_id: int, now: datetime) -> TicketMail:
    """Return what is known of the mail with a paid order's e-tickets."""
    session = db.session()
    mine = sa.select(Mail).where(Mail.order_id == order_id, Mail.name.in_((CONFIRMATION, AGAIN)))
    latest = session.scalars(mine.order_by(Mail.id.desc()).limit(1)).first()
    asked = _asked(session, order_id, now)
    return TicketMail(
        latest=latest,
        is_coming=latest is None or any(job.status is JobStatus.OPEN for job in asked),
        left=MOST - len(asked),
        again_at=_again_at(asked, now),
    )


@use_case
def resend_etickets(order_id: int, *, now: datetime) -> None:
    """Have a paid order's e-tickets mailed once more; nothing for an order that is not paid.

    At most MOST times within WITHIN, with a PAUSE between. The row lock on the order lets only one
    tab or process count at a time. Raises ResentEnough, Busy.
    """
    with transaction() as session:
        order = session.get_one(Order, order_id, with_for_update=True, populate_existing=True)
        if not order.is_paid:
            return
        again_at = _again_at(_asked(session, order_id, now), now)
        if again_at is not None:
            raise ResentEnough(retry_after=int((again_at - now).total_seconds()) + 1)
        payload = {"order_id": order_id, "about": f"{now:%Y%m%dT%H%M%S}"}
        jobs.enqueue(session, RESEND, payload, now=now, due_at=now)


def deliver_again(
    order_id: int,
    about: str,
    *,
    now: datetime,
    renderer: TicketRenderer,
    mailer: Mailer,
    settings: Settings,
) -> None:
    """Mail the e-tickets once more, saying so; nothing when the order is not paid any more.

    `about` names this one time. Raises TicketRenderingFailed and MailDelayed: the job tries again.
    """
    with reading() as session:
        order = session.get_one(Order, order_id)
        topic = Topic(order.id, order.code, AGAIN, about)
        if was_posted(session, topic) or not order.is_paid:
            return
        pdf = render_tickets(order, renderer=renderer, event=settings.event)
        letter = _letter(order, topic, pdf, settings)
    post(topic, letter, now=now, mailer=mailer)


def _asked(session: Session, order_id: int, now: datetime) -> list[Job]:
    """Return the jobs of today's wishes, oldest first; `due_at`, never before them, is indexed."""
    since = now - WITHIN
    query = sa.select(Job).where(
        Job.status.in_(JobStatus),
        Job.due_at > since,
        Job.created_at > since,
        Job.kind == RESEND,
        Job.payload["order_id"].as_integer() == order_id,
    )
    return list(session.scalars(query.order_by(Job.id)))


def _again_at(asked: list[Job], now: datetime) -> datetime | None:
    """Return when the mail may be sent again; None at once."""
    if not asked:
        return None
    again_at = asked[-1].created_at + PAUSE
    if len(asked) >= MOST:
        again_at = max(again_at, asked[-MOST].created_at + WITHIN)
    return again_at if again_at > now else None


def _letter(order: Order, topic: Topic, pdf: bytes, settings: Settings) -> Letter:
    subject, text, html = compose(
        AGAIN,
        order.locale,
        **common_words(order, settings),
        seats=[(e_ticket.attendee, e_ticket.code) for e_ticket in order.e_tickets],
    )
    return Letter(
        to=order.user.email,
        subject=subject,
        text=text,
        html=html,
        message_id=topic.message_id(settings),
        locale=order.locale,
        attachments=(Attachment(f"e-tickets-{order.code}.pdf", "application/pdf", pdf),),
        reply_to=settings.event.contact_email,
    )

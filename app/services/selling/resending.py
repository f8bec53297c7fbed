"""Resending: the mail with the e-tickets once more, for who cannot find it; a few times a day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Settings
from app.errors import ResentEnough
from app.extensions import db
from app.integrations.mailer import Letter, Mailer
from app.integrations.pdf import TicketRenderer
from app.models import Mail, MailRequest, Order
from app.services.running import jobs
from app.services.running.mailing import Topic, post, was_posted, write_about
from app.services.running.transaction import reading, transaction, use_case
from app.services.selling.delivery import CONFIRMATION, attachments_of, describe

RESEND = "resend_etickets"
AGAIN = "etickets_again"
MOST = 3
WITHIN = timedelta(days=1)
PAUSE = timedelta(minutes=5)

WriteLetter = Callable[[Order, Topic, bytes, Settings], Letter]


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
    all_wishes = _wishes(session, order_id)
    wishes = _counted(all_wishes, now)
    newest = all_wishes[-1].about if all_wishes else None
    return TicketMail(
        latest=latest,
        is_coming=latest is None
        or (newest is not None and not _is_answered(session, order_id, newest)),
        left=MOST - len(wishes),
        again_at=_again_at(wishes, now),
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
        again_at = _again_at(_counted(_wishes(session, order_id), now), now)
        if again_at is not None:
            raise ResentEnough(retry_after=int((again_at - now).total_seconds()) + 1)
        _enqueue(session, order_id, now=now, is_counted=True)


@use_case
def send_new_codes(order_ids: list[int], *, now: datetime) -> None:
    """Have the e-tickets of these orders mailed again, for codes that are new; asks no limit."""
    with transaction() as session:
        for order_id in order_ids:
            _enqueue(session, order_id, now=now, is_counted=False)


def deliver_again(
    order_id: int,
    about: str,
    *,
    now: datetime,
    renderer: TicketRenderer,
    mailer: Mailer,
    settings: Settings,
    write: WriteLetter | None = None,
) -> None:
    """Mail the e-tickets as they are now, once; nothing when the order is not paid any more.

    `about` names this one time; `write` writes another letter than that they come again. Raises
    TicketRenderingFailed and MailDelayed: the job tries again.
    """
    with reading() as session:
        order = session.get_one(Order, order_id)
        topic = Topic(order.id, order.code, AGAIN, about)
        if was_posted(session, topic) or not order.is_paid:
            return
        document = describe(order, settings.event)
    pdf = renderer.render(document)
    with reading() as session:
        order = session.get_one(Order, order_id)
        letter = (write or _letter)(order, topic, pdf, settings)
    post(topic, letter, now=now, mailer=mailer)


def _enqueue(session: Session, order_id: int, *, now: datetime, is_counted: bool) -> None:
    about = f"{now:%Y%m%dT%H%M%S}" + ("" if is_counted else "-new")
    session.add(MailRequest(order_id=order_id, about=about, is_counted=is_counted, asked_at=now))
    payload = {"order_id": order_id, "about": about}
    jobs.enqueue(session, RESEND, payload, now=now, due_at=now)


def _wishes(session: Session, order_id: int) -> list[MailRequest]:
    mine = sa.select(MailRequest).where(MailRequest.order_id == order_id)
    return list(session.scalars(mine.order_by(MailRequest.id)))


def _counted(wishes: list[MailRequest], now: datetime) -> list[MailRequest]:
    """Return those of today that count, the oldest first."""
    return [wish for wish in wishes if wish.is_counted and wish.asked_at > now - WITHIN]


def _is_answered(session: Session, order_id: int, about: str) -> bool:
    mine = sa.select(Mail.id).where(Mail.order_id == order_id, Mail.about == about)
    return session.scalar(mine.limit(1)) is not None


def _again_at(wishes: list[MailRequest], now: datetime) -> datetime | None:
    """Return when the mail may be sent again; None at once."""
    if not wishes:
        return None
    again_at = wishes[-1].asked_at + PAUSE
    if len(wishes) >= MOST:
        again_at = max(again_at, wishes[-MOST].asked_at + WITHIN)
    return again_at if again_at > now else None


def _letter(order: Order, topic: Topic, pdf: bytes, settings: Settings) -> Letter:
    seats = [(e_ticket.attendee, e_ticket.code) for e_ticket in order.e_tickets]
    attachments = attachments_of(order, pdf, settings)
    return write_about(
        order, topic, settings, template=AGAIN, words={"seats": seats}, attachments=attachments
    )

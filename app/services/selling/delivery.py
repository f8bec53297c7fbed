"""Delivery: the e-tickets as PDF, and the mail that carries them."""

import logging
from datetime import datetime

import sqlalchemy as sa

from app.config import Event, Settings
from app.extensions import db
from app.integrations.mail_templates import compose
from app.integrations.mailer import Attachment, Letter, Mailer
from app.integrations.pdf import Seat, TicketDocument, TicketRenderer, TicketRenderingFailed
from app.models import Mail, Order
from app.services.running.mailing import Topic, common_words, post, was_posted
from app.services.running.transaction import reading

log = logging.getLogger(__name__)

CONFIRMATION = "etickets"


def render_tickets(order: Order, *, renderer: TicketRenderer, event: Event) -> bytes:
    """Return the PDF of a paid order's e-tickets, a page a seat. Raises TicketRenderingFailed."""
    return renderer.render(_document(order, event))


def deliver_etickets(
    order_id: int, *, now: datetime, renderer: TicketRenderer, mailer: Mailer, settings: Settings
) -> None:
    """Mail a paid order's e-tickets, once; without the PDF but with the link if it cannot be made.

    The Message-ID is the order's own, so that a repeat after a crash can be told from a second
    mail. Raises MailDelayed: the job tries again. A refusal for good is recorded and logged.
    """
    with reading() as session:
        order = session.get_one(Order, order_id)
        topic = Topic(order.id, order.code, CONFIRMATION)
        if was_posted(session, topic):
            return
        document = _document(order, settings.event)
        context = common_words(order, settings)
        recipient = order.user.email
    pdf = _render(document, renderer)
    letter = _letter(topic, document, context, pdf, recipient, settings)
    post(topic, letter, now=now, mailer=mailer)


def find_confirmation(order_id: int) -> Mail | None:
    """Return the mail with a paid order's e-tickets once it was sent, or refused for good."""
    mine = sa.select(Mail).where(Mail.order_id == order_id, Mail.name == CONFIRMATION)
    return db.session().scalars(mine.limit(1)).first()


def _document(order: Order, event: Event) -> TicketDocument:
    return TicketDocument(
        order_code=order.code,
        locale=order.locale,
        event_name=event.name,
        starts_at=event.starts_at,
        timezone=event.timezone,
        venue=event.venue,
        contact_email=event.contact_email,
        seats=tuple(
            Seat(
                attendee=e_ticket.attendee,
                ticket_type=e_ticket.ticket.type,
                code=e_ticket.code,
                qr_text=e_ticket.qr_text,
                number=e_ticket.number,
            )
            for e_ticket in order.e_tickets
        ),
    )


def _render(document: TicketDocument, renderer: TicketRenderer) -> bytes | None:
    try:
        return renderer.render(document)
    except TicketRenderingFailed:
        log.exception("no PDF: the mail goes with the link", extra={"order": document.order_code})
        return None


def _letter(
    topic: Topic,
    document: TicketDocument,
    context: dict[str, object],
    pdf: bytes | None,
    recipient: str,
    settings: Settings,
) -> Letter:
    subject, text, html = compose(
        CONFIRMATION,
        document.locale,
        **context,
        seats=document.seats,
        attached=pdf is not None,
    )
    name = f"e-tickets-{document.order_code}.pdf"
    return Letter(
        to=recipient,
        subject=subject,
        text=text,
        html=html,
        message_id=topic.message_id(settings),
        locale=document.locale,
        attachments=(Attachment(name, "application/pdf", pdf),) if pdf else (),
        reply_to=settings.event.contact_email,
    )

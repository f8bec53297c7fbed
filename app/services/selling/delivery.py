"""Delivery: the e-tickets as PDF, and the mail that carries them."""

import logging
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.config import Event, Settings
from app.integrations.mail_templates import compose
from app.integrations.mailer import Attachment, Letter, Mailer, MailRefused
from app.integrations.pdf import Seat, TicketDocument, TicketRenderer, TicketRenderingFailed
from app.models import Mail, Order
from app.services.running.transaction import reading, transaction, use_case

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
        if _was_handled(session, order_id):
            return
        order = session.get_one(Order, order_id)
        document = _document(order, settings.event)
        context = _context(order, settings)
        recipient = order.user.email
    pdf = _render(document, renderer)
    letter = _letter(document, context, pdf, recipient, settings)
    refused: str | None = None
    try:
        mailer.send(letter)
    except MailRefused as error:
        refused = str(error)
        log.error("mail refused", extra={"order": document.order_code, "why": refused})
    _record(order_id, letter, refused, now)
    log.info(
        "mail sent" if refused is None else "mail recorded as refused",
        extra={"order": document.order_code, "attachments": len(letter.attachments)},
    )


def list_mails(order_id: int) -> list[Mail]:
    """Return what was sent for an order, oldest first."""
    with reading() as session:
        query = sa.select(Mail).where(Mail.order_id == order_id).order_by(Mail.id)
        mails = list(session.scalars(query))
        session.expunge_all()
        return mails


def _was_handled(session: Session, order_id: int) -> bool:
    handled = sa.select(Mail.id).where(Mail.order_id == order_id, Mail.name == CONFIRMATION)
    return session.scalar(handled.limit(1)) is not None


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


def _context(order: Order, settings: Settings) -> dict[str, object]:
    event = settings.event
    return {
        "event_name": event.name,
        "starts_at": event.starts_at,
        "timezone": event.timezone,
        "venue": event.venue,
        "contact_email": event.contact_email,
        "buyer_name": order.user.full_name,
        "order_code": order.code,
        "order_url": f"{settings.public_url}/orders/{order.token}",
        "total": order.total,
    }


def _render(document: TicketDocument, renderer: TicketRenderer) -> bytes | None:
    try:
        return renderer.render(document)
    except TicketRenderingFailed:
        log.exception("no PDF: the mail goes with the link", extra={"order": document.order_code})
        return None


def _letter(
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
    host = urlsplit(settings.public_url).hostname
    return Letter(
        to=recipient,
        subject=subject,
        text=text,
        html=html,
        message_id=f"<{document.order_code}.{CONFIRMATION}@{host}>",
        locale=document.locale,
        attachments=(Attachment(name, "application/pdf", pdf),) if pdf else (),
        reply_to=settings.event.contact_email,
    )


@use_case
def _record(order_id: int, letter: Letter, refused: str | None, now: datetime) -> None:
    with transaction() as session:
        session.add(
            Mail(
                order_id=order_id,
                name=CONFIRMATION,
                recipient=letter.to,
                subject=letter.subject[:255],
                message_id=letter.message_id,
                attachments=[f"{a.filename} ({len(a.data)} bytes)" for a in letter.attachments],
                refused_because=refused,
                sent_at=now,
            )
        )

"""Delivery: the e-tickets as PDF, and the mail that carries them."""

import logging
from datetime import datetime

from sqlalchemy.orm import joinedload, selectinload

from app.config import Event, Settings
from app.integrations.calendar import event_calendar
from app.integrations.mailer import Attachment, Letter, Mailer
from app.integrations.pdf import Seat, TicketDocument, TicketRenderer, TicketRenderingFailed
from app.models import ETicket, Order, OrderItem, Voucher
from app.services.running.mailing import Topic, post, was_posted, write_about
from app.services.running.transaction import reading

log = logging.getLogger(__name__)

CONFIRMATION = "etickets"
CALENDAR_NAME = "event.ics"
ALL_A_MAIL_SAYS = (
    joinedload(Order.user),
    selectinload(Order.e_tickets).joinedload(ETicket.ticket),
    selectinload(Order.items).joinedload(OrderItem.voucher).lazyload(Voucher.use),
)


def render_tickets(order: Order, *, renderer: TicketRenderer, event: Event) -> bytes:
    """Return the PDF of a paid order's e-tickets, a page a seat. Raises TicketRenderingFailed."""
    return renderer.render(describe(order, event))


def deliver_etickets(
    order_id: int, *, now: datetime, renderer: TicketRenderer, mailer: Mailer, settings: Settings
) -> None:
    """Mail a paid order's e-tickets, once; without the PDF but with the link if it cannot be made.

    Nothing is sent for an order that staff cancelled meanwhile: its e-tickets open no door.

    The Message-ID is the order's own, so that a repeat after a crash can be told from a second
    mail. Raises MailDelayed: the job tries again. A refusal for good is recorded and logged.
    """
    with reading() as session:
        order = session.get_one(Order, order_id, options=ALL_A_MAIL_SAYS)
        topic = Topic(order.id, order.code, CONFIRMATION)
        if was_posted(session, topic) or not order.is_paid:
            return
        session.expunge_all()  # to be read on without the database
    pdf = _render(describe(order, settings.event), renderer)
    letter = write_confirmation(order, topic, pdf, settings)
    post(topic, letter, now=now, mailer=mailer)


def write_confirmation(order: Order, topic: Topic, pdf: bytes | None, settings: Settings) -> Letter:
    """Return the confirmation of a paid order, with its PDF (if any) and the calendar file."""
    return write_about(
        order,
        topic,
        settings,
        template=topic.name,
        words={
            "seats": _seats(order),
            "attached": pdf is not None,
            "voucher": order.used_voucher,
        },
        attachments=attachments_of(order, pdf, settings),
    )


def attachments_of(order: Order, pdf: bytes | None, settings: Settings) -> tuple[Attachment, ...]:
    """Return the e-tickets, if they could be drawn, and the event for the buyer's calendar."""
    calendar = event_calendar(settings.event, public_url=settings.public_url)
    event = Attachment(CALENDAR_NAME, "text/calendar; charset=utf-8", calendar)
    if pdf is None:
        return (event,)
    return Attachment(f"e-tickets-{order.code}.pdf", "application/pdf", pdf), event


def describe(order: Order, event: Event) -> TicketDocument:
    """Return what the PDF of an order's e-tickets says."""
    return TicketDocument(
        order_code=order.code,
        locale=order.locale,
        event_name=event.name,
        starts_at=event.starts_at,
        timezone=event.timezone,
        venue=event.venue,
        contact_email=event.contact_email,
        seats=_seats(order),
        accent=event.accent,
    )


def _seats(order: Order) -> tuple[Seat, ...]:
    return tuple(
        Seat(
            attendee=e_ticket.attendee,
            ticket_type=e_ticket.ticket.type,
            code=e_ticket.code,
            qr_text=e_ticket.qr_text,
            number=e_ticket.number,
            lane=e_ticket.lane,
        )
        for e_ticket in order.e_tickets
    )


def _render(document: TicketDocument, renderer: TicketRenderer) -> bytes | None:
    try:
        return renderer.render(document)
    except TicketRenderingFailed:
        log.exception("no PDF: the mail goes with the link", extra={"order": document.order_code})
        return None

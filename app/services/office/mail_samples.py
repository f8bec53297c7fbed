"""Mail samples: every mail about an order that does not exist, to look at before an event."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.config import Settings
from app.integrations.mailer import Letter
from app.integrations.pdf import TicketRenderer
from app.models import (
    ETicket,
    Invitation,
    Order,
    OrderItem,
    OrderStatus,
    Role,
    SaleStatus,
    Ticket,
    User,
)
from app.services.money import letters
from app.services.money.late_money import Alternative
from app.services.office import invitations, message_letter, updated_etickets
from app.services.office.message_letter import Recipient
from app.services.office.messages import MessageText
from app.services.running.mailing import Topic, Words, write_about
from app.services.selling import delivery, resending
from app.services.selling.catalogue import TicketOnSale

LOCALES = ("id", "en")
PRICES = {"Early Bird": 150_000, "Reguler": 200_000}
GUESTS = {"Early Bird": ["Sari Dewi", "Budi Santoso"], "Reguler": ["Nguyễn Thị Ánh Tuyết"]}
SIGNED_BYTES = 76  # what an e-ticket's QR code holds
REFERENCE = "TX7K2M9QPA-R1"


@dataclass(frozen=True)
class Sample:
    """A mail as it would be sent; `name` is unique among those of one language."""

    name: str
    letter: Letter


def sample_mails(
    locale: str, *, now: datetime, renderer: TicketRenderer, settings: Settings
) -> Iterator[Sample]:
    """Yield every mail in a language, about a made-up order; no database is asked.

    Needs an application context. Raises TicketRenderingFailed.
    """
    order = _order(locale, now)
    pdf = delivery.render_tickets(order, renderer=renderer, event=settings.event)
    confirmation = delivery.write_confirmation(
        order, _topic(order, delivery.CONFIRMATION), pdf, settings
    )
    yield Sample(delivery.CONFIRMATION, confirmation)
    for name, topic_name, words in _words(order, now):
        topic = _topic(order, topic_name)
        letter = write_about(order, topic, settings, template=topic_name, words=words)
        if topic_name == resending.AGAIN:
            letter = replace(letter, attachments=confirmation.attachments[:1])
        yield Sample(name, letter)
    for update in updated_etickets.Update:
        topic = Topic(0, order.code, resending.AGAIN, f"sample-{update.value}")
        updated = updated_etickets.write_letter(order, topic, pdf, settings)
        yield Sample(f"{updated_etickets.TEMPLATE}.{update.value}", updated)
    yield Sample(invitations.TEMPLATE, _invitation(locale, now, settings))
    yield Sample(message_letter.TEMPLATE, _message(locale, settings))


def _message(locale: str, settings: Settings) -> Letter:
    text = MessageText(
        subject="Pintu masuk pindah",
        body="Pintu masuk pindah ke sisi timur gedung.\n\nPeta: https://example.com/peta",
        subject_en="The entrance has moved",
        body_en="The entrance is now on the east side.\n\nMap: https://example.com/map",
    )
    sari = Recipient(0, "sari@example.com", "Sari Dewi", locale, "TX7K2M9QPA", "contoh-sample")
    return message_letter.write_letter(0, sari, text, settings)


def _invitation(locale: str, now: datetime, settings: Settings) -> Letter:
    invitation = Invitation(
        id=0,
        email="sari@example.com",
        role=Role.DOOR,
        locale=locale,
        invited_by="admin@example.com",
        expires_at=now + timedelta(days=7),
    )
    return invitations.write_letter(invitation, settings)


def _words(order: Order, now: datetime) -> Iterator[tuple[str, str, Words]]:
    """Yield a sample's name, its template and what the template needs."""
    seats = [(e_ticket.attendee, e_ticket.code) for e_ticket in order.e_tickets]
    money = {"amount": order.total, "reference": REFERENCE}
    choices = {"deadline": now + timedelta(days=3), "alternatives": [_alternative(now)]}
    pay_until = now + timedelta(minutes=10)
    yield resending.AGAIN, resending.AGAIN, {"seats": seats}
    items: Words = {"items": order.items, "voucher": order.used_voucher}
    yield letters.REMINDER, letters.REMINDER, items | {"pay_until": pay_until}
    yield letters.EXPIRED, letters.EXPIRED, items
    yield letters.SEATS_GONE, letters.SEATS_GONE, money | choices
    yield letters.BANK_DETAILS, letters.BANK_DETAILS, money | {"way": "by_hand"}
    for way in ("xendit", "by_hand"):
        yield f"{letters.REFUND_SENT}.{way}", letters.REFUND_SENT, money | {"way": way}


def _topic(order: Order, name: str) -> Topic:
    return Topic(0, order.code, name)


def _order(locale: str, now: datetime) -> Order:
    """Return an order in no session: nothing of it can reach a database."""
    tickets = {name: Ticket(type=name, price=price) for name, price in PRICES.items()}
    seats = [(tickets[name], guest) for name, guests in GUESTS.items() for guest in guests]
    return Order(
        code="TX7K2M9QPA",
        token="contoh-sample",  # noqa: S106 (leads nowhere)
        status=OrderStatus.PAID,
        locale=locale,
        total=sum(ticket.price for ticket, _guest in seats),
        expires_at=now,
        user=User(full_name="Sari Dewi", email="sari@example.com", no_hp="+6281234567890"),
        items=[
            OrderItem(ticket=ticket, quantity=len(GUESTS[name]), price=ticket.price)
            for name, ticket in tickets.items()
        ],
        e_tickets=[_e_ticket(*seat, number) for number, seat in enumerate(seats, start=1)],
    )


def _e_ticket(ticket: Ticket, guest: str, number: int) -> ETicket:
    signed = bytes(number * 7 + step for step in range(SIGNED_BYTES))
    return ETicket(
        ticket=ticket,
        number=number,
        attendee=guest,
        code=f"7K2M-9QP{number + 1}",
        qr_text=base64.b32encode(signed).decode().rstrip("="),
        seat_id=number,
    )


def _alternative(now: datetime) -> Alternative:
    tribune = TicketOnSale(
        id=0,
        type="Tribun",
        description="",
        price=100_000,
        amount=100,
        available=40,
        max_per_order=4,
        valid_from=now,
        valid_until=now,
        status=SaleStatus.ON_SALE,
    )
    return Alternative(tribune, quantity=3, difference=200_000)

"""One made-up order after the other: its buyer, its money, its seats, and who has entered."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import count
from random import Random

from app.models import (
    Callback,
    Mail,
    Order,
    OrderItem,
    OrderStatus,
    Payment,
    PaymentStatus,
    User,
)
from app.models.codes import new_order_token
from app.models.user import join_names
from app.services.office.demo.courses import CHANNELS, Channel, Course, Fate
from app.services.office.demo.people import People, Person
from app.services.office.demo.rows import REQUEST_ID, Numbers, Rows
from app.services.office.demo.sale import KINDS, Moment
from app.services.selling.delivery import CONFIRMATION
from app.services.selling.signing_keys import Signer

QUANTITIES, QUANTITY_WEIGHTS = (1, 2, 3, 4, 5), (55, 30, 8, 5, 2)


@dataclass(frozen=True)
class Stage:
    """What all orders share: the clock, how long seats are held, tickets, and who signs."""

    now: datetime
    hold: timedelta
    zone: tzinfo
    ticket_ids: Sequence[int]  # as in KINDS
    signer: Signer
    host: str  # of the shop, for Message-IDs and invoice addresses


@dataclass(frozen=True)
class Tale:
    """An order that is being told: what every one of its rows may need."""

    id: int
    code: str
    payment_id: int
    invoice_id: str
    person: Person
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None  # when its money came, if any did
    ticket_id: int
    guests: tuple[str, ...]
    price: int
    channel: Channel

    @property
    def total(self) -> int:
        return self.price * len(self.guests)


class Teller:
    """Adds the rows of orders to `rows`; the same `rng` tells the same orders."""

    def __init__(self, rng: Random, stage: Stage, numbers: Numbers) -> None:
        self.rng, self.stage, self.numbers = rng, stage, numbers
        self.rows = Rows()
        self.last_order = 0
        self.confirmations = count()  # of those that were mailed
        self.has_forgotten = False  # whether Xendit forgot to settle one
        self._people = People(rng)

    def take_rows(self) -> Rows:
        """Return what was added since the last time, to be written."""
        rows, self.rows = self.rows, Rows()
        return rows

    def begin(self, moment: Moment, fate: Fate) -> Tale:
        """Choose who orders what at this moment."""
        rng, kind = self.rng, KINDS[moment.kind]
        person = self._people.buyer()
        wanted = rng.choices(QUANTITIES, QUANTITY_WEIGHTS)[0]
        others = (self._people.name() for _ in range(min(wanted, kind.max_per_order) - 1))
        self.last_order = self.numbers.id(Order)
        channel = rng.choices(CHANNELS, [channel.share for channel in CHANNELS])[0]
        return Tale(
            id=self.last_order,
            code=self.numbers.order_code(),
            payment_id=self.numbers.id(Payment),
            invoice_id=self.new_id(),
            person=person,
            created_at=moment.at,
            expires_at=moment.at + self.stage.hold,
            paid_at=self._paid_at(moment, fate.course),
            ticket_id=self.stage.ticket_ids[moment.kind],
            guests=(person.full_name, *others),
            price=kind.price,
            channel=channel,
        )

    def new_id(self) -> str:
        """Return an id as Xendit's are."""
        return f"{self.rng.getrandbits(96):024x}"

    def _paid_at(self, moment: Moment, course: Course) -> datetime | None:
        if course in (Course.OPEN, Course.EXPIRED, Course.GIVEN_UP):
            return None
        if not KINDS[moment.kind].price:
            return moment.at
        if course is Course.TOO_LATE:  # a QR code outlives its invoice
            return moment.at + self.stage.hold + timedelta(minutes=self.rng.uniform(1, 120))
        seconds = min(self.rng.lognormvariate(5.3, 0.8), self.stage.hold.total_seconds() * 0.9)
        return moment.at + timedelta(seconds=seconds)

    def order(
        self,
        tale: Tale,
        status: OrderStatus,
        *,
        was_paid: bool = False,
        cancelled_at: datetime | None = None,
    ) -> None:
        """Add the buyer, the order and its one line, and what it takes of the stock.

        `cancelled_at` is when the buyer gave up an order that was not paid.
        """
        person, user_id = tale.person, self.numbers.id(User)
        self.rows.add(
            User,
            id=user_id,
            full_name=person.full_name,
            email=person.email,
            no_hp=person.no_hp,
            names=join_names(person.full_name, tale.guests),
            created_at=tale.created_at,
        )
        self.rows.add(
            Order,
            id=tale.id,
            code=tale.code,
            token=new_order_token(),
            user_id=user_id,
            status=status,
            total=tale.total,
            locale=person.locale,
            request_id=REQUEST_ID,
            created_at=tale.created_at,
            expires_at=tale.expires_at,
            cancel_requested_at=cancelled_at,
            paid_at=tale.paid_at if was_paid else None,
        )
        self.rows.add(
            OrderItem,
            order_id=tale.id,
            ticket_id=tale.ticket_id,
            quantity=len(tale.guests),
            price=tale.price,
            attendees=list(tale.guests),
        )
        if status is OrderStatus.PENDING:
            self.rows.held[tale.ticket_id] += len(tale.guests)
        if status is OrderStatus.PAID:
            self.rows.sold[tale.ticket_id] += len(tale.guests)

    def payment(self, tale: Tale, status: PaymentStatus, *, paid: int | None = None) -> None:
        """Add the payment; `paid` is what came in where it is not what was asked."""
        has_invoice = tale.total > 0 and (status is not PaymentStatus.PENDING or paid is not None)
        is_paid = status is PaymentStatus.PAID
        has_money = is_paid and tale.total > 0
        self.rows.add(
            Payment,
            id=tale.payment_id,
            order_id=tale.id,
            status=status,
            amount=tale.total,
            external_id=tale.code,
            invoice_id=tale.invoice_id if has_invoice else None,
            invoice_url=f"https://{self.stage.host}/{tale.invoice_id}" if has_invoice else None,
            invoice_expires_at=tale.expires_at if has_invoice else None,
            create_attempts=int(has_invoice),
            paid_at=tale.paid_at if is_paid else None,
            paid_amount=(tale.total if paid is None else paid) if is_paid else None,
            method=tale.channel.method if has_money else None,
            channel=tale.channel.name if has_money else None,
            xendit_payment_id=f"demo-{tale.invoice_id}" if has_money else None,
            read_at=tale.paid_at or tale.expires_at if has_invoice else None,
        )

    def callback(self, tale: Tale, status: str, received_at: datetime, paid: int) -> None:
        """Add what Xendit told us; one of twenty times it told us again."""
        body = {
            "id": tale.invoice_id,
            "external_id": tale.code,
            "status": status,
            "amount": tale.total,
            "currency": "IDR",
            "description": f"{len(tale.guests)} tiket",
            "created": tale.created_at.isoformat(),
            "updated": received_at.isoformat(),
        }
        if status == "PAID":
            body |= {"paid_amount": paid, "paid_at": received_at.isoformat()}
            body |= {"payment_method": tale.channel.method, "payment_channel": tale.channel.name}
        self.rows.add(
            Callback,
            payment_id=tale.payment_id,
            invoice_id=tale.invoice_id,
            status=status,
            xendit_payment_id=f"demo-{tale.invoice_id}" if status == "PAID" else "",
            body=json.dumps(body),
            deliveries=1 if self.rng.random() < 0.95 else 2,
            request_id=REQUEST_ID,
            received_at=received_at,
        )

    def mail(
        self, tale: Tale, name: str, sent_at: datetime, *, about: str = "", refused: str = ""
    ) -> None:
        """Add a letter that was sent, or refused for good."""
        files = [f"e-tickets-{tale.code}.pdf (24853 bytes)"] if name == CONFIRMATION else []
        local = ".".join(part for part in (tale.code, name, about) if part)
        self.rows.add(
            Mail,
            order_id=tale.id,
            name=name,
            about=about,
            recipient=tale.person.email,
            subject=f"{tale.code}: {name}",
            message_id=f"<{local}@{self.stage.host}>",
            attachments=files,
            refused_because=refused or None,
            sent_at=sent_at,
        )

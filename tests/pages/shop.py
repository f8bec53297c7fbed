"""A shop of our own for tests of pages: an event, tickets, orders in every state."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from app.config import Settings
from app.extensions import db
from app.models import (
    Mail,
    Order,
    OrderStatus,
    PaymentStatus,
    RefundReason,
    Ticket,
    TicketStock,
)
from app.services.money import cases, refunds
from app.services.selling import eticketing, inventory
from app.services.selling.ordering import (
    Buyer,
    OrderRequest,
    PlacedOrder,
    WantedItem,
    find_order_by_token,
    place_order,
)
from tests.pages.html import Page

CLOSED_PORT = 9  # nothing answers there: Xendit is away
LONG_AGO = timedelta(days=30)


def shop_settings(folder: Path, *, xendit_url: str = f"http://127.0.0.1:{CLOSED_PORT}") -> Settings:
    """Return settings of an invented event with its database in `folder`."""
    return Settings.from_env(
        {
            "DATABASE_URL": f"sqlite:///{folder / 'shop.db'}",
            "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests",
            "PUBLIC_URL": "http://localhost",
            "XENDIT_SECRET_KEY": "xnd_development_local",
            "XENDIT_CALLBACK_TOKEN": "local-callback-token",
            "XENDIT_API_URL": xendit_url,
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_DEFAULT_SENDER": "tiket@tedxsenja.example",
            "EVENT_NAME": "TEDxSenja Jakarta",
            "EVENT_STARTS_AT": "2030-01-26T09:00:00+07:00",
            "EVENT_VENUE": "Gedung Kesenian Senja, Jakarta",
            "EVENT_CONTACT_EMAIL": "halo@tedxsenja.example",
            "RATE_LIMIT_ENABLED": "false",
        }
    )


class Shop:
    """The application with its database, and what a test does behind the pages' back."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    @property
    def client(self) -> FlaskClient:
        """Return a browser without JavaScript, with cookies of its own."""
        return self.app.test_client()

    @contextmanager
    def working(self) -> Iterator[None]:
        with self.app.app_context():
            yield
            db.session.commit()

    def add_ticket(
        self,
        name: str = "Reguler",
        *,
        price: int = 250_000,
        amount: int = 100,
        most: int = 5,
        opens_in: timedelta = -LONG_AGO,
        closes_in: timedelta = LONG_AGO,
    ) -> int:
        """Put a ticket into the catalogue and return its id."""
        now = datetime.now(UTC)
        with self.working():
            ticket = Ticket(
                type=name,
                description=f"Keterangan {name}",
                price=price,
                max_per_order=most,
                valid_from=now + opens_in,
                valid_until=now + closes_in,
                position=1,
                stock=TicketStock(amount=amount),
            )
            db.session.add(ticket)
            db.session.flush()
            return ticket.id

    def change(self, ticket_id: int, **values: object) -> None:
        """Change columns of a ticket, or `amount` of its stock."""
        with self.working():
            ticket = db.session.get_one(Ticket, ticket_id)
            for name, value in values.items():
                setattr(ticket.stock if name in ("amount", "held") else ticket, name, value)

    def order(self, ticket_id: int, *, quantity: int = 2, age: timedelta = timedelta()) -> str:
        """Place an order as long ago as `age` and return its page's token."""
        buyer = Buyer("Sari Dewi", "sari@example.com", "+6281234567890")
        names = ("Sari Dewi", "Budi", "Ayu", "Eka", "Putu")[:quantity]
        request = OrderRequest(buyer, (WantedItem(ticket_id, quantity, names),), "id")
        with self.working():
            now = datetime.now(UTC) - age
            placed: PlacedOrder = place_order(request, now=now, settings=self.settings)
            return placed.token

    @contextmanager
    def changing(self, token: str) -> Iterator[Order]:
        """Give an order to change, for states that take Xendit or staff to reach."""
        with self.working():
            order = find_order_by_token(token)
            assert order is not None
            yield order

    def give_invoice(self, token: str) -> str:
        url = "https://checkout-staging.xendit.co/web/662f"
        with self.changing(token) as order:
            order.payment.invoice_id = "662f"
            order.payment.invoice_url = url
            order.payment.invoice_expires_at = order.expires_at - timedelta(minutes=1)
        return url

    def pay(self, token: str) -> None:
        with self.changing(token) as order:
            now = datetime.now(UTC)
            order.payment.move_to(PaymentStatus.PAID)
            order.payment.paid_amount = order.total
            order.move_to(OrderStatus.PAID)
            order.paid_at = now
            inventory.sell(db.session(), order.quantities)
            eticketing.issue(db.session(), order, now)

    def mail_tickets(self, token: str, *, refused: str | None = None) -> None:
        """Record that the e-tickets were mailed, or that the address refused the mail."""
        with self.changing(token) as order:
            db.session.add(
                Mail(
                    order_id=order.id,
                    name="etickets",
                    recipient=order.user.email,
                    subject="E-tiket",
                    message_id=f"<{order.code}@localhost>",
                    attachments=[],
                    refused_because=refused,
                    sent_at=datetime.now(UTC),
                )
            )

    def end(self, token: str, status: OrderStatus, *, payment: PaymentStatus) -> None:
        """End an order unpaid, or paid too late (`payment` PAID)."""
        with self.changing(token) as order:
            order.move_to(status)
            order.payment.move_to(payment)
            inventory.release(db.session(), order.quantities)

    def come_too_late(self, token: str) -> str:
        """Let an order be paid when its seats are gone; return a refund that needs an account."""
        self.end(token, OrderStatus.EXPIRED, payment=PaymentStatus.PAID)
        with self.changing(token) as order:
            now = datetime.now(UTC)
            cases.open_seats_gone(db.session(), order, now=now)
            money = refunds.Money("662f", order.total, "BCA")
            reason = RefundReason.DIFFERENCE
            refund = refunds.open_refund(db.session(), order, money, 1_000, reason, now=now)
            assert refund is not None
            return refund.reference_id

    def count_orders(self) -> int:
        with self.app.app_context():
            return db.session.query(Order).count()

    def held(self, ticket_id: int) -> int:
        with self.app.app_context():
            return db.session.get_one(TicketStock, ticket_id).held


BUYER = {"full_name": "Sari Dewi", "email": "sari@example.com", "no_hp": "0812 3456 7890"}


def open_form(client: FlaskClient, **quantities: int) -> Page:
    """Open the checkout with these quantities."""
    return Page(client.get("/checkout", query_string={k: str(v) for k, v in quantities.items()}))


def pay_form(client: FlaskClient, **typed: str) -> tuple[Page, dict[str, str]]:
    """Open the checkout, fill it in, press pay; return the answer and what was sent."""
    wanted = {name: value for name, value in typed.items() if name.startswith("t")}
    form = Page(client.get("/checkout", query_string=wanted)).fields
    sent = {**form, **BUYER, **typed, "intent": "pay"}
    return Page(client.post("/checkout", data=sent)), sent

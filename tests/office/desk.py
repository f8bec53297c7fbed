"""Orders to act on: sold and paid without Xendit, in the office's own application."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.gateways import current_settings
from app.integrations.xendit import Invoice, InvoiceStatus
from app.models import AuditEntry, ETicket, Job, Order, Refund, Ticket, TicketStock
from app.services.money import payments
from app.services.office.order_print import OrderFacts, find_facts, fingerprint
from app.services.running.audit import Actor
from app.services.running.invariants import find_violations
from app.services.selling.ordering import Buyer, OrderRequest, WantedItem, place_order

SARI = Buyer("Sari Dewi", "sari@example.com", "+6281234567890")
GUESTS = ("Sari Dewi", "Budi Santoso", "Ayu Lestari", "Eka Putra")
BY = Actor.staff(7, "finance@tedxsenja.example")
WHY = "the buyer asked for it"
A_MONTH = timedelta(days=30)


class Desk:
    """Sells tickets and tells how orders stand; no page is asked."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def now(self) -> datetime:
        return datetime.now(UTC)

    @contextmanager
    def working(self) -> Iterator[None]:
        with self.app.app_context():
            yield
            db.session.commit()

    def add_ticket(self, name: str, *, price: int = 150_000, amount: int = 10) -> int:
        """Put a ticket on sale and return its id."""
        with self.working():
            ticket = Ticket(
                type=name,
                description="",
                price=price,
                max_per_order=10,
                valid_from=self.now() - A_MONTH,
                valid_until=self.now() + A_MONTH,
                position=1,
                stock=TicketStock(amount=amount),
            )
            db.session.add(ticket)
            db.session.flush()
            return ticket.id

    def order(self, ticket_id: int, quantity: int = 2) -> str:
        """Place an order and return its code; nobody has paid it yet."""
        item = WantedItem(ticket_id, quantity, GUESTS[:quantity])
        with self.working():
            request = OrderRequest(SARI, (item,), "en")
            return place_order(request, now=self.now(), settings=current_settings()).code

    def pay(self, code: str, *, amount: int | None = None, channel: str = "QRIS") -> None:
        """Let Xendit say that the order's invoice was paid."""
        with self.working():
            order = db.session.scalars(sa.select(Order).where(Order.code == code)).one()
            order_id, asked = order.id, order.total
            invoice = Invoice(
                id=f"inv{code.lower()}",
                external_id=code,
                status=InvoiceStatus.PAID,
                amount=asked,
                currency="IDR",
                url="",
                expires_at=None,
                paid_amount=asked if amount is None else amount,
                paid_at=self.now(),
                method="QR_CODE",
                channel=channel,
                payment_id=None,
            )
            payments.settle(order_id, invoice, now=self.now())

    def paid_order(self, ticket_id: int, quantity: int = 2, **payment: Any) -> str:
        code = self.order(ticket_id, quantity)
        self.pay(code, **payment)
        return code

    def read(self, code: str, what: Callable[[OrderFacts], Any]) -> Any:
        """Return what a look at an order's facts tells."""
        with self.app.app_context():
            facts = find_facts(code)
            assert facts is not None
            return what(facts)

    def id_of(self, code: str) -> int:
        return int(self.read(code, lambda facts: facts.order.id))

    def seen(self, code: str) -> str:
        """Return the print a page opened now would carry."""
        return str(self.read(code, fingerprint))

    def seats(self, code: str) -> list[tuple[str, str, str]]:
        """Return each seat's name, ticket and code."""
        return list(
            self.read(
                code,
                lambda facts: [(s.attendee, s.ticket.type, s.code) for s in facts.order.e_tickets],
            )
        )

    def refunds(self, code: str) -> list[tuple[str, int]]:
        """Return reason and amount of each refund."""
        return list(
            self.read(code, lambda facts: [(one.reason.value, one.amount) for one in facts.refunds])
        )

    def sold(self, ticket_id: int) -> int:
        with self.app.app_context():
            return db.session.get_one(TicketStock, ticket_id).sold

    def admit(self, code: str, number: int) -> None:
        """Mark a seat as entered, behind the door's back."""
        with self.working():
            mine = sa.select(ETicket).join(ETicket.order).where(Order.code == code)
            seat = db.session.scalars(mine.where(ETicket.number == number)).one()
            seat.admitted_at, seat.admitted_gate, seat.is_inside = self.now(), "A", True

    def fail_refund(self, code: str, **values: Any) -> str:
        """Leave the order's only refund as Xendit's refusal would; return its reference."""
        with self.working():
            refund = db.session.scalars(
                sa.select(Refund).join(Order).where(Order.code == code)
            ).one()
            for name, value in values.items():
                setattr(refund, name, value)
            return refund.reference_id

    def done(self, code: str) -> list[str]:
        """Return the actions the log has of an order."""
        with self.app.app_context():
            mine = sa.select(AuditEntry.action).where(AuditEntry.subject_key == code)
            return list(db.session.scalars(mine.order_by(AuditEntry.id)))

    def jobs(self, kind: str) -> int:
        with self.app.app_context():
            mine = sa.select(sa.func.count(Job.id)).where(Job.kind == kind)
            return db.session.scalar(mine) or 0

    def violations(self) -> list[str]:
        with self.app.app_context():
            return find_violations()

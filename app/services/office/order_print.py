"""The print of an order: what a page showed of it, so that a stale one is told from a fresh one.

It is a short digest for each part, so that whoever is late learns which part has changed.
"""

import enum
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, object_session, selectinload

from app.models import AuditEntry, ETicket, MailRequest, MoneyCase, Order, OrderItem, Refund
from app.services.running.transaction import reading

Kept = TypeVar("Kept", Refund, MoneyCase)

DIGEST = 6  # hexadecimal digits for a part: a guard against mistakes, not against forgers
ALL_OF_IT = (
    joinedload(Order.user),
    joinedload(Order.payment),
    selectinload(Order.items).joinedload(OrderItem.ticket),
    selectinload(Order.e_tickets).joinedload(ETicket.ticket),
)


class Part(enum.Enum):
    """What an order consists of, in the order of its print."""

    STATE = "state"
    PAYMENT = "payment"
    BUYER = "buyer"
    SEATS = "seats"
    NAMES = "names"
    DOOR = "door"
    REFUNDS = "refunds"
    CASES = "cases"
    MAILS = "mails"


@dataclass(frozen=True)
class OrderFacts:
    """An order with all that its moves depend on; refunds and cases by age.

    `wishes` are the ids of what was asked to be mailed again.
    """

    order: Order
    refunds: Sequence[Refund]
    cases: Sequence[MoneyCase]
    wishes: Sequence[int]

    @property
    def standing_seats(self) -> list[ETicket]:
        """Return the e-tickets that were not revoked, by number."""
        return [seat for seat in self.order.e_tickets if seat.revoked_at is None]

    @property
    def movable_seats(self) -> list[ETicket]:
        """Return the e-tickets on which nobody has entered."""
        return [seat for seat in self.standing_seats if seat.admitted_at is None]


def find_facts(code: str) -> OrderFacts | None:
    """Return the facts of the order with this code, with all that its pages name; six statements.

    They are detached: whatever else a page reads, it does not load them anew.
    """
    wanted = sa.select(Order).where(Order.code == code).options(*ALL_OF_IT)
    with reading() as session:
        order = session.scalar(wanted)
        facts = read_facts(order) if order else None
        session.expunge_all()
        return facts


def read_facts(order: Order) -> OrderFacts:
    """Return an order's facts, read in its own session; three statements beside its relations."""
    session = object_session(order)
    if session is None:
        raise ValueError("the order belongs to no session: read it anew")
    return OrderFacts(
        order=order,
        refunds=_all_of(session, Refund, order),
        cases=_all_of(session, MoneyCase, order),
        wishes=session.scalars(
            sa.select(MailRequest.id)
            .where(MailRequest.order_id == order.id)
            .order_by(MailRequest.id)
        ).all(),
    )


def list_latest(code: str, *, limit: int) -> Sequence[AuditEntry]:
    """Return what was last done to an order or its refunds, the newest first; two indexed looks."""
    of_order = (AuditEntry.subject_kind == "order") & (AuditEntry.subject_key == code)
    of_refunds = (AuditEntry.subject_kind == "refund") & AuditEntry.subject_key.startswith(
        f"{code}-", autoescape=True
    )
    mine = sa.select(AuditEntry).where(of_order | of_refunds).order_by(AuditEntry.id.desc())
    with reading() as session:
        found = session.scalars(mine.limit(limit)).all()
        session.expunge_all()
        return found


def fingerprint(order: Order | OrderFacts) -> str:
    """Return the print of an order as it stands: what every form carries as `seen`."""
    facts = order if isinstance(order, OrderFacts) else read_facts(order)
    return ".".join(_digest(part) for part in _parts(facts).values())


def changed_parts(seen: str, facts: OrderFacts) -> list[Part]:
    """Return what is another than when `seen` was taken; everything, when that is no print."""
    digests = seen.split(".")
    if len(digests) != len(Part):
        return list(Part)
    now = _parts(facts)
    return [part for part, was in zip(Part, digests, strict=True) if _digest(now[part]) != was]


def _all_of(session: Session, kind: type[Kept], order: Order) -> Sequence[Kept]:
    mine = sa.select(kind).where(kind.order_id == order.id).order_by(kind.id)
    return session.scalars(mine.execution_options(populate_existing=True)).all()


def _digest(part: object) -> str:
    return hashlib.sha256(json.dumps(part, default=str).encode()).hexdigest()[:DIGEST]


def _parts(facts: OrderFacts) -> dict[Part, object]:
    order, payment, seats = facts.order, facts.order.payment, facts.order.e_tickets
    items = order.items
    return {
        Part.STATE: [order.status.value, order.total, order.cancel_requested_at],
        Part.PAYMENT: [payment.status.value, payment.invoice_id, payment.paid_amount],
        Part.BUYER: [order.user.full_name, order.user.email, order.user.no_hp],
        Part.SEATS: [
            [[item.ticket_id, item.quantity, item.price] for item in items],
            [[seat.number, seat.code, seat.revoked_at] for seat in seats],
        ],
        Part.NAMES: [[item.attendees for item in items], [seat.attendee for seat in seats]],
        Part.DOOR: [[seat.admitted_at, seat.is_inside] for seat in seats],
        Part.REFUNDS: [[one.id, one.status.value, one.way.value] for one in facts.refunds],
        Part.CASES: [[one.id, one.status.value] for one in facts.cases],
        Part.MAILS: list(facts.wishes),
    }

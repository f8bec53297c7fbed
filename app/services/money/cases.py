"""Cases: money that needs a decision. Opened once, kept for ever, loud until somebody decides."""

import logging
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import CaseKind, CaseResolution, CaseStatus, MoneyCase, Order
from app.services.money import letters, refunds
from app.services.running import audit, jobs
from app.services.running.audit import Actor, By, Subject

log = logging.getLogger(__name__)

CLOSE_CASE = "close_case"
SERVE_WAITING = "serve_waiting"
TIME_TO_CHOOSE = timedelta(days=3)
LOUD_WORDS = {
    CaseKind.SEATS_GONE: "money without seats",
    CaseKind.UNDERPAID: "paid too little: a person must look",
    CaseKind.OVERPAID: "paid too much: fulfilled, refund the rest",
    CaseKind.DOUBLE_PAYMENT: "a second paid invoice: refund it",
}


def open_case(
    session: Session,
    order: Order,
    kind: CaseKind,
    invoice_id: str,
    amount: int,
    *,
    now: datetime,
    deadline_at: datetime | None = None,
) -> MoneyCase | None:
    """Open a case in the caller's transaction; None when this one is known already.

    The caller holds the order's lock, so two readings cannot open it twice.
    """
    same = sa.select(MoneyCase.id).where(
        MoneyCase.order_id == order.id,
        MoneyCase.kind == kind,
        MoneyCase.invoice_id == invoice_id,
    )
    if session.scalar(same) is not None:
        return None
    case = MoneyCase(
        order_id=order.id,
        kind=kind,
        invoice_id=invoice_id,
        status=CaseStatus.OPEN,
        amount=amount,
        opened_at=now,
        deadline_at=deadline_at,
    )
    session.add(case)
    session.flush()
    facts = {"order": order.code, "kind": kind.value, "invoice": invoice_id, "amount": amount}
    log.error(LOUD_WORDS[kind], extra=facts)
    return case


def open_seats_gone(session: Session, order: Order, *, now: datetime) -> None:
    """Open the case of money that came too late: the buyer chooses, or gets it back in time."""
    money = refunds.money_of(order)
    deadline_at = now + TIME_TO_CHOOSE
    kind = CaseKind.SEATS_GONE
    case = open_case(
        session, order, kind, money.invoice_id, money.paid, now=now, deadline_at=deadline_at
    )
    if case is None:
        return
    letters.enqueue(session, order.id, letters.SEATS_GONE, now=now)
    jobs.enqueue(session, CLOSE_CASE, {"case_id": case.id}, now=now, due_at=deadline_at)


def resolve(
    case: MoneyCase, resolution: CaseResolution, *, by: By, now: datetime, note: str | None = None
) -> None:
    """Close a case; who did it and how stays with it. The caller holds the order's lock."""
    case.status = CaseStatus.RESOLVED
    case.resolution = resolution
    case.resolved_by = Actor.of(by).name
    case.resolved_at = now
    case.note = note


def enqueue_waiting(session: Session, now: datetime) -> None:
    """Have seats that just came free offered to those who wait for them, if anybody does."""
    waiting = sa.select(MoneyCase.id).where(MoneyCase.status == CaseStatus.WAITING).limit(1)
    if session.scalar(waiting) is not None:
        jobs.enqueue(session, SERVE_WAITING, {}, now=now, due_at=now)


def find_open(session: Session, order_id: int, kind: CaseKind) -> MoneyCase | None:
    """Return the order's case of this kind that still wants a decision."""
    return session.scalar(
        sa.select(MoneyCase).where(
            MoneyCase.order_id == order_id,
            MoneyCase.kind == kind,
            MoneyCase.status != CaseStatus.RESOLVED,
        )
    )


def note_decision(
    session: Session, case: MoneyCase, decision: str, *, by: By, now: datetime
) -> None:
    """Record what a person decided about a case: `accept` or `refund`."""
    audit.record(
        session,
        actor=by,
        action="case.decided",
        subject=Subject("order", case.order.code),
        after={"case": case.kind, "decision": decision},
        now=now,
    )

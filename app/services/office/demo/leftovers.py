"""What a made-up sale leaves behind beside its orders: full houses, compared days, lost jobs."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    CaseKind,
    Job,
    JobStatus,
    MoneyCase,
    Order,
    Payment,
    PaymentStatus,
    ReconciledDay,
    Reconciliation,
    ReconciliationLine,
    Ticket,
    TicketStock,
    Verdict,
)
from app.services.money import letters
from app.services.money.daily_reconciliation import RUN_AT, midnight
from app.services.office.demo.rows import REQUEST_ID
from app.services.office.demo.sale import KINDS
from app.services.office.demo.settling import add_withdrawals
from app.services.office.demo.telling import Stage, Teller
from app.services.running import jobs
from app.services.running.transaction import affected

LOST_JOBS = 3
COLUMNS = (
    "reconciliation_id",
    "verdict",
    "external_id",
    "invoice_id",
    "order_status",
    "payment_status",
    "xendit_status",
    "paid_here",
    "paid_there",
)


def add_leftovers(session: Session, teller: Teller) -> None:
    """Add what only the whole sale can tell: pay-outs, comparisons, jobs that were given up."""
    for ticket_id in teller.stage.ticket_ids:
        _set_amount(session, ticket_id, teller.stage.now)
    add_withdrawals(session, teller)
    _compare_days(session, teller)
    _lose_jobs(session, teller)


def _set_amount(session: Session, ticket_id: int, now: datetime) -> None:
    """Let what has ended be nearly sold out, and of the rest a fifth be left."""
    ticket = session.get_one(Ticket, ticket_id)
    taken = ticket.stock.held + ticket.stock.sold
    wanted = taken + 3 if ticket.valid_until < now else taken * 5 // 4 + 10
    amount = -(-wanted // 10) * 10
    stock = sa.update(TicketStock).where(TicketStock.ticket_id == ticket_id)
    affected(session, stock.values(amount=amount))


def _compare_days(session: Session, teller: Teller) -> None:
    """Add a reconciliation for each day before today, with a line for each of its invoices."""
    runs = [Reconciliation(invoices=0, differences=0, **day) for day in _days(teller.stage)]
    session.add_all(runs)
    session.flush()
    mine = (
        Reconciliation.id.in_([run.id for run in runs]),
        Order.created_at >= Reconciliation.from_at,
        Order.created_at < Reconciliation.until_at,
        Order.id >= teller.numbers.first_order,
    )
    lines = sa.insert(ReconciliationLine)
    for invoices in (_first_invoices(), _second_invoices()):
        session.execute(lines.from_select(COLUMNS, invoices.where(*mine)))
    _add_riddle(session, teller, runs[-1])
    for run in runs:
        _count(session, run)
    today = teller.stage.now.astimezone(teller.stage.zone).date()
    if session.get(ReconciledDay, today) is None:  # else a worker would ask Xendit for all of it
        session.add(ReconciledDay(day=today, scheduled_at=teller.stage.now))


def _add_riddle(session: Session, teller: Teller, run: Reconciliation) -> None:
    """Add an invoice that Xendit has and nobody here knows: somebody has to explain it."""
    line = ReconciliationLine(
        reconciliation_id=run.id,
        verdict=Verdict.NOT_HERE,
        external_id=teller.numbers.order_code(),
        invoice_id=teller.new_id(),
        order_status="",
        payment_status="",
        xendit_status="SETTLED",
        paid_here=0,
        paid_there=KINDS[0].price,
    )
    session.add(line)
    session.flush()


def _days(stage: Stage) -> Iterator[dict[str, datetime]]:
    today = stage.now.astimezone(stage.zone).date()
    for back in range(-min(kind.from_day for kind in KINDS), 0, -1):
        day = today - timedelta(days=back)
        ran_at = datetime.combine(day + timedelta(days=1), RUN_AT, stage.zone)
        until_at = midnight(day + timedelta(days=1), stage.zone)
        yield {"from_at": midnight(day, stage.zone), "until_at": until_at, "ran_at": ran_at}


def _first_invoices() -> sa.Select[*tuple[Any, ...]]:
    """Select the lines of the invoices our payments name."""
    odd = (CaseKind.OVERPAID, CaseKind.UNDERPAID)
    of_order = sa.select(MoneyCase.amount).where(MoneyCase.order_id == Order.id)
    is_odd = sa.exists().where(MoneyCase.order_id == Order.id, MoneyCase.kind.in_(odd))
    is_paid = Payment.status == PaymentStatus.PAID
    came = of_order.where(MoneyCase.kind == CaseKind.UNDERPAID).scalar_subquery()
    too_little = sa.func.coalesce(came, 0)
    has_money = is_paid | (too_little > 0)
    return _select(
        sa.case((is_odd, Verdict.AMOUNT_DIFFERS.value), else_=Verdict.MATCH.value),
        Payment.invoice_id,
        sa.case((has_money, "SETTLED"), else_="EXPIRED"),
        sa.case((is_paid, Payment.paid_amount), else_=0),
        sa.case((is_paid, Payment.paid_amount), else_=too_little),
    ).where(Payment.invoice_id.is_not(None))


def _second_invoices() -> sa.Select[*tuple[Any, ...]]:
    """Select the lines of second invoices that were paid too."""
    second = _select(
        sa.literal(Verdict.TWO_PAID.value),
        MoneyCase.invoice_id,
        sa.literal("SETTLED"),
        sa.literal(0),
        MoneyCase.amount,
    )
    twice = MoneyCase.kind == CaseKind.DOUBLE_PAYMENT
    return second.join(MoneyCase, (MoneyCase.order_id == Order.id) & twice)


def _select(
    verdict: Any, invoice_id: Any, xendit_status: Any, paid_here: Any, paid_there: Any
) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Reconciliation.id,
            verdict,
            Payment.external_id,
            invoice_id,
            Order.status,
            Payment.status,
            xendit_status,
            paid_here,
            paid_there,
        )
        .select_from(Order)
        .join(Payment, Payment.order_id == Order.id)
        .join(Reconciliation, sa.true())
    )


def _count(session: Session, run: Reconciliation) -> None:
    lines = sa.select(sa.func.count()).where(ReconciliationLine.reconciliation_id == run.id)
    run.invoices = session.scalar(lines) or 0
    run.differences = session.scalar(lines.where(ReconciliationLine.verdict != Verdict.MATCH)) or 0


def _lose_jobs(session: Session, teller: Teller) -> None:
    """Add a few letters that no mail server took for three days."""
    now = teller.stage.now
    for back in range(LOST_JOBS):
        payload = {"order_id": teller.last_order - back, "name": letters.EXPIRED, "about": ""}
        made_at = now - jobs.GIVE_UP_AFTER - timedelta(hours=1 + back)
        row = jobs.row(letters.SEND_LETTER, payload, now=made_at, due_at=now, request_id=REQUEST_ID)
        row |= {"status": JobStatus.FAILED, "attempts": jobs.FEWEST_TRIES}
        row |= {"finished_at": now - timedelta(hours=1 + back)}
        session.add(Job(**row, last_error="451 4.3.2 try again later"))

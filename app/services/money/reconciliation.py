"""Reconciliation: Xendit's invoices against our payments and orders, one verdict a line, kept.

Xendit is right about money: what was paid there and is not known here is settled on the way. All
else that differs is for a person, and loud.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.integrations.xendit import Invoice, InvoiceStatus, XenditClient, XenditRefused
from app.models import (
    Order,
    OrderStatus,
    PastInvoice,
    Payment,
    PaymentStatus,
    Reconciliation,
    ReconciliationLine,
    Verdict,
)
from app.services.money.payments import settle
from app.services.running.transaction import reading, transaction, use_case

log = logging.getLogger(__name__)

# An order's code, with a number where its hold was extended; other systems have other references.
OUR_FORM = re.compile(r"TX[0-9A-Z]{8}(-[0-9]+)?")
FINE = frozenset({Verdict.MATCH, Verdict.HEALED})
NOT_FOUND = 404


class Ours(NamedTuple):
    """What we know of one reference: its order and payment; amounts in rupiah.

    `invoice_id` is the invoice of this very reference, `settled_by` the one the payment names now.
    """

    order_id: int
    external_id: str
    order_status: OrderStatus
    payment_status: PaymentStatus
    asked: int
    paid_amount: int | None
    invoice_id: str | None
    settled_by: str | None

    def paid_by(self, invoice_id: str | None) -> int:
        """Return what we say was paid on this invoice, 0 when nothing was."""
        if self.payment_status is not PaymentStatus.PAID or self.settled_by != invoice_id:
            return 0
        return self.asked if self.paid_amount is None else self.paid_amount


class Line(NamedTuple):
    """One invoice and what was found about it; as `ReconciliationLine`, free of any session."""

    verdict: Verdict
    external_id: str
    invoice_id: str
    order_status: str
    payment_status: str
    xendit_status: str
    paid_here: int
    paid_there: int


def reconcile(
    from_at: datetime,
    until_at: datetime,
    *,
    now: datetime,
    gateway: XenditClient,
    progress: Callable[[int], None] = lambda invoices: None,
) -> Reconciliation:
    """Compare the invoices created in [from_at, until_at) with ours, heal, and keep the outcome.

    `progress` is told how many of Xendit's invoices were looked at. Returns the run with its lines,
    detached. Raises XenditError, or what the gateway's meter raises: nothing is kept then, healed
    orders stay healed, and a repeat is a run of its own.
    """
    lines: list[Line] = []
    listed: set[str] = set()
    for page in gateway.list_invoices_between(from_at, until_at):
        listed |= {invoice.id for invoice in page}
        lines += _compare_all(page, gateway, now)
        progress(len(listed))
    for ours in _list_unlisted(from_at, until_at, listed):
        invoice = _find_invoice(gateway, ours)
        if invoice is None:
            lines.append(_found(Verdict.NOT_THERE, ours, None))
        elif invoice.is_created_in(from_at, until_at):  # else it is another stretch's
            listed.add(invoice.id)
            lines += _compare_all([invoice], gateway, now)
    return _keep(Stretch(from_at, until_at, now), len(listed), lines)


def judge(invoice: Invoice, ours: Ours | None, *, was_paid: bool) -> Verdict:
    """Return the verdict on an invoice; `was_paid`: we knew so before it was settled just now."""
    if ours is None:
        return Verdict.NOT_HERE
    if not invoice.is_paid:
        if ours.paid_by(invoice.id):
            return Verdict.NOT_THERE
        return Verdict.MATCH if invoice.amount == ours.asked else Verdict.AMOUNT_DIFFERS
    if ours.payment_status is PaymentStatus.PAID and ours.settled_by != invoice.id:
        return Verdict.TWO_PAID
    if not invoice.received == ours.asked == ours.paid_by(invoice.id):
        return Verdict.AMOUNT_DIFFERS
    return Verdict.MATCH if was_paid else Verdict.HEALED


def _compare_all(
    invoices: Iterable[Invoice], gateway: XenditClient, now: datetime
) -> Iterator[Line]:
    """Yield the lines of a page: one of an invoice of ours, none of another system's."""
    mine = [invoice for invoice in invoices if OUR_FORM.fullmatch(invoice.external_id)]
    known = _find_ours({invoice.external_id for invoice in mine})
    for invoice in mine:
        yield _compare(invoice, known.get(invoice.external_id), gateway, now)


def _compare(invoice: Invoice, ours: Ours | None, gateway: XenditClient, now: datetime) -> Line:
    if ours is None:
        return _found(Verdict.NOT_HERE, None, invoice)
    was_paid = ours.paid_by(invoice.id) > 0
    if was_paid and not invoice.is_paid:
        invoice = gateway.read_invoice(invoice.id)  # it may have been paid since it was listed
    if _needs_settling(invoice, ours):
        settle(ours.order_id, invoice, now=now)
        ours = _find_ours({ours.external_id})[ours.external_id]
    return _found(judge(invoice, ours, was_paid=was_paid), ours, invoice)


def _needs_settling(invoice: Invoice, ours: Ours) -> bool:
    """Tell whether money is not accounted for here, or could still come where none is due."""
    if invoice.is_paid:
        return ours.paid_by(invoice.id) == 0
    is_wanted = ours.order_status is OrderStatus.PENDING and ours.settled_by in (None, invoice.id)
    return invoice.status is InvoiceStatus.PENDING and not is_wanted


def _found(verdict: Verdict, ours: Ours | None, invoice: Invoice | None) -> Line:
    """Make the line, and say at once what is not as it should be: the run may fail later."""
    invoice_id = invoice.id if invoice else ours.invoice_id if ours else None
    line = Line(
        verdict=verdict,
        external_id=invoice.external_id if invoice else ours.external_id if ours else "",
        invoice_id=(invoice_id or "")[:64],
        order_status=ours.order_status.value if ours else "",
        payment_status=ours.payment_status.value if ours else "",
        xendit_status=invoice.status.value if invoice else "",
        paid_here=ours.paid_by(invoice_id) if ours else 0,
        paid_there=invoice.received if invoice else 0,
    )
    _report(line)
    return line


def _report(line: Line) -> None:
    facts = {**line._asdict(), "verdict": line.verdict.value}
    if line.verdict is Verdict.HEALED:
        log.warning("paid there, not here: healed", extra=facts)
    elif line.verdict not in FINE:
        log.error("reconciliation found a difference", extra=facts)


def _find_invoice(gateway: XenditClient, ours: Ours) -> Invoice | None:
    """Read an invoice that no list had; None when Xendit does not know it either."""
    if ours.invoice_id is None:
        return None
    try:
        invoice = gateway.read_invoice(ours.invoice_id)
    except XenditRefused as error:
        if error.status == NOT_FOUND:
            return None
        raise
    same_order = _order_code(invoice.external_id) == _order_code(ours.external_id)
    return invoice if same_order else None


def _order_code(external_id: str) -> str:
    return external_id.partition("-")[0]


def _find_ours(external_ids: set[str]) -> dict[str, Ours]:
    """Return what we know of these references, those from before a hold was extended included."""
    if not external_ids:
        return {}
    with reading() as session:
        found = session.execute(
            sa.union_all(
                _current().where(Payment.external_id.in_(external_ids)),
                _past().where(PastInvoice.external_id.in_(external_ids)),
            )
        )
        return {row.external_id: Ours(*row) for row in found}


def _list_unlisted(from_at: datetime, until_at: datetime, listed: set[str]) -> list[Ours]:
    """Return what Xendit should know of orders placed in [from_at, until_at) and did not list.

    One entry an invoice. Orders without any are left out: free ones, and those that wait for their
    first answer.
    """
    placed = sa.and_(Order.created_at >= from_at, Order.created_at < until_at)
    is_paid = (Payment.status == PaymentStatus.PAID) & (Payment.amount > 0)
    with reading() as session:
        found = session.execute(
            sa.union_all(
                _current().where(placed, Payment.invoice_id.is_not(None) | is_paid),
                _past().where(placed, PastInvoice.invoice_id.is_not(None)),
            )
        )
        every = [Ours(*row) for row in found]
    # A payment settled by an invoice from before its hold was extended has that id twice.
    unlisted = [each for each in every if each.invoice_id not in listed]
    return list({each.invoice_id or each.external_id: each for each in unlisted}.values())


def _current() -> sa.Select[*tuple[Any, ...]]:
    return _select(Payment.external_id, Payment.invoice_id).join(Payment.order)


def _past() -> sa.Select[*tuple[Any, ...]]:
    joined = _select(PastInvoice.external_id, PastInvoice.invoice_id).join(Payment.order)
    return joined.join(PastInvoice, PastInvoice.payment_id == Payment.id)


def _select(
    external_id: Mapped[str], invoice_id: Mapped[str | None]
) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(
        Payment.order_id,
        external_id.label("external_id"),
        Order.status.label("order_status"),
        Payment.status.label("payment_status"),
        Payment.amount,
        Payment.paid_amount,
        invoice_id.label("invoice_id"),
        Payment.invoice_id.label("settled_by"),
    ).select_from(Payment)


class Stretch(NamedTuple):
    """What a run covers, and when it ran."""

    from_at: datetime
    until_at: datetime
    ran_at: datetime


@use_case
def _keep(stretch: Stretch, invoices: int, lines: list[Line]) -> Reconciliation:
    """Keep a run with all its lines in one commit: there are no half runs."""
    with transaction() as session:
        run = Reconciliation(
            **stretch._asdict(),
            invoices=invoices,
            differences=sum(line.verdict not in FINE for line in lines),
            lines=[ReconciliationLine(**line._asdict()) for line in lines],
        )
        session.add(run)
        session.flush()
        for row in (*run.lines, run):
            session.expunge(row)
        return run

"""The exports of payments and of refunds, with what Xendit takes and pays out."""

from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import gettext as _

from app.integrations.spreadsheet import Column, Kind, Row
from app.models import Account, Movement, Refund, Transaction
from app.services.office.export_reading import Batches, Period, Table, booked, count_lines, lines
from app.services.running.transaction import reading

MOMENT, MONEY = Kind.MOMENT, Kind.MONEY


def _payment_columns() -> list[Column]:
    return [
        *booked(),
        Column(_("Invoice")),
        Column(_("Channel")),
        Column(_("Paid at"), MOMENT),
        Column(_("Amount (Rp)"), MONEY, is_summed=True),
        Column(_("Fee (Rp)"), MONEY, is_summed=True),
        Column(_("VAT on the fee (Rp)"), MONEY, is_summed=True),
        Column(_("Withheld (Rp)"), MONEY, is_summed=True),
        Column(_("Net (Rp)"), MONEY, is_summed=True),
        Column(_("Settlement")),
        Column(_("Expected at"), MOMENT),
        Column(_("Settled at"), MOMENT),
    ]


def _payments(period: Period) -> Batches:
    """Yield a row for each paid invoice; what Xendit took and pays out, as far as it is known."""
    for batch in lines(period, Account.RECEIVABLE, Movement.RECEIVED):
        known = _find_transactions([line.key for line in batch])
        yield [
            (
                line.day,
                line.corrects,
                line.order_code,
                line.key,
                line.channel,
                line.happened_at,
                line.amount,
                *_paid_out(known.get(line.key)),
            )
            for line in batch
        ]


def _paid_out(found: Transaction | None) -> Row:
    if found is None:
        return (None,) * 7
    return (
        found.fee,
        found.vat,
        found.withholding,
        found.net,
        found.settlement_status,
        found.expected_at,
        found.settled_at,
    )


def _refund_columns() -> list[Column]:
    return [
        *booked(),
        Column(_("Reference")),
        Column(_("Reason")),
        Column(_("Way")),
        Column(_("Due since"), MOMENT),
        Column(_("Sent back at"), MOMENT),
        Column(_("Amount (Rp)"), MONEY, is_summed=True),
    ]


def _refunds(period: Period) -> Batches:
    """Yield a row for each refund that was sent back."""
    for batch in lines(period, Account.REFUNDS_OWED, Movement.REFUNDED):
        known = _find_refunds([int(line.key) for line in batch])
        yield [
            (
                line.day,
                line.corrects,
                line.order_code,
                *_refund(known.get(int(line.key))),
                line.happened_at,
                line.amount,
            )
            for line in batch
        ]


def _refund(found: Refund | None) -> Row:
    if found is None:
        return (None,) * 4
    return (found.reference_id, found.reason.value, found.way.value, found.created_at)


def _find_transactions(invoice_ids: Sequence[str]) -> dict[str, Transaction]:
    with reading() as session:
        found = session.scalars(
            sa.select(Transaction).where(Transaction.invoice_id.in_(invoice_ids))
        ).all()
        session.expunge_all()
    return {each.invoice_id: each for each in found}


def _find_refunds(refund_ids: Sequence[int]) -> dict[int, Refund]:
    with reading() as session:
        found = session.scalars(sa.select(Refund).where(Refund.id.in_(refund_ids))).all()
        session.expunge_all()
    return {each.id: each for each in found}


PAYMENTS = Table(_payment_columns, count_lines(Account.RECEIVABLE, Movement.RECEIVED), _payments)
REFUNDS = Table(_refund_columns, count_lines(Account.REFUNDS_OWED, Movement.REFUNDED), _refunds)

"""No rupiah lost: every invoice paid at Xendit against seats, open cases and refunds here."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from app.extensions import db
from app.models import CaseKind, CaseStatus, MoneyCase, Order, OrderStatus, Refund


def order_code(external_id: str) -> str:
    """Return the order's code; invoices of an extended hold are called `code-2`, `code-3`, …"""
    return external_id.partition("-")[0]


def confirmations(mails: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the Message-IDs of the caught mails that bring e-tickets, by address."""
    sent: dict[str, list[str]] = defaultdict(list)
    for mail in mails:
        if ".etickets@" in mail["message_id"]:
            sent[mail["to"][0]].append(mail["message_id"])
    return dict(sent)


def find_lost_money(invoices: Iterable[dict[str, Any]]) -> list[str]:
    """Return a sentence for each paid invoice (as the stand-in has it) that nobody answers for.

    Needs an application context. The equation: what was paid is the price of a PAID order settled
    by this invoice, plus refunds of it, plus what its unresolved cases are about.
    """
    db.session.rollback()
    paid_ones = [invoice for invoice in invoices if invoice.get("paid_amount")]
    lost = _seats_without_money({invoice["id"] for invoice in paid_ones})
    for invoice in paid_ones:
        paid = invoice["paid_amount"]
        code = order_code(invoice["external_id"])
        order = db.session.scalar(sa.select(Order).where(Order.code == code))
        if order is None:
            lost.append(f"{invoice['id']}: {paid} paid for {code}, an order that does not exist")
            continue
        answered = _answered(order, invoice["id"])
        if answered != paid:
            standing = f"{order.status.value}/{order.payment.status.value}"
            lost.append(f"{invoice['id']}: {paid} paid for {code} ({standing}), {answered} known")
    return lost


def _seats_without_money(paid_ids: set[str]) -> list[str]:
    """Find PAID orders that are settled by no invoice with money on it."""
    orders = db.session.scalars(
        sa.select(Order).where(Order.status == OrderStatus.PAID, Order.total > 0)
    )
    return [
        f"order {order.code}: has seats, but {order.payment.invoice_id} was never paid"
        for order in orders
        if order.payment.invoice_id not in paid_ids
    ]


def _answered(order: Order, invoice_id: str) -> int:
    has_seats = order.is_paid and order.payment.invoice_id == invoice_id
    refunded = sa.select(sa.func.coalesce(sa.func.sum(Refund.amount), 0)).where(
        Refund.order_id == order.id, Refund.invoice_id == invoice_id
    )
    price = order.total if has_seats else 0
    return price + int(db.session.scalar(refunded) or 0) + _undecided(order, invoice_id)


def _undecided(order: Order, invoice_id: str) -> int:
    """Return the rupiah that cases still hold; the case of gone seats is about all of it."""
    amounts = {
        case.kind: case.amount
        for case in db.session.scalars(
            sa.select(MoneyCase).where(
                MoneyCase.order_id == order.id,
                MoneyCase.invoice_id == invoice_id,
                MoneyCase.status != CaseStatus.RESOLVED,
            )
        )
    }
    return amounts.get(CaseKind.SEATS_GONE) or sum(amounts.values())

"""What the facts of an order say should be in the ledger. Pure: rows in, movements out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from app.models import (
    Account,
    CaseKind,
    CaseResolution,
    Movement,
    OrderStatus,
    PaymentStatus,
    RefundReason,
    RefundStatus,
)

# Money that came for an order on an invoice that is not the one its payment is settled by.
ON_OTHER_INVOICES = (CaseKind.UNDERPAID, CaseKind.DOUBLE_PAYMENT)


class Item(NamedTuple):
    """So many seats of a ticket at the price of ordering, in rupiah."""

    ticket_id: int
    quantity: int
    price: int


class Case(NamedTuple):
    """A case of money, as far as the ledger needs it."""

    id: int
    kind: CaseKind
    invoice_id: str
    resolution: CaseResolution | None
    amount: int
    opened_at: datetime
    resolved_at: datetime | None


class SentBack(NamedTuple):
    """A refund, from due to done."""

    id: int
    reason: RefundReason
    status: RefundStatus
    amount: int
    created_at: datetime
    finished_at: datetime | None


class PaidOut(NamedTuple):
    """What Xendit took from a payment, and whether the rest is in the balance."""

    xendit_id: str
    net: int
    fee: int
    vat: int
    withholding: int
    created_at: datetime
    settled_at: datetime | None


class Head(NamedTuple):
    """An order and its payment; amounts in rupiah."""

    order_id: int
    status: OrderStatus
    sold_at: datetime | None
    payment_status: PaymentStatus
    asked: int
    paid_amount: int | None
    paid_at: datetime | None
    invoice_id: str | None
    channel: str | None

    @property
    def paid(self) -> int:
        """Return what came on the payment's own invoice."""
        if self.payment_status is not PaymentStatus.PAID:
            return 0
        return self.asked if self.paid_amount is None else self.paid_amount


@dataclass
class OrderFacts:
    """Everything about one order that moves money."""

    head: Head
    items: list[Item] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    refunds: list[SentBack] = field(default_factory=list)
    paid_out: list[PaidOut] = field(default_factory=list)


class Figure(NamedTuple):
    """Rupiah, and how many."""

    amount: int
    how_many: int

    def plus(self, other: "Figure", times: int = 1) -> "Figure":
        """Return the sum of two, the other `times` over."""
        return Figure(self.amount + times * other.amount, self.how_many + times * other.how_many)


NOTHING = Figure(0, 0)
Place = tuple[Account, int]  # an account, and a ticket's id (0: no ticket)


class Fact(NamedTuple):
    """One movement as it should be; `at` is None when no fact tells when it happened.

    The amounts sum to zero.
    """

    movement: Movement
    key: str
    at: datetime | None
    entries: dict[Place, Figure]


def list_facts(order: OrderFacts) -> list[Fact]:
    """Return every movement the order's facts speak of."""
    received = list(_received(order))
    came = sum(fact.entries[Account.RECEIVABLE, 0].amount for fact in received)
    kept = list(_kept(order))
    sold = _sold(order)
    earned = 0
    changes: list[Fact] = []
    if sold is not None:
        changes.append(sold)
        if order.head.status is OrderStatus.CANCELLED:
            changes.append(_cancelled(order, sold))
        else:
            earned = sold.entries[Account.BUYERS, 0].amount
    free = came - earned - sum(fact.entries[Account.BUYERS, 0].amount for fact in kept)
    return [*received, *changes, *kept, *_sent_back(order.refunds, free), *_paid_out(order)]


def _received(order: OrderFacts) -> Iterator[Fact]:
    """Yield the money that came: on the payment's invoice, and on others by their cases."""
    head = order.head
    if head.paid > 0:
        yield _receipt(head.invoice_id or "", head.paid, head.paid_at)
    for case in order.cases:
        is_own = head.paid > 0 and case.invoice_id == head.invoice_id
        if case.kind in ON_OTHER_INVOICES and not is_own and case.amount > 0:
            yield _receipt(case.invoice_id, case.amount, case.opened_at)


def _receipt(invoice_id: str, amount: int, at: datetime | None) -> Fact:
    entries = {
        (Account.RECEIVABLE, 0): Figure(amount, 1),
        (Account.BUYERS, 0): Figure(-amount, 1),
    }
    return Fact(Movement.RECEIVED, invoice_id, at, entries)


def _sold(order: OrderFacts) -> Fact | None:
    """Return the sale of all seats at their prices; what was forgiven is not the buyer's."""
    head = order.head
    if head.sold_at is None:
        return None
    entries: dict[Place, Figure] = {}
    price = 0
    for item in order.items:
        place = (Account.SALES, item.ticket_id)
        subtotal = item.quantity * item.price
        entries[place] = entries.get(place, NOTHING).plus(Figure(-subtotal, item.quantity))
        price += subtotal
    earned = min(price, head.paid)
    entries[Account.BUYERS, 0] = Figure(earned, 1)
    if price > earned:
        entries[Account.ACCEPTED, 0] = Figure(price - earned, 1)
    return Fact(Movement.SOLD, "", head.sold_at, entries)


def _cancelled(order: OrderFacts, sold: Fact) -> Fact:
    """Return the sale turned round; a free order has no refund to tell when."""
    when = [each.created_at for each in order.refunds if each.reason is RefundReason.CANCELLED]
    entries = {
        (account, ticket): Figure(-amount, -seats if account is Account.SALES else seats)
        for (account, ticket), (amount, seats) in sold.entries.items()
    }
    return Fact(Movement.CANCELLED, "", when[0] if when else None, entries)


def _kept(order: OrderFacts) -> Iterator[Fact]:
    """Yield what was paid beyond the price and is kept by a person's decision."""
    for case in order.cases:
        is_kept = case.resolution is CaseResolution.ACCEPTED
        if case.kind is CaseKind.OVERPAID and is_kept:
            entries = {
                (Account.BUYERS, 0): Figure(case.amount, 1),
                (Account.ACCEPTED, 0): Figure(-case.amount, 1),
            }
            yield Fact(Movement.ACCEPTED, str(case.id), case.resolved_at, entries)


def _sent_back(refunds: Sequence[SentBack], free: int) -> Iterator[Fact]:
    """Yield refunds: out of what buyers have free here, the rest a gift of the organiser."""
    for refund in refunds:
        covered = min(refund.amount, max(free, 0))
        free -= covered
        entries = {(Account.REFUNDS_OWED, 0): Figure(-refund.amount, 1)}
        if covered:
            entries[Account.BUYERS, 0] = Figure(covered, 1)
        if refund.amount > covered:
            entries[Account.GOODWILL, 0] = Figure(refund.amount - covered, 1)
        yield Fact(Movement.REFUND_DUE, str(refund.id), refund.created_at, entries)
        by_xendit = refund.status is RefundStatus.SUCCEEDED
        if by_xendit or refund.status is RefundStatus.DONE_BY_HAND:
            source = Account.BALANCE if by_xendit else Account.BANK
            sent = {
                (Account.REFUNDS_OWED, 0): Figure(refund.amount, 1),
                (source, 0): Figure(-refund.amount, 1),
            }
            yield Fact(Movement.REFUNDED, str(refund.id), refund.finished_at, sent)


def _paid_out(order: OrderFacts) -> Iterator[Fact]:
    """Yield Xendit's charges, and what it moved into the balance."""
    for paid in order.paid_out:
        taken = paid.fee + paid.vat + paid.withholding
        charged = {
            (Account.FEE, 0): Figure(paid.fee, 1 if paid.fee else 0),
            (Account.VAT, 0): Figure(paid.vat, 1 if paid.vat else 0),
            (Account.WITHHOLDING, 0): Figure(paid.withholding, 1 if paid.withholding else 0),
            (Account.RECEIVABLE, 0): Figure(-taken, 1),
        }
        yield Fact(Movement.CHARGED, paid.xendit_id, paid.created_at, charged)
        if paid.settled_at is not None:
            settled = {
                (Account.BALANCE, 0): Figure(paid.net, 1),
                (Account.RECEIVABLE, 0): Figure(-paid.net, 1),
            }
            yield Fact(Movement.SETTLED, paid.xendit_id, paid.settled_at, settled)

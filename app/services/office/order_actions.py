"""Acting on an order: what can be done with it as it stands, and why something cannot.

This is the one place that knows. Pages show what it says; whoever acts asks it again under the
order's lock (`acting_on`).
"""

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.errors import DomainError, Words
from app.models import (
    CaseKind,
    CaseStatus,
    ETicket,
    MoneyCase,
    OrderStatus,
    PaymentStatus,
    Refund,
    RefundStatus,
    RefundWay,
)
from app.services.money import refunds
from app.services.money.payments import lock_order
from app.services.office.order_print import OrderFacts, Part, changed_parts, read_facts
from app.services.running.transaction import transaction


class MoveKind(enum.Enum):
    """What staff may do with an order; the value stands in the address of its page."""

    RESEND = "resend"
    CORRECT_BUYER = "buyer"
    CORRECT_NAMES = "names"
    CHANGE_SEATS = "seats"
    CANCEL = "cancel"
    REFUND = "refund"
    DECIDE_CASE = "case"
    REFUND_DONE = "refund-done"
    RETRY_REFUND = "refund-retry"


@dataclass(frozen=True)
class Move:
    """Something that could be done; `why_not` says in a sentence why it cannot, None: it can.

    `about` names the refund (its reference) or the case (its id) where there may be several, and
    `amount` is its rupiah.
    """

    kind: MoveKind
    why_not: Words | None = None
    about: str = ""
    amount: int = 0

    @property
    def is_possible(self) -> bool:
        return self.why_not is None


class OrderChanged(DomainError):
    """The order is not any more what the page had shown; nothing was done."""

    code = "order_changed"
    status = 409
    title = _l("Somebody changed this order meanwhile")

    def __init__(self, parts: list[Part]) -> None:
        super().__init__(_l("Nothing was done. Look at it as it is now, then decide again."))
        self.parts = parts


class MoveNotPossible(DomainError):
    """This cannot be done with the order as it stands; the detail says why."""

    code = "move_not_possible"
    status = 409
    title = _l("This cannot be done now")


def possible(facts: OrderFacts) -> list[Move]:
    """Return every move there is for an order, in the order in which pages show them.

    Those that make no sense for it as it stands have a `why_not`.
    """
    moves = [Move(kind, why_not(facts)) for kind, why_not in RULES.items()]
    moves += [
        Move(MoveKind.DECIDE_CASE, _why_not_decide(case), str(case.id), case.amount)
        for case in facts.cases
        if not case.is_resolved
    ]
    for refund in facts.refunds:
        if not refund.is_finished:
            about = refund.reference_id, refund.amount
            moves.append(Move(MoveKind.REFUND_DONE, why_not_done(refund), *about))
            moves.append(Move(MoveKind.RETRY_REFUND, why_not_retry(refund), *about))
    return moves


def check_possible(facts: OrderFacts, kind: MoveKind) -> None:
    """Raise MoveNotPossible, with the reason, unless this can be done with the whole order."""
    if why_not := RULES[kind](facts):
        raise MoveNotPossible(why_not)


@contextmanager
def acting_on(order_id: int, seen: str, kind: MoveKind) -> Iterator[tuple[Session, OrderFacts]]:
    """Open the transaction of a move: the order locked, as the page had shown it, and allowed.

    `seen` is the print the page carried. Two who act at once stand in line here: the second finds
    another order than the one that was shown. Raises OrderChanged, MoveNotPossible.
    """
    with transaction() as session:
        facts = lock_facts(session, order_id, seen)
        check_possible(facts, kind)
        yield session, facts


def lock_facts(session: Session, order_id: int, seen: str) -> OrderFacts:
    """Return an order's facts, its row and its seats locked.

    Raises OrderChanged unless they are as `seen`.
    """
    order = lock_order(session, order_id)
    seats = sa.select(ETicket).where(ETicket.order_id == order_id).with_for_update()
    session.scalars(seats.execution_options(populate_existing=True)).all()  # nobody enters now
    facts = read_facts(order)
    if parts := changed_parts(seen, facts):
        raise OrderChanged(parts)
    return facts


def left_to_refund(facts: OrderFacts) -> int:
    """Return how many rupiah of the payment were not sent back, nor are to be."""
    payment = facts.order.payment
    if payment.status is not PaymentStatus.PAID:
        return 0
    money = refunds.money_of(facts.order)
    back = sum(one.amount for one in facts.refunds if one.invoice_id == money.invoice_id)
    return max(0, money.paid - back)


def find_open_case(facts: OrderFacts, kind: CaseKind) -> MoneyCase | None:
    """Return the order's case of this kind that nobody has decided."""
    return next((one for one in facts.cases if one.kind is kind and not one.is_resolved), None)


# --- why not ------------------------------------------------------------------------------------

NOT_PAID = _l("The order is not paid: there are no e-tickets.")
NO_SEATS = _l("The order has ended: it has no seats.")


def _why_not_resend(facts: OrderFacts) -> Words | None:
    return None if facts.order.is_paid else NOT_PAID


def _why_not_buyer(_facts: OrderFacts) -> Words | None:
    return None


def _why_not_names(facts: OrderFacts) -> Words | None:
    has_seats = facts.order.status in (OrderStatus.PENDING, OrderStatus.PAID)
    return None if has_seats else NO_SEATS


def _why_not_seats(facts: OrderFacts) -> Words | None:
    if not facts.order.is_paid:
        return NOT_PAID
    if not facts.movable_seats:
        return _l("Everybody has entered: these seats stay as they are.")
    return None


def _why_not_cancel(facts: OrderFacts) -> Words | None:
    order = facts.order
    if order.status not in (OrderStatus.PENDING, OrderStatus.PAID):
        return _l("The order has ended already.")
    if order.status is OrderStatus.PENDING and order.cancel_requested_at:
        return _l("It is being cancelled: the invoice is closed at Xendit first.")
    if find_open_case(facts, CaseKind.UNDERPAID):
        return _l("Too little was paid: decide that case first.")
    return None


def _why_not_refund(facts: OrderFacts) -> Words | None:
    is_paid = facts.order.payment.status is PaymentStatus.PAID
    if not is_paid or not refunds.money_of(facts.order).paid:
        return _l("Nothing was paid.")
    if any(not one.is_resolved for one in facts.cases):
        return _l("There is an open case about this money: decide that first.")
    if not left_to_refund(facts):
        return _l("All that was paid is sent back already, or will be.")
    return None


def _why_not_decide(case: MoneyCase) -> Words | None:
    if case.status is CaseStatus.RESOLVED:
        return _l("This was decided before.")
    return None


def why_not_done(refund: Refund) -> Words | None:
    """Return why a refund cannot be noted as transferred by hand; None when it can."""
    if refund.is_finished:
        return _l("This refund is done: do not transfer again.")
    if refund.status is RefundStatus.SENT:
        return _l("Xendit has this refund: wait until it succeeded or failed.")
    if refund.status is RefundStatus.DUE and refund.way is RefundWay.XENDIT:
        return _l("This refund goes through Xendit by itself: do not transfer.")
    return None


def why_not_retry(refund: Refund) -> Words | None:
    """Return why a refund cannot be tried through Xendit again; None when it can."""
    if refund.is_finished or refund.status is RefundStatus.SENT:
        return why_not_done(refund)
    if refund.status is RefundStatus.DUE and refund.way is RefundWay.XENDIT:
        return _l("It is on its way to Xendit already.")
    if refund.channel not in refunds.REFUNDED_BY_XENDIT:
        return _l("Xendit sends nothing back through this channel: transfer by hand.")
    return None


RULES: dict[MoveKind, Callable[[OrderFacts], Words | None]] = {
    MoveKind.RESEND: _why_not_resend,
    MoveKind.CORRECT_BUYER: _why_not_buyer,
    MoveKind.CORRECT_NAMES: _why_not_names,
    MoveKind.CHANGE_SEATS: _why_not_seats,
    MoveKind.CANCEL: _why_not_cancel,
    MoveKind.REFUND: _why_not_refund,
}

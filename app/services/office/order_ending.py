"""Ending an order and its money by hand: cancel, refund, note a transfer, decide a case."""

import logging
from datetime import datetime

from flask_babel import lazy_gettext as _l

from app.errors import CaseClosed, OrderNotCancellable
from app.integrations.xendit import XenditClient
from app.models import RefundReason
from app.services.money import cancelling, deciding, refunds
from app.services.money.deciding import Decision, NotPossible
from app.services.office.order_actions import (
    MoveKind,
    MoveNotPossible,
    OrderChanged,
    acting_on,
    left_to_refund,
    lock_facts,
)
from app.services.office.order_correcting import subject_of
from app.services.office.order_print import OrderFacts, Part
from app.services.running import audit, jobs
from app.services.running.audit import Actor, By
from app.services.running.transaction import transaction, use_case
from app.services.selling.ordering import EXPIRE_ORDER

log = logging.getLogger(__name__)


def cancel(
    order_id: int, *, reason: str, seen: str, by: By, now: datetime, gateway: XenditClient
) -> bool:
    """Cancel an order, paid or not; tell whether that is done, or goes on by itself.

    A paid one loses its e-tickets and seats, and its money goes back. The invoice of an unpaid one
    is closed at Xendit first: money that comes in between wins. Raises OrderChanged,
    MoveNotPossible, Busy.
    """
    if _cancel(order_id, reason=reason, seen=seen, by=by, now=now):
        return True
    try:
        return cancelling.cancel_unpaid(order_id, now=now, gateway=gateway)
    except OrderNotCancellable:  # a worker was faster, or money came: its page shows which
        return False


@use_case
def _cancel(order_id: int, *, reason: str, seen: str, by: By, now: datetime) -> bool:
    """Cancel a paid order, or write down that an unpaid one is to be; tell whether it is done."""
    with acting_on(order_id, seen, MoveKind.CANCEL) as (session, facts):
        order = facts.order
        was_paid = order.is_paid
        if was_paid:
            cancelling.end_paid(session, order, now)
        else:
            order.cancel_requested_at = now
            jobs.enqueue(session, EXPIRE_ORDER, {"order_id": order_id}, now=now, due_at=now)
        audit.record(
            session,
            actor=by,
            action="order.cancelled" if was_paid else "order.cancelling_asked",
            subject=subject_of(order),
            reason=reason,
            now=now,
        )
        log.warning("order cancelled", extra={"order": order.code, "by": Actor.of(by).name})
        return was_paid


def refund_when_cancelled(facts: OrderFacts) -> int:
    """Return how many rupiah go back when this paid order is cancelled: what is left of it."""
    return min(facts.order.total, left_to_refund(facts))


@use_case
def refund(order_id: int, amount: int, *, reason: str, seen: str, by: By, now: datetime) -> None:
    """Send a part of an order's money back, or all that is left; its seats stay as they are.

    As often as money is left, each time as a refund of its own. Raises OrderChanged,
    MoveNotPossible.
    """
    with acting_on(order_id, seen, MoveKind.REFUND) as (session, facts):
        check_amount(facts, amount)
        money, why = refunds.money_of(facts.order), RefundReason.BY_STAFF
        part = refunds.next_part(session, money, why)
        refunds.open_refund(session, facts.order, money, amount, why, now=now, part=part)
        audit.record(
            session,
            actor=by,
            action="order.refunded",
            subject=subject_of(facts.order),
            after={"refunded": amount},
            reason=reason,
            now=now,
        )


def check_amount(facts: OrderFacts, amount: int) -> None:
    """Raise MoveNotPossible unless so much can be sent back."""
    if not 1 <= amount <= left_to_refund(facts):
        raise MoveNotPossible(_l("At most what is left of the payment can be sent back."))


def note_transfer(
    order_id: int, refund_id: int, *, note: str, seen: str, by: By, now: datetime
) -> None:
    """Note that a person transferred a refund; `note` is the transfer's reference.

    Raises OrderChanged, also when it was noted a moment ago.
    """
    _check_seen(order_id, seen)
    try:
        deciding.mark_refund_done(refund_id, by=by, note=note, now=now)
    except NotPossible as error:
        raise OrderChanged([Part.REFUNDS]) from error


def retry_refund(order_id: int, refund_id: int, *, seen: str, by: By, now: datetime) -> None:
    """Try a refund through Xendit once more; a bank account given for it is erased.

    Raises OrderChanged, also when it was tried a moment ago.
    """
    _check_seen(order_id, seen)
    try:
        deciding.retry_refund(refund_id, by=by, now=now)
    except NotPossible as error:
        raise OrderChanged([Part.REFUNDS]) from error


def decide_case(
    order_id: int,
    case_id: int,
    decision: Decision,
    *,
    seen: str,
    by: By,
    now: datetime,
    gateway: XenditClient,
) -> None:
    """Take the money of a case as it is, or send it back.

    Raises OrderChanged, also when it was decided a moment ago; MoveNotPossible, with the reason in
    English, while Xendit is not done with it; XenditError when it cannot be asked. Nothing was
    decided then.
    """
    _check_seen(order_id, seen)
    try:
        deciding.decide_case(case_id, decision, by=by, now=now, gateway=gateway)
    except CaseClosed as error:
        raise OrderChanged([Part.CASES]) from error
    except NotPossible as error:
        raise MoveNotPossible(_l("This cannot be decided now: %(why)s.", why=error)) from error


@use_case
def _check_seen(order_id: int, seen: str) -> None:
    """Raise OrderChanged unless the order is as it was shown.

    What is decided next checks under its own lock that it is still to be decided: that lock cannot
    be held from here on, as Xendit may be asked in between.
    """
    with transaction() as session:
        lock_facts(session, order_id, seen)

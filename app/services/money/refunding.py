"""Refunding: money sent back through Xendit exactly once, and followed until it arrived.

`Refund.sent_at` is written before the call to Xendit, and so is both a claim (an answer may be
under way) and a trace (whoever comes later looks the refund up before asking for it again).
"""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.integrations.xendit import (
    XenditClient,
    XenditError,
    XenditRefused,
    XenditThrottled,
)
from app.integrations.xendit_refunds import RefundRequest, XenditRefund, XenditRefundStatus
from app.models import Refund, RefundReason, RefundStatus, RefundWay
from app.services.money import refunds
from app.services.money.refunds import lock_refund
from app.services.running import jobs
from app.services.running.jobs import RetryLater
from app.services.running.transaction import reading, transaction, use_case

log = logging.getLogger(__name__)

CONFIRM_REFUND = "confirm_refund"
FOLLOW_REFUND = "follow_refund"

# A call can be under way for as long as its time-outs allow; only then may another begin.
CLAIM = timedelta(seconds=45)
FOLLOW_EVERY = timedelta(hours=1)
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)

# Xendit's words for a reason: facts 6.2.
REASONS = {
    RefundReason.DOUBLE_PAYMENT: "DUPLICATE",
    RefundReason.CANCELLED: "CANCELLATION",
    RefundReason.SEATS_GONE: "CANCELLATION",
    RefundReason.UNDERPAID: "CANCELLATION",
    RefundReason.OVERPAID: "OTHERS",
    RefundReason.DIFFERENCE: "REQUESTED_BY_CUSTOMER",
    RefundReason.BY_STAFF: "REQUESTED_BY_CUSTOMER",
}
UNAUTHENTICATED = 401
# Refusals by their word, since the HTTP numbers moved over the years (facts 6.2). These pass:
# an empty balance is filled up, a key gets its permission.
PASSING = frozenset(
    {
        "INSUFFICIENT_BALANCE",
        "TEMPORARILY_UNAVAILABLE",
        "REFUND_IN_PROGRESS",
        "CHANNEL_UNAVAILABLE",
        "DUPLICATE_ERROR",
        "IDEMPOTENCY_ERROR",
        "RATE_LIMIT_EXCEEDED",
        "INVALID_API_KEY",
        "UNAUTHORIZED",
        "REQUEST_FORBIDDEN_ERROR",
        "ACCESS_SUSPENDED",
    }
)
# These mean that this money, or some of it, went back already in a way we know nothing of.
BEYOND_WHAT_IS_LEFT = frozenset({"MAXIMUM_REFUND_AMOUNT_REACHED", "REFUND_AMOUNT_EXCEEDED"})


class Attempt(NamedTuple):
    """One try to send a refund; a repeat looks it up at Xendit first."""

    request: RefundRequest
    is_repeat: bool
    created_at: datetime


def reference_of(refund: Refund) -> str:
    """Return what Xendit calls this refund, and its idempotency key: another after each failure.

    With the same key Xendit would only show the failed one again.
    """
    if refund.xendit_refund_id is None:
        return refund.reference_id
    return f"{refund.reference_id}-{refund.xendit_refund_id[-8:]}"


def send_refund(refund_id: int, *, now: datetime, gateway: XenditClient) -> None:
    """Send a refund that is DUE: through Xendit, or by asking the buyer for a bank account.

    Safe to call any number of times, at once. Raises XenditThrottled, or RetryLater when it has to
    be tried again; nothing is asked of Xendit a second time before it was looked up there.
    """
    attempt = _claim(refund_id, now)
    if attempt is None:
        return
    try:
        found = _find_sent(gateway, attempt) if attempt.is_repeat else None
        if found is None:
            found = _create(refund_id, gateway, attempt, now)
    except XenditThrottled:
        raise
    except XenditError as error:
        log.error("refund to be tried again", extra={"refund": refund_id, "why": str(error)})
        raise RetryLater(str(error), _pause(attempt, now)) from error
    if found is not None:
        record(refund_id, found, now=now)


@use_case
def _claim(refund_id: int, now: datetime) -> Attempt | None:
    """Take the right to send; None when there is nothing (more) to send.

    Committed before the call, so that an answer that gets lost leaves a trace. Raises RetryLater
    while another call may be under way.
    """
    with transaction() as session:
        refund = lock_refund(session, refund_id)
        if refund.status is not RefundStatus.DUE:
            return None
        before = refund.sent_at
        if refund.way is RefundWay.BY_HAND:
            if before is None:
                refunds.ask_for_account(session, refund, now=now)
            return None
        if before is not None and now < before + CLAIM:
            raise RetryLater("an answer about the refund may still come", before + CLAIM - now)
        refund.sent_at = now
        reason = REASONS[refund.reason]
        request = RefundRequest(refund.invoice_id, reference_of(refund), refund.amount, reason)
        return Attempt(request, is_repeat=before is not None, created_at=refund.created_at)


def _find_sent(gateway: XenditClient, attempt: Attempt) -> XenditRefund | None:
    """Return the refund an earlier call made unheard."""
    for found in gateway.list_refunds(attempt.request.invoice_id):
        if found.reference == attempt.request.reference:
            return found
    return None


def _create(
    refund_id: int, gateway: XenditClient, attempt: Attempt, now: datetime
) -> XenditRefund | None:
    """Ask Xendit for the refund; None when it refuses for good, which is recorded."""
    try:
        return gateway.create_refund(attempt.request)
    except XenditRefused as error:
        if error.status == UNAUTHENTICATED or error.error_code in PASSING:
            raise  # our key, whatever the word for it: no reason to ask buyers for accounts
        _give_up(refund_id, error.error_code, now)
        return None


@use_case
def _give_up(refund_id: int, code: str, now: datetime) -> None:
    """Turn a refund that Xendit refuses into one by hand.

    One that is more than what is left fails instead: nobody may transfer it without a look at
    Xendit's dashboard.
    """
    with transaction() as session:
        refund = lock_refund(session, refund_id)
        if refund.status is not RefundStatus.DUE or refund.way is not RefundWay.XENDIT:
            return
        facts = {"refund": refund.reference_id, "code": code}
        refund.failure_code = code
        if code in BEYOND_WHAT_IS_LEFT:
            refund.move_to(RefundStatus.FAILED)
            log.error("Xendit has sent this back before: a person must look", extra=facts)
        else:
            refunds.ask_for_account(session, refund, now=now)
            log.error("Xendit refuses the refund: by hand then", extra=facts)


def _pause(attempt: Attempt, now: datetime) -> timedelta:
    """Return a pause that grows with the refund's age: such a job is never given up."""
    return min(max(now - attempt.created_at, SHORTEST_PAUSE), LONGEST_PAUSE)


def confirm_refund(
    refund_id: int, *, now: datetime, gateway: XenditClient, xendit_refund_id: str | None = None
) -> None:
    """Read a refund at Xendit and act on what it says. Safe to call any number of times, at once.

    `xendit_refund_id` names the one a webhook was about; its creation may never have been
    answered. Raises XenditError when it cannot be read: nothing was changed then.
    """
    with reading() as session:
        refund = session.get_one(Refund, refund_id)
        named = xendit_refund_id or refund.xendit_refund_id
    if named is not None:
        record(refund_id, gateway.read_refund(named), now=now)


def follow_refund(refund_id: int, *, now: datetime, gateway: XenditClient) -> datetime | None:
    """Read a refund nobody told us about; return when to do so again, None when it has ended."""
    with reading() as session:
        if session.get_one(Refund, refund_id).status is not RefundStatus.SENT:
            return None
    confirm_refund(refund_id, now=now, gateway=gateway)
    with reading() as session:
        is_sent = session.get_one(Refund, refund_id).status is RefundStatus.SENT
    return now + FOLLOW_EVERY if is_sent else None


@use_case
def record(refund_id: int, found: XenditRefund, *, now: datetime) -> None:
    """Make a refund agree with what was just read at Xendit; nothing moves backwards."""
    with transaction() as session:
        refund = lock_refund(session, refund_id)
        is_current = refund.xendit_refund_id == found.id
        if not is_current and found.reference != reference_of(refund):
            facts = {"refund": refund.reference_id, "xendit_refund": found.id}
            log.warning("a refund at Xendit that is not this one", extra=facts)
        elif refund.is_finished:
            _compare_finished(refund, found)
        elif found.status is XenditRefundStatus.SUCCEEDED:
            refund.xendit_refund_id = found.id
            refunds.finish(session, refund, RefundStatus.SUCCEEDED, by="xendit", now=now)
        else:
            _record_unfinished(session, refund, found, now)


def _record_unfinished(
    session: Session, refund: Refund, found: XenditRefund, now: datetime
) -> None:
    is_current = refund.xendit_refund_id == found.id  # a DUE one's id is that of a failed attempt
    if refund.status is RefundStatus.DUE and not is_current:
        _adopt(refund, found)
        payload = {"refund_id": refund.id}
        jobs.enqueue(session, FOLLOW_REFUND, payload, now=now, due_at=now + FOLLOW_EVERY)
    if refund.status is RefundStatus.SENT and found.status is XenditRefundStatus.FAILED:
        refund.move_to(RefundStatus.FAILED)
        refund.failure_code = found.failure_code
        refunds.ask_for_account(session, refund, now=now)
        facts = {"refund": refund.reference_id, "code": found.failure_code}
        log.error("refund failed at Xendit: by hand then", extra=facts)


def _adopt(refund: Refund, found: XenditRefund) -> None:
    """Note that Xendit has the refund, whatever was thought of it before."""
    refund.move_to(RefundStatus.SENT)
    refund.way = RefundWay.XENDIT
    refund.xendit_refund_id = found.id
    refund.failure_code = None
    refunds.erase_account(refund)


def _compare_finished(refund: Refund, found: XenditRefund) -> None:
    is_known = refund.status is RefundStatus.SUCCEEDED and refund.xendit_refund_id == found.id
    if found.status is not XenditRefundStatus.FAILED and not is_known:
        facts = {"refund": refund.reference_id, "xendit_refund": found.id}
        log.critical("this money goes back twice: stop one of them", extra=facts)

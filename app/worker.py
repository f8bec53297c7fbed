"""The worker: claims jobs, does them outside any transaction, records the outcome."""

import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, current_app

from app import mail_jobs
from app.clock import utcnow
from app.extensions import db
from app.gateways import current_gateways, current_settings
from app.integrations.mailer import MailDelayed
from app.integrations.xendit import XenditClient, XenditRefused, XenditThrottled
from app.services.money import (
    cases,
    daily_reconciliation,
    expiry,
    invoicing,
    late_money,
    letters,
    pacing,
    payments,
    refunding,
    refunds,
)
from app.services.money.budget import Meter, Share
from app.services.office import invitations
from app.services.running import jobs
from app.services.running.invariants import find_violations
from app.services.selling import eticketing, ordering, resending
from app.tracing import new_request_id, request_id

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.25
AFTER_ERROR_SECONDS = 2.0
HEARTBEAT_SECONDS = 5.0
MINUTE = 60.0
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}
NOT_FOUND = 404


def run(threads: int) -> None:
    """Work until SIGTERM or SIGINT; a job that was begun is finished first."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    stop = threading.Event()
    # Blocked before any thread starts, so that only `_supervise` receives them. A handler that
    # sets the event could deadlock with a wait that it interrupted.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    current_gateways().renderer.warm_up()
    loops = [
        threading.Thread(target=_work, args=(app, stop, number % 2 == 0))
        for number in range(threads)
    ]
    for loop in loops:
        loop.start()
    log.info("worker started", extra={"threads": threads})
    _supervise(app, stop, f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(3)}")
    for loop in loops:
        loop.join()
    log.info("worker stopped")


def _supervise(app: Flask, stop: threading.Event, worker: str) -> None:
    """Show that the worker lives, and look after the house now and then."""
    beats = 0
    while not stop.is_set():
        with app.app_context(), request_id(new_request_id()):
            _guarded(lambda: jobs.beat(worker, utcnow()))
            if beats % int(MINUTE / HEARTBEAT_SECONDS) == 0:
                _guarded(_check_house)
                _guarded(_schedule_the_day)
        beats += 1
        if signal.sigtimedwait(STOP_SIGNALS, HEARTBEAT_SECONDS):
            stop.set()


def _check_house() -> None:
    for violation in find_violations():
        log.critical("invariant broken", extra={"violation": violation})
    jobs.sweep(utcnow())


def _schedule_the_day() -> None:
    daily_reconciliation.schedule(now=utcnow(), zone=current_settings().event.timezone)


def _work(app: Flask, stop: threading.Event, prefers_line: bool) -> None:
    """Do jobs until told to stop; invoices first, or everything else first.

    Half of the loops do either, so that neither waits behind a mountain of the other.
    """
    while not stop.is_set():
        with app.app_context():
            pause = _step(prefers_line=prefers_line)
        if pause:
            stop.wait(pause)


def _step(*, prefers_line: bool = False) -> float:
    """Do one job if any is due; return how long to rest before the next."""
    try:
        job = _claim(prefers_line=prefers_line)
    except Exception:
        log.exception("no job could be claimed")
        return AFTER_ERROR_SECONDS
    if job is None:
        return IDLE_SECONDS
    with request_id(job.request_id or new_request_id()):
        _guarded(lambda: _do(job))
    return 0.0


def _claim(*, prefers_line: bool) -> jobs.Claim | None:
    """Take the next job; from the line for invoices only when a call may be made."""
    now = utcnow()
    if prefers_line:
        return _claim_from_line(now) or jobs.claim(now, without=ordering.OPEN_INVOICE)
    return jobs.claim(now, without=ordering.OPEN_INVOICE) or _claim_from_line(now)


def _claim_from_line(now: datetime) -> jobs.Claim | None:
    line = (ordering.OPEN_INVOICE,)
    if jobs.is_any_due(now, line) and pacing.free_at(now) <= now:
        return jobs.claim(now, line)
    return None


def _guarded(action: Callable[[], object]) -> None:
    """Run `action`; whatever goes wrong is logged and the loop lives on."""
    try:
        action()
    except Exception:
        log.exception("the worker's own bookkeeping failed")
    finally:
        db.session.remove()


def _do(job: jobs.Claim) -> None:
    """Do a job and record what became of it."""
    try:
        HANDLERS[job.kind](job.payload)
    except XenditThrottled as error:
        jobs.retry(job, utcnow(), str(error), timedelta(seconds=error.pause))
    except jobs.OutOfTurn:
        jobs.put_back(job)
    except jobs.RetryLater as error:
        jobs.retry(job, utcnow(), str(error), error.pause)
    except MailDelayed as error:
        log.warning("mail delayed", extra={"job": job.id, "why": str(error), "try": job.attempt})
        jobs.retry(job, utcnow(), str(error))
    except Exception as error:
        log.exception("job failed", extra={"job": job.id, "kind": job.kind, "try": job.attempt})
        db.session.rollback()
        jobs.retry(job, utcnow(), repr(error))
    else:
        jobs.finish(job, utcnow())


def _xendit(share: Share = Share.WAITED_FOR) -> XenditClient:
    """Return the client whose readings count against this share of the calls Xendit allows."""
    return current_gateways().xendit.metered(Meter(share, utcnow))


def _open_invoice(payload: dict[str, Any]) -> None:
    invoicing.make_invoice_in_turn(
        payload["order_id"],
        clock=utcnow,
        gateway=current_gateways().xendit,
        settings=current_settings(),
    )


def _confirm_payment(payload: dict[str, Any]) -> None:
    named = payload.get("invoice_id")
    try:
        payments.confirm_payment(
            payload["payment_id"],
            now=utcnow(),
            gateway=_xendit(),
            invoice_id=named,
        )
    except XenditRefused as error:
        if named is None or error.status != NOT_FOUND:
            raise
        log.warning("a callback named an invoice Xendit does not know", extra={"invoice": named})


def _read_back(payload: dict[str, Any]) -> None:
    again = payments.read_back(
        payload["payment_id"],
        now=utcnow(),
        gateway=_xendit(Share.BACKGROUND),
        poll=current_settings().payment_poll,
    )
    if again is not None:
        raise jobs.RetryLater("not paid yet", again - utcnow())


def _expire_order(payload: dict[str, Any]) -> None:
    due = expiry.expire_order(payload["order_id"], now=utcnow(), gateway=_xendit())
    if due is not None:
        raise jobs.RetryLater("not due yet", due - utcnow())


def _close_invoice(payload: dict[str, Any]) -> None:
    invoicing.close_unwanted(payload["invoice_id"], now=utcnow(), gateway=_xendit())


def _reconcile_day(payload: dict[str, Any]) -> None:
    daily_reconciliation.reconcile_stretch(payload, clock=utcnow, gateway=current_gateways().xendit)


def _close_case(payload: dict[str, Any]) -> None:
    due = late_money.close_case(payload["case_id"], now=utcnow())
    if due is not None:
        raise jobs.RetryLater("not due yet", due - utcnow())


def _serve_waiting(payload: dict[str, Any]) -> None:
    late_money.serve_waiting(now=utcnow())


def _send_refund(payload: dict[str, Any]) -> None:
    gateway = current_gateways().xendit
    refunding.send_refund(payload["refund_id"], now=utcnow(), gateway=gateway)


def _confirm_refund(payload: dict[str, Any]) -> None:
    named = payload["xendit_refund_id"]
    gateway = current_gateways().xendit
    try:
        refunding.confirm_refund(
            payload["refund_id"], now=utcnow(), gateway=gateway, xendit_refund_id=named
        )
    except XenditRefused as error:
        if error.status != NOT_FOUND:
            raise
        log.warning("a callback named a refund Xendit does not know", extra={"refund": named})


def _follow_refund(payload: dict[str, Any]) -> None:
    gateway = current_gateways().xendit
    again = refunding.follow_refund(payload["refund_id"], now=utcnow(), gateway=gateway)
    if again is not None:
        raise jobs.RetryLater("not arrived yet", again - utcnow())


HANDLERS: dict[str, Callable[[dict[str, Any]], None]] = {
    ordering.OPEN_INVOICE: _open_invoice,
    ordering.EXPIRE_ORDER: _expire_order,
    payments.CONFIRM: _confirm_payment,
    payments.READ_BACK: _read_back,
    payments.CLOSE_INVOICE: _close_invoice,
    eticketing.DELIVER: mail_jobs.deliver_etickets,
    resending.RESEND: mail_jobs.resend_etickets,
    daily_reconciliation.RECONCILE: _reconcile_day,
    cases.CLOSE_CASE: _close_case,
    cases.SERVE_WAITING: _serve_waiting,
    letters.SEND_LETTER: mail_jobs.send_letter,
    invitations.SEND_INVITATION: mail_jobs.send_invitation,
    refunds.SEND_REFUND: _send_refund,
    refunding.CONFIRM_REFUND: _confirm_refund,
    refunding.FOLLOW_REFUND: _follow_refund,
}

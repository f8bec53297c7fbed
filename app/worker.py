"""The worker: claims jobs, does them outside any transaction, records the outcome."""

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

from flask import Flask, current_app

from app import interpreter
from app.clock import utcnow
from app.extensions import db
from app.gateways import current_gateways, current_settings
from app.integrations.mailer import MailDelayed
from app.integrations.xendit import XenditThrottled
from app.job_handlers import HANDLERS
from app.services.money import balance, daily_reconciliation, pacing, payments, postings, settling
from app.services.running import jobs
from app.services.running.inspections import inspect_if_due
from app.services.selling.ordering import OPEN_INVOICE
from app.tracing import new_request_id, request_id

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.25
LOOK_SECONDS = 0.1
AFTER_ERROR_SECONDS = 2.0
HEARTBEAT_SECONDS = 5.0
MINUTE = 60.0
UNPOSTED_FOR = timedelta(hours=1)  # how far back free orders are looked for each minute
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def run(threads: int) -> None:
    """Work until SIGTERM or SIGINT; a job that was begun is finished first."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    stop = threading.Event()
    # Blocked before any thread starts, so that only `_supervise` receives them. A handler that
    # sets the event could deadlock with a wait that it interrupted.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    current_gateways().renderer.warm_up()
    interpreter.settle()  # drawing would have Python search for garbage all the time
    lookout = Lookout()
    loops = [
        threading.Thread(target=_work, args=(app, stop, lookout, duty_of(number)))
        for number in range(threads)
    ]
    loops.append(threading.Thread(target=_keep_house, args=(app, stop)))
    for loop in loops:
        loop.start()
    log.info("worker started", extra={"threads": threads})
    _supervise(app, stop, f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(3)}")
    for loop in loops:
        loop.join()
    log.info("worker stopped")


def _supervise(app: Flask, stop: threading.Event, worker: str) -> None:
    """Show that the worker lives, until it is told to stop."""
    while not stop.is_set():
        with app.app_context(), request_id(new_request_id()):
            _guarded(lambda: jobs.beat(worker, utcnow()))
        found = signal.sigtimedwait(STOP_SIGNALS, HEARTBEAT_SECONDS)
        # Who was frozen and goes on is woken without a signal.
        if found and found.si_signo in STOP_SIGNALS:
            stop.set()


def _keep_house(app: Flask, stop: threading.Event) -> None:
    """Look after the house once a minute; apart from the heartbeat, which must not wait for it."""
    while not stop.is_set():
        with app.app_context(), request_id(new_request_id()):
            for chore in (_inspect, _sweep, _schedule_the_day, _keep_ledger):
                _guarded(chore)
        stop.wait(MINUTE)


def _inspect() -> None:
    for violation in inspect_if_due(utcnow()) or ():
        log.critical("invariant broken", extra={"violation": violation})


def _sweep() -> None:
    jobs.sweep(utcnow())


def _schedule_the_day() -> None:
    daily_reconciliation.schedule(now=utcnow(), zone=current_settings().event.timezone)
    settling.schedule(now=utcnow())


def _keep_ledger() -> None:
    zone = current_settings().event.timezone
    while postings.post_marked(now=utcnow(), zone=zone):
        pass
    postings.post_unposted(placed_since=utcnow() - UNPOSTED_FOR, now=utcnow(), zone=zone)
    balance.post_withdrawals(now=utcnow(), zone=zone)
    postings.sweep(now=utcnow(), zone=zone)


class Lookout:
    """Lets one of the idle loops look for work for all of them: they need not ask at each turn."""

    def __init__(self) -> None:
        self._quiet_until = 0.0

    def is_quiet(self) -> bool:
        """Tell whether nothing was due less than LOOK_SECONDS ago."""
        if time.monotonic() < self._quiet_until:
            return True
        if jobs.is_any_due(utcnow()):
            return False
        self._quiet_until = time.monotonic() + LOOK_SECONDS
        return True


class Duty(Enum):
    """What a loop does: anything, invoices last; what somebody watches a page for; invoices."""

    ANYTHING = "anything"
    WATCHED = "watched"
    INVOICES = "invoices"


# Who draws and mails e-tickets is away for seconds in a rush; with all at that, no invoice would be
# made. Nor would it with all who are watched at payments, when the first pay and others still wait
# for their invoice. They wait for Xendit nearly all the time.
DUTIES = (
    Duty.ANYTHING,
    Duty.WATCHED,
    Duty.INVOICES,
    Duty.ANYTHING,
    Duty.WATCHED,
    Duty.WATCHED,
)


def duty_of(number: int) -> Duty:
    """Return the duty of the loop with this number; one that is alone does everything."""
    return DUTIES[number % len(DUTIES)]


def _work(app: Flask, stop: threading.Event, lookout: Lookout, duty: Duty) -> None:
    """Do jobs until told to stop.

    Some loops do each duty, so that none waits behind a mountain of another.
    """
    pause = 0.0
    while not stop.is_set():
        with app.app_context():
            pause = _step(lookout if pause else None, duty=duty)
        if pause:
            stop.wait(pause)


def _step(lookout: Lookout | None = None, *, duty: Duty = Duty.ANYTHING) -> float:
    """Do one job if any is due; return how long to rest before the next.

    Who was idle has the lookout asked for anything at all before it looks here and there.
    """
    try:
        is_quiet = lookout is not None and lookout.is_quiet()
        job = None if is_quiet else _claim(duty)
    except Exception:
        log.exception("no job could be claimed")
        return AFTER_ERROR_SECONDS
    if job is None:
        return IDLE_SECONDS
    with request_id(job.request_id or new_request_id()):
        _guarded(lambda: _do(job))
    return 0.0


def _claim(duty: Duty) -> jobs.Claim | None:
    """Take the next job; from the line for invoices only when a call may be made."""
    now = utcnow()
    if duty is Duty.INVOICES:
        return _claim_from_line(now)
    if duty is Duty.WATCHED:
        return _claim_from_line(now) or jobs.claim(now, (payments.CONFIRM,))
    return jobs.claim(now, without=OPEN_INVOICE) or _claim_from_line(now)


def _claim_from_line(now: datetime) -> jobs.Claim | None:
    line = (OPEN_INVOICE,)
    if jobs.is_any_due(now, line) and pacing.free_at(now) <= now:
        return jobs.take(now, line)
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

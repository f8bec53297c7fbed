"""Checking in: the first entry of an e-ticket wins, and every scan is kept."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import Busy, ScanIdReused
from app.models import Direction, ETicket, ScanReason, ScanResult
from app.services.door.callers import DoorCaller
from app.services.door.rules import GateRules, judge
from app.services.door.seats import Seat, find_gate, find_seat, kept_code, latest_passing
from app.services.door.verdicts import CHECK_INS, Verdict, find_verdicts
from app.services.running.transaction import (
    CommitUnknown,
    reading,
    transaction,
    use_case,
    violates,
)

LOOKS = 5
_TICK = timedelta(microseconds=1)

# Built once, of tables: every scan takes this path.
_SEATS = cast(sa.Table, ETicket.__table__)
_GOOD_SEAT = sa.update(_SEATS).where(
    _SEATS.c.id == sa.bindparam("seat"), _SEATS.c.revoked_at.is_(None)
)
_ENTER = _GOOD_SEAT.where(_SEATS.c.admitted_at.is_(None)).values(
    admitted_at=sa.bindparam("at"), admitted_gate=sa.bindparam("gate"), is_inside=True
)
_ENTER_AGAIN = _GOOD_SEAT.where(_SEATS.c.admitted_at.is_not(None), ~_SEATS.c.is_inside).values(
    is_inside=True
)
_LEAVE = _GOOD_SEAT.where(_SEATS.c.is_inside).values(is_inside=False)
_KEEP = sa.insert(CHECK_INS)


@dataclass(frozen=True)
class Scan:
    """What a scanner sends; `scan_id` is its own, `scanned_at` the time on its clock.

    `gate` None: where the caller stands, if that is known.
    """

    code: str
    scan_id: str
    scanned_at: datetime
    gate: str | None
    direction: Direction = Direction.IN


@use_case
def check_in(scan: Scan, *, caller: DoorCaller, now: datetime) -> Verdict:
    """Decide over a scan and keep it; the same scan id again gets the same answer.

    Raises ScanIdReused when that id came with another code, Busy; nothing is kept then.
    """
    if scan.gate is None and caller.gate:
        # A phone may scan before it has heard where it stands: the gate's rules hold all the same.
        scan = replace(scan, gate=caller.gate.name)
    try:
        with transaction() as session:
            return _decide(session, scan, caller, now)
    except (IntegrityError, CommitUnknown) as error:
        # The unique key tells a repeat, so that first scans need no look for one.
        if isinstance(error, IntegrityError) and not is_repeat(error):
            raise
        if earlier := find_earlier(scan):
            return earlier
        raise


def is_repeat(error: IntegrityError) -> bool:
    """Tell whether a scan id was there already."""
    return violates(error, "uq_check_ins_scan_id", "check_ins.scan_id")


def find_earlier(scan: Scan) -> Verdict | None:
    """Return what a scan id was answered before. Raises ScanIdReused."""
    with reading() as session:
        earlier = find_verdicts(session, [scan.scan_id]).get(scan.scan_id)
    if earlier and earlier.text != kept_code(scan.code):
        raise ScanIdReused
    return earlier


def _decide(session: Session, scan: Scan, caller: DoorCaller, now: datetime) -> Verdict:
    """Let pass or refuse; who loses the UPDATE to somebody faster is judged again."""
    for _ in range(LOOKS):
        seat = find_seat(session, scan.code)
        gate = find_gate(session, scan.gate, caller.gate) if seat else GateRules()
        facts = seat.facts() if seat else None
        reason = judge(facts, gate, now, direction=scan.direction, lanes=caller.lanes)
        if seat is None or reason is not None:
            return _keep(session, scan, caller, seat, now, now, reason)
        at = _let_pass(session, seat, scan, now)
        if at is not None:
            return _keep(session, scan, caller, seat, at, now, None)
    raise Busy


def _let_pass(session: Session, seat: Seat, scan: Scan, now: datetime) -> datetime | None:
    """Move the seat in or out by one conditional UPDATE; None when it is not as it was read.

    Returns when that was: our clock, but never before what the seat did last, so that its history
    reads in the order in which it was made.
    """
    at = now if seat.latest_at is None else max(now, seat.latest_at + _TICK)
    values: dict[str, Any] = {"seat": seat.e_ticket_id}
    if scan.direction is Direction.OUT:
        change = _LEAVE
    elif seat.admitted_at is None:
        change, values = _ENTER, values | {"at": at, "gate": scan.gate}
    else:
        change = _ENTER_AGAIN
    if not change_seat(session, change, values):
        return None
    if seat.admitted_at is None:
        return at
    latest = session.scalar(latest_passing(seat.e_ticket_id))  # the row is locked now
    return max(at, latest + _TICK) if latest else at


def change_seat(session: Session, change: sa.Update, values: dict[str, Any]) -> int:
    """Execute a conditional change of one seat; 0 means that somebody was faster."""
    return session.connection().execute(change, values).rowcount


def _keep(
    session: Session,
    scan: Scan,
    caller: DoorCaller,
    seat: Seat | None,
    at: datetime,
    now: datetime,
    reason: ScanReason | None,
) -> Verdict:
    is_entry = reason is None and scan.direction is Direction.IN
    stood_at, stood_gate = (seat.admitted_at, seat.admitted_gate) if seat else (None, None)
    result = ScanResult.REFUSED if reason else ScanResult.ADMITTED
    row = {
        "scan_id": scan.scan_id,
        "e_ticket_id": seat.e_ticket_id if seat else None,
        "code": kept_code(scan.code),
        "direction": scan.direction,
        "result": result,
        "reason": reason,
        "is_offline": False,
        "gate": scan.gate,
        **caller_columns(caller),
        "admitted_at": None if is_entry else stood_at,
        "admitted_gate": None if is_entry else stood_gate,
        "scanned_at": scan.scanned_at,
        "happened_at": at,
        "created_at": now,
    }
    session.connection().execute(_KEEP, row)
    return Verdict(
        scan_id=scan.scan_id,
        direction=scan.direction,
        result=result,
        reason=reason,
        objection=None,
        holder=seat.holder if seat else None,
        admitted_at=at if is_entry else stood_at,
        gate=scan.gate if is_entry else stood_gate,
        undone_at=None,
        text=kept_code(scan.code),
    )


def caller_columns(caller: DoorCaller) -> dict[str, int | None]:
    """Return the columns of a check-in that say who scanned."""
    return {
        "device_id": caller.device_id,
        "staff_id": caller.staff_id,
        "api_key_id": caller.api_key_id,
    }

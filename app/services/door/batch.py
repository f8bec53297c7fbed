"""Facts: what phones without network decided alone, told to us afterwards.

Whoever was let in is inside, whatever we think of it: it is kept as it happened, and what speaks
against it is kept beside it. So is a scan we had answered, when the answer did not reach the phone
and the phone decided otherwise: the guest saw the phone's verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import Busy
from app.models import ScanReason, ScanResult
from app.services.door.callers import DoorCaller
from app.services.door.checkin import Scan, caller_columns, is_repeat
from app.services.door.history import gate_rules, lock_seats, restate
from app.services.door.rules import STANDING_RULES, GateRules, judge
from app.services.door.seats import Seat, find_seat, kept_code
from app.services.door.verdicts import CHECK_INS, Verdict, find_verdicts
from app.services.running.transaction import transaction, use_case

ATTEMPTS = 3
_LONGEST_AGE = timedelta(days=366)  # a clock that was reset in between tells nothing


@dataclass(frozen=True)
class Fact:
    """A scan and what a phone made of it; an admission has no reason."""

    scan: Scan
    result: ScanResult
    reason: ScanReason | None


@dataclass(frozen=True)
class Told:
    """A fact with the seat it is about, and its time by our clock."""

    fact: Fact
    seat: Seat | None
    at: datetime


@use_case
def record_facts(
    facts: Sequence[Fact], *, sent_at: datetime, caller: DoorCaller, now: datetime
) -> list[Verdict | None]:
    """Keep what happened, all of it or nothing, and return what is on record for each.

    `sent_at` is the phone's clock when it sent them, which tells how far it is from ours. None
    stands where a scan id is on record for another code. Raises Busy; nothing is kept then.
    """
    for _ in range(ATTEMPTS):
        try:
            with transaction() as session:
                return _record(session, facts, sent_at, caller, now)
        except IntegrityError as error:
            if not is_repeat(error):
                raise
            # The same scan came in another way at this moment: now it can be seen.
    raise Busy


def _record(
    session: Session,
    facts: Sequence[Fact],
    sent_at: datetime,
    caller: DoorCaller,
    now: datetime,
) -> list[Verdict | None]:
    gates = gate_rules(session)
    told = _by_scan_id([_tell(session, fact, sent_at, now) for fact in facts])
    seats = {each.seat.e_ticket_id for each in told.values() if each.seat}
    lock_seats(session, seats)
    on_record = find_verdicts(session, told)
    rows = [
        _row(each, _object(each, gates, caller), caller, now)
        for scan_id, each in told.items()
        if _is_news(each.fact, on_record.get(scan_id))
    ]
    # What is on record otherwise is written anew, not changed: phones that have read past it
    # look for newer ids.
    outdated = [row["scan_id"] for row in rows if row["scan_id"] in on_record]
    if outdated:
        session.execute(sa.delete(CHECK_INS).where(CHECK_INS.c.scan_id.in_(outdated)))
    if rows:
        session.connection().execute(sa.insert(CHECK_INS), rows)
        restate(session, {row["e_ticket_id"] for row in rows if row["e_ticket_id"] is not None})
    answers = find_verdicts(session, told)
    return [_same_code(answers[fact.scan.scan_id], fact) for fact in facts]


def _by_scan_id(told: Sequence[Told]) -> Mapping[str, Told]:
    """Return each scan once, as it came first."""
    first: dict[str, Told] = {}
    for each in told:
        first.setdefault(each.fact.scan.scan_id, each)
    return first


def _is_news(fact: Fact, on_record: Verdict | None) -> bool:
    if on_record is None:
        return True
    return _same_code(on_record, fact) is not None and on_record.result is not fact.result


def _same_code(verdict: Verdict, fact: Fact) -> Verdict | None:
    return verdict if verdict.text == kept_code(fact.scan.code) else None


def _tell(session: Session, fact: Fact, sent_at: datetime, now: datetime) -> Told:
    """Find the seat, and when it happened: not after now, nor before the seat was sold."""
    seat = find_seat(session, fact.scan.code)
    age = min(max(sent_at - fact.scan.scanned_at, timedelta()), _LONGEST_AGE)
    at = now - age
    return Told(fact, seat, max(at, min(seat.created_at, now)) if seat else at)


def _row(
    told: Told, objection: ScanReason | None, caller: DoorCaller, now: datetime
) -> dict[str, Any]:
    scan, seat, is_admitted = told.fact.scan, told.seat, told.fact.result is ScanResult.ADMITTED
    return {
        "scan_id": scan.scan_id,
        "e_ticket_id": seat.e_ticket_id if seat else None,
        "code": kept_code(scan.code),
        "direction": scan.direction,
        "result": told.fact.result,
        "reason": None if is_admitted else told.fact.reason,
        "objection": objection if is_admitted else None,
        "is_offline": True,
        "gate": scan.gate,
        **caller_columns(caller),
        "admitted_at": seat.admitted_at if seat else None,
        "admitted_gate": seat.admitted_gate if seat else None,
        "scanned_at": scan.scanned_at,
        "happened_at": told.at,
        "created_at": now,
    }


def _object(
    told: Told, gates: Mapping[str | None, GateRules], caller: DoorCaller
) -> ScanReason | None:
    """Return why we would have refused it, its history aside: that is told by `restate`."""
    scan, seat = told.fact.scan, told.seat
    if seat is None:
        return ScanReason.UNKNOWN_CODE
    return judge(
        seat.facts(told.at),
        gates.get(scan.gate, GateRules()),
        told.at,
        direction=scan.direction,
        lanes=caller.lanes,
        rules=STANDING_RULES,
    )

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
from app.services.door.seats import (
    ELLIPSIS,
    Seat,
    find_seat,
    find_seat_by_beginning,
    find_seat_by_id,
    kept_code,
)
from app.services.door.verdicts import CHECK_INS, Verdict, find_verdicts
from app.services.running.transaction import transaction, use_case

ATTEMPTS = 3
_LONGEST_AGE = timedelta(days=366)  # a clock that was reset in between tells nothing


@dataclass(frozen=True)
class Fact:
    """A scan and what a phone made of it; an admission has no reason.

    A phone that may be stolen keeps no code that opens a name: of one it has verified it tells
    `seat_id` (its scan's code is empty then), of a long one it has not, the beginning and ELLIPSIS.
    """

    scan: Scan
    result: ScanResult
    reason: ScanReason | None
    seat_id: int | None = None


@dataclass(frozen=True)
class Told:
    """A fact with the seat it is about, its time by our clock, and the code as it is kept."""

    fact: Fact
    seat: Seat | None
    at: datetime
    text: str

    @property
    def scan_id(self) -> str:
        return self.fact.scan.scan_id


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
    all_told = [_tell(session, fact, sent_at, now) for fact in facts]
    told = _by_scan_id(all_told)
    seats = {each.seat.e_ticket_id for each in told.values() if each.seat}
    lock_seats(session, seats)
    on_record = find_verdicts(session, told)
    rows = [
        _row(each, _object(each, gates, caller), caller, now)
        for scan_id, each in told.items()
        if _is_news(each, on_record.get(scan_id))
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
    return [_same_scan(answers[each.scan_id], each) for each in all_told]


def _by_scan_id(told: Sequence[Told]) -> Mapping[str, Told]:
    """Return each scan once, as it came first."""
    first: dict[str, Told] = {}
    for each in told:
        first.setdefault(each.scan_id, each)
    return first


def _is_news(told: Told, on_record: Verdict | None) -> bool:
    if on_record is None:
        return True
    if on_record.result is told.fact.result or not _same_scan(on_record, told):
        return False
    return bool(told.seat or not on_record.holder)  # or a seat would lose its entry to nobody


def _same_scan(verdict: Verdict, told: Told) -> Verdict | None:
    """Return the verdict if it is about the same seat or text, else None."""
    if told.seat and verdict.holder:
        return verdict if verdict.holder.code == told.seat.code else None
    if told.text.endswith(ELLIPSIS):
        return verdict if verdict.text.startswith(told.text.removesuffix(ELLIPSIS)) else None
    return verdict if verdict.text == told.text else None


def _tell(session: Session, fact: Fact, sent_at: datetime, now: datetime) -> Told:
    """Find the seat, and when it happened: not after now, nor before the seat was sold."""
    seat, text = _find_seat(session, fact)
    age = min(max(sent_at - fact.scan.scanned_at, timedelta()), _LONGEST_AGE)
    at = now - age
    return Told(fact, seat, max(at, min(seat.created_at, now)) if seat else at, text)


def _find_seat(session: Session, fact: Fact) -> tuple[Seat | None, str]:
    """Return the seat and the code to keep: the whole one, where the phone kept less."""
    code = fact.scan.code
    if fact.seat_id is not None:
        seat, text = find_seat_by_id(session, fact.seat_id), f"seat {fact.seat_id}"
    elif code.endswith(ELLIPSIS):
        seat, text = find_seat_by_beginning(session, code), kept_code(code)
    else:
        return find_seat(session, code), kept_code(code)
    return seat, seat.qr_text if seat else text


def _row(
    told: Told, objection: ScanReason | None, caller: DoorCaller, now: datetime
) -> dict[str, Any]:
    scan, seat, is_admitted = told.fact.scan, told.seat, told.fact.result is ScanResult.ADMITTED
    return {
        "scan_id": scan.scan_id,
        "e_ticket_id": seat.e_ticket_id if seat else None,
        "code": told.text,
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

"""Facts: what phones without network decided alone, told to us afterwards.

Whoever was let in is inside, whatever we think of it: it is kept as it happened, and what speaks
against it is kept beside it. So is a scan we had refused, when the answer did not reach the phone
and the phone let the guest in. What we had admitted stays admitted, whatever is told later: only
an undo takes it back.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from app.services.door.seats import ELLIPSIS, Seat
from app.services.door.told_seats import ToldSeat, find_by_code, find_by_seat_id
from app.services.door.verdicts import CHECK_INS, Verdict, find_verdicts
from app.services.running.transaction import transaction, use_case
from app.services.selling.signing_keys import revoked_keys

ATTEMPTS = 3
NAME_LENGTH = 80  # leaves room for what was done, in 100 characters
_LONGEST_AGE = timedelta(days=366)  # a clock that was reset in between tells nothing


@dataclass(frozen=True)
class Fact:
    """A scan and what a phone made of it; an admission has no reason.

    A phone that may be stolen keeps no code that opens a name: of one it has verified it tells
    `seat_id` (its scan's code is empty then) and the `key_id` it verified it by, of a long one it
    has not, the beginning and ELLIPSIS.
    """

    scan: Scan
    result: ScanResult
    reason: ScanReason | None
    seat_id: int | None = None
    key_id: int | None = None

    @property
    def has_whole_code(self) -> bool:
        """Tell whether the ticket itself was before whoever tells."""
        return self.seat_id is None and not self.scan.code.endswith(ELLIPSIS)


@dataclass(frozen=True)
class Told:
    """A fact with what it is about, and its time by our clock."""

    fact: Fact
    about: ToldSeat
    at: datetime

    @property
    def seat(self) -> Seat | None:
        return self.about.seat

    @property
    def text(self) -> str:
        return self.about.text

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
    gates, revoked = gate_rules(session), revoked_keys(session)
    all_told = [_tell(session, fact, revoked, sent_at, now) for fact in facts]
    told = _by_scan_id(all_told)
    seats = {each.seat.e_ticket_id for each in told.values() if each.seat}
    lock_seats(session, seats)
    on_record = find_verdicts(session, told)
    theirs = _made_by(session, caller, on_record)
    rows = [
        _row(each, _object(each, gates, caller), caller, now)
        for scan_id, each in told.items()
        if scan_id not in on_record
        or (scan_id in theirs and _was_let_in_after_all(each, on_record[scan_id]))
    ]
    _put_aside(
        [row["scan_id"] for row in rows if row["scan_id"] in on_record], session, caller, now
    )
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


def _made_by(session: Session, caller: DoorCaller, scan_ids: Iterable[str]) -> set[str]:
    """Return which of these scans this caller made: nobody else knows better what happened."""
    columns = caller_columns(caller).items()
    mine = [CHECK_INS.c[name].is_not_distinct_from(value) for name, value in columns]
    wanted = sa.select(CHECK_INS.c.scan_id).where(CHECK_INS.c.scan_id.in_(list(scan_ids)), *mine)
    return set(session.scalars(wanted))


def _was_let_in_after_all(told: Told, on_record: Verdict) -> bool:
    """Tell whether the phone let in whom we had refused, not having heard of it."""
    was_refused = on_record.result is ScanResult.REFUSED
    is_admitted = told.fact.result is ScanResult.ADMITTED
    return was_refused and is_admitted and _same_scan(on_record, told) is not None


def _put_aside(
    scan_ids: Sequence[str], session: Session, caller: DoorCaller, now: datetime
) -> None:
    """Keep refusals that a phone did not heed in the history, under other scan ids.

    What happened is written anew: phones that have read past the old row look for newer ids.
    """
    for scan_id in scan_ids:
        old = sa.update(CHECK_INS).where(CHECK_INS.c.scan_id == scan_id)
        by = f"{caller.name[:NAME_LENGTH]}: decided otherwise"
        session.execute(old.values(scan_id=f"{scan_id}:refused", undone_at=now, undone_by=by))


def _same_scan(verdict: Verdict, told: Told) -> Verdict | None:
    """Return the verdict if it is about the same seat or text, else None."""
    if told.seat and verdict.holder:
        return verdict if verdict.holder.code == told.seat.code else None
    if told.text.endswith(ELLIPSIS):
        return verdict if verdict.text.startswith(told.text.removesuffix(ELLIPSIS)) else None
    return verdict if verdict.text == told.text else None


def _tell(
    session: Session,
    fact: Fact,
    revoked: Mapping[int, bytes],
    sent_at: datetime,
    now: datetime,
) -> Told:
    """Find the seat, and when it happened: not after now, nor before the seat was sold."""
    if fact.seat_id is None:
        about = find_by_code(session, fact.scan.code, revoked)
    else:
        about = find_by_seat_id(session, fact.seat_id, fact.key_id, revoked)
    at = now - min(max(sent_at - fact.scan.scanned_at, timedelta()), _LONGEST_AGE)
    seat = about.seat
    return Told(fact, about, max(at, min(seat.created_at, now)) if seat else at)


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
    if seat is None or told.about.is_key_revoked:
        return ScanReason.UNKNOWN_CODE
    return judge(
        seat.facts(told.at),
        gates.get(scan.gate, GateRules()),
        told.at,
        direction=scan.direction,
        lanes=caller.lanes,
        rules=STANDING_RULES,
    )

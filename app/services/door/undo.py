"""Taking a check-in back: a wrong tap, a guest who turned round. It stays in the history."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.errors import CheckInNotFound, UndoNotAllowed
from app.models import CheckIn, ETicket, ScanResult
from app.services.door.callers import DoorCaller
from app.services.door.checkin import caller_columns
from app.services.door.history import lock_seats, restate
from app.services.door.verdicts import CHECK_INS, Verdict, find_verdicts
from app.services.running import audit
from app.services.running.audit import Subject
from app.services.running.transaction import affected, transaction, use_case

WINDOW = timedelta(minutes=15)
NAME_LENGTH = 100


@dataclass(frozen=True)
class Undone:
    """A check-in that was taken back, and the entry that stands on its e-ticket now, if any."""

    verdict: Verdict
    admitted_at: datetime | None
    gate: str | None


@use_case
def undo(scan_id: str, *, caller: DoorCaller, now: datetime) -> Undone:
    """Take back what a scan let in or out; a second time changes nothing.

    Whoever scanned may within WINDOW, a supervisor always. Raises CheckInNotFound, UndoNotAllowed,
    Busy.
    """
    with transaction() as session:
        row = session.execute(sa.select(CHECK_INS).where(CHECK_INS.c.scan_id == scan_id)).first()
        if row is None:
            raise CheckInNotFound
        if row.undone_at is None:
            _check(row, caller, now)
            _take_back(session, row, caller, now)
        return _tell(session, scan_id, row.e_ticket_id)


def _check(row: sa.Row[*tuple[Any, ...]], caller: DoorCaller, now: datetime) -> None:
    mine = all(getattr(row, name) == value for name, value in caller_columns(caller).items())
    is_soon = now - row.happened_at <= WINDOW
    is_theirs = caller.role == "supervisor" or (mine and is_soon)
    if row.result is not ScanResult.ADMITTED or not is_theirs:
        raise UndoNotAllowed


def _take_back(
    session: Session, row: sa.Row[*tuple[Any, ...]], caller: DoorCaller, now: datetime
) -> None:
    seats = [row.e_ticket_id] if row.e_ticket_id is not None else []
    lock_seats(session, seats)
    standing = sa.update(CheckIn).where(CheckIn.scan_id == row.scan_id, CheckIn.undone_at.is_(None))
    if affected(session, standing.values(undone_at=now, undone_by=caller.name[:NAME_LENGTH])):
        restate(session, seats)
        audit.record(
            session,
            actor=caller.actor,
            action="check_in.undone",
            subject=Subject("check_in", row.scan_id),
            before={"gate": row.gate},
            now=now,
        )


def _tell(session: Session, scan_id: str, e_ticket_id: int | None) -> Undone:
    stands = sa.select(ETicket.admitted_at, ETicket.admitted_gate).where(ETicket.id == e_ticket_id)
    seat = session.execute(stands).one_or_none()
    verdict = find_verdicts(session, [scan_id])[scan_id]
    return Undone(verdict, *(seat or (None, None)))

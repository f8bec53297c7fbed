"""What must hold at the door: a seat's row says what its scans say, and nobody entered twice."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import CheckIn, Direction, ETicket, ScanResult

_STANDS = (CheckIn.result == ScanResult.ADMITTED, CheckIn.undone_at.is_(None))
_IS_ENTRY = CheckIn.direction == Direction.IN
# Of two scans at one instant the scan ids decide.
_FORWARDS = (CheckIn.happened_at, CheckIn.scan_id)
_BACKWARDS = (CheckIn.happened_at.desc(), CheckIn.scan_id.desc())


def find_door_violations(session: Session) -> Iterator[str]:
    """Yield a sentence for every rule of the door that is broken."""
    for code, stated, first in session.execute(_other_entry_than_stated()):
        yield f"e-ticket {code}: admitted at {stated}, but its first entry is of {first}"
    for code in session.scalars(_elsewhere_than_stated()):
        yield f"e-ticket {code}: its last scan went the other way than where it is said to be"
    for code in session.scalars(_admitted_twice()):
        yield f"e-ticket {code}: admitted twice online without an exit between"
    for scan_id in session.scalars(_without_sense()):
        yield f"scan {scan_id}: its result does not go with its reason"


def _other_entry_than_stated() -> sa.Select[str, datetime | None, datetime]:
    """Select seats whose `admitted_at` is not that of their earliest entry."""
    first = (
        sa.select(sa.func.min(CheckIn.happened_at))
        .where(CheckIn.e_ticket_id == ETicket.id, _IS_ENTRY, *_STANDS)
        .correlate(ETicket)
        .scalar_subquery()
    )
    is_stated = ETicket.admitted_at.is_not(None)
    differs = (ETicket.admitted_at != first) | (is_stated != first.is_not(None))
    return sa.select(ETicket.code, ETicket.admitted_at, first).where(differs)


def _elsewhere_than_stated() -> sa.Select[str]:
    """Select seats whose last scan says other than `is_inside`; one without scans is outside."""
    number = sa.func.row_number().over(partition_by=CheckIn.e_ticket_id, order_by=_BACKWARDS)
    scans = sa.select(CheckIn.e_ticket_id, CheckIn.direction, number.label("number"))
    last = scans.where(*_STANDS).subquery()
    is_inside = sa.func.coalesce(last.c.direction == Direction.IN, sa.false())
    return (
        sa.select(ETicket.code)
        .outerjoin(last, (last.c.e_ticket_id == ETicket.id) & (last.c.number == 1))
        .where(ETicket.is_inside != is_inside)
    )


def _admitted_twice() -> sa.Select[str]:
    """Select seats with two entries that we let in ourselves and no exit between.

    An exit counts although it was undone: the second entry was right when it was made.
    """
    is_ours = _IS_ENTRY & CheckIn.undone_at.is_(None) & sa.not_(CheckIn.is_offline)
    is_entry = sa.case((_IS_ENTRY, 1), else_=0)
    before = sa.func.lag(is_entry).over(partition_by=CheckIn.e_ticket_id, order_by=_FORWARDS)
    scans = (
        sa.select(CheckIn.e_ticket_id, is_entry.label("is_entry"), before.label("before"))
        .where(CheckIn.result == ScanResult.ADMITTED, is_ours | sa.not_(_IS_ENTRY))
        .subquery()
    )
    twice = (scans.c.is_entry == 1) & (scans.c.before == 1)
    return sa.select(ETicket.code).join(scans, scans.c.e_ticket_id == ETicket.id).where(twice)


def _without_sense() -> sa.Select[str]:
    """Select refusals without a reason and admissions with one."""
    is_refused = CheckIn.result == ScanResult.REFUSED
    return sa.select(CheckIn.scan_id).where(is_refused == CheckIn.reason.is_(None))

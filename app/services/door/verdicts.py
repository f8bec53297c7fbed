"""Verdicts: what a scan is answered, now and when it is asked for again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import CheckIn, Direction, ETicket, ScanReason, ScanResult, Ticket
from app.models.codes import lane_of
from app.services.door.seats import Holder

CHECK_INS = cast(sa.Table, CheckIn.__table__)


@dataclass(frozen=True)
class Verdict:
    """What happened at a scan.

    `admitted_at` and `gate` are this entry, or else the entry that stood already. `objection` is
    why we would have refused what a phone without network let through. `text` is what was scanned.
    """

    scan_id: str
    direction: Direction
    result: ScanResult
    reason: ScanReason | None
    objection: ScanReason | None
    holder: Holder | None
    admitted_at: datetime | None
    gate: str | None
    undone_at: datetime | None
    text: str


def find_verdicts(session: Session, scan_ids: Iterable[str]) -> dict[str, Verdict]:
    """Return what these scans were answered, by scan id, as far as they are known."""
    query = (
        sa.select(
            *CHECK_INS.c,
            ETicket.code.label("e_ticket_code"),
            ETicket.attendee,
            ETicket.seat_id,
            Ticket.type,
        )
        .outerjoin(ETicket, ETicket.id == CHECK_INS.c.e_ticket_id)
        .outerjoin(Ticket, Ticket.id == ETicket.ticket_id)
        .where(CHECK_INS.c.scan_id.in_(list(scan_ids)))
    )
    return {row.scan_id: _verdict(row) for row in session.execute(query)}


def _verdict(row: sa.Row[*tuple[Any, ...]]) -> Verdict:
    holder = None
    if row.e_ticket_id is not None:
        holder = Holder(row.e_ticket_code, row.attendee, row.type, lane_of(row.seat_id))
    is_entry = row.result is ScanResult.ADMITTED and row.direction is Direction.IN
    return Verdict(
        scan_id=row.scan_id,
        direction=row.direction,
        result=row.result,
        reason=row.reason,
        objection=row.objection,
        holder=holder,
        admitted_at=row.happened_at if is_entry else row.admitted_at,
        gate=row.gate if is_entry else row.admitted_gate,
        undone_at=row.undone_at,
        text=row.code,
    )

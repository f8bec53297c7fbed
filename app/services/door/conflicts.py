"""Conflicts: who entered and should not have, known once phones report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import (
    ApiKey,
    CheckIn,
    Device,
    Direction,
    ETicket,
    Order,
    ScanReason,
    ScanResult,
    Staff,
    Ticket,
)
from app.services.door.history import gate_rules, list_passings, replay
from app.services.running.transaction import reading

SHOWN = 16  # characters of a text that is no code of ours
_BY = sa.func.coalesce(Device.name, Staff.email, ApiKey.name, "")


@dataclass(frozen=True)
class Entry:
    """Somebody who was let in.

    `by` is the device, member of staff or partner; `is_double` when the seat was taken already.
    """

    scan_id: str
    happened_at: datetime
    gate: str | None
    by: str
    is_offline: bool
    is_double: bool


@dataclass(frozen=True)
class Conflict:
    """An e-ticket on which more people entered than may, and all entries on it that stand."""

    code: str
    attendee: str
    ticket_type: str
    order_code: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Objection:
    """Somebody whom a phone without network let through, and why we would not have.

    Of a code that is no ticket, `code` is how the text begins and nobody's name is known.
    """

    scan_id: str
    happened_at: datetime
    gate: str | None
    by: str
    is_exit: bool
    reason: ScanReason
    code: str
    attendee: str | None
    ticket_type: str | None


def list_conflicts() -> list[Conflict]:
    """Return every e-ticket with an entry too many, the first to have happened first.

    Coming back after going out is no conflict where the gate has re-entry. The answer depends on
    what happened only, not on which phone reported it first.
    """
    with reading() as session:
        gates = gate_rules(session)
        doubles: dict[int, frozenset[int]] = {}
        for e_ticket_id, passings in list_passings(session, _find_twice_entered(session)).items():
            objections = replay(passings, gates)[1]
            twice = frozenset(k for k, v in objections.items() if v is ScanReason.ALREADY_ADMITTED)
            if twice:
                doubles[e_ticket_id] = twice
        return _describe(session, doubles)


def list_objections() -> list[Objection]:
    """Return who was let through without a network and should not have been, the first first.

    Those who entered twice are left out: they are conflicts.
    """
    rows = (
        _with_names(sa.select(CheckIn, _BY, ETicket.code, ETicket.attendee, Ticket.type))
        .outerjoin(ETicket, ETicket.id == CheckIn.e_ticket_id)
        .outerjoin(Ticket, Ticket.id == ETicket.ticket_id)
        .where(
            CheckIn.objection.is_not(None),
            CheckIn.objection != ScanReason.ALREADY_ADMITTED,
            CheckIn.undone_at.is_(None),
        )
        .order_by(CheckIn.happened_at, CheckIn.scan_id)
    )
    with reading() as session:
        return [
            Objection(
                scan_id=row.scan_id,
                happened_at=row.happened_at,
                gate=row.gate,
                by=by,
                is_exit=row.direction is Direction.OUT,
                reason=row.objection,
                code=code or row.code[:SHOWN],
                attendee=attendee,
                ticket_type=kind,
            )
            for row, by, code, attendee, kind in session.execute(rows)
            if row.objection
        ]


def _with_names(query: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """Add the tables that say who scanned."""
    return (
        query.select_from(CheckIn)
        .outerjoin(Device, Device.id == CheckIn.device_id)
        .outerjoin(Staff, Staff.id == CheckIn.staff_id)
        .outerjoin(ApiKey, ApiKey.id == CheckIn.api_key_id)
    )


def _standing_entries() -> tuple[sa.ColumnElement[bool], ...]:
    return (
        CheckIn.result == ScanResult.ADMITTED,
        CheckIn.direction == Direction.IN,
        CheckIn.undone_at.is_(None),
    )


def _find_twice_entered(session: Session) -> Sequence[int]:
    """Return the e-tickets with more than one entry that stands.

    The few scanned more than once are told by an index alone; the scans of only those are read.
    """
    scanned_again = (
        sa.select(CheckIn.e_ticket_id)
        .where(CheckIn.e_ticket_id.is_not(None))
        .group_by(CheckIn.e_ticket_id)
        .having(sa.func.count() > 1)
    )
    entered_twice = (
        sa.select(CheckIn.e_ticket_id)
        .where(CheckIn.e_ticket_id.in_(scanned_again), *_standing_entries())
        .group_by(CheckIn.e_ticket_id)
        .having(sa.func.count() > 1)
    )
    return [found for found in session.scalars(entered_twice) if found is not None]


def _describe(session: Session, doubles: dict[int, frozenset[int]]) -> list[Conflict]:
    entries = _entries(session, doubles)
    seats = (
        sa.select(ETicket.id, ETicket.code, ETicket.attendee, Ticket.type, Order.code)
        .join(Ticket, Ticket.id == ETicket.ticket_id)
        .join(Order, Order.id == ETicket.order_id)
        .where(ETicket.id.in_(doubles))
    )
    found = [
        Conflict(code, attendee, kind, order_code, tuple(entries[e_ticket_id]))
        for e_ticket_id, code, attendee, kind, order_code in session.execute(seats)
    ]
    return sorted(found, key=lambda conflict: (conflict.entries[0].happened_at, conflict.code))


def _entries(session: Session, doubles: dict[int, frozenset[int]]) -> dict[int, list[Entry]]:
    rows = (
        _with_names(sa.select(CheckIn, ETicket.id, _BY))
        .join(ETicket, ETicket.id == CheckIn.e_ticket_id)
        .where(CheckIn.e_ticket_id.in_(doubles), *_standing_entries())
        .order_by(CheckIn.happened_at, CheckIn.scan_id)
    )
    found: dict[int, list[Entry]] = {e_ticket_id: [] for e_ticket_id in doubles}
    for row, e_ticket_id, by in session.execute(rows):
        found[e_ticket_id].append(
            Entry(
                scan_id=row.scan_id,
                happened_at=row.happened_at,
                gate=row.gate,
                by=by,
                is_offline=row.is_offline,
                is_double=row.id in doubles[e_ticket_id],
            )
        )
    return found

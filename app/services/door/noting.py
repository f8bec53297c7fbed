"""What the audit log tells of gates and phones."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Device, Gate, Ticket
from app.services.running import audit
from app.services.running.audit import By, Subject

Facts = Mapping[str, object]


def gate_facts(session: Session, gate: Gate) -> Facts:
    """Return what of a gate may change, its tickets by name."""
    tickets = sa.select(Ticket.type).where(Ticket.id.in_(gate.ticket_ids)).order_by(Ticket.id)
    return {
        "name": gate.name,
        "tickets": list(session.scalars(tickets)) if gate.ticket_ids else [],
        "opens_at": gate.opens_at,
        "closes_at": gate.closes_at,
        "has_reentry": gate.has_reentry,
        "has_exit": gate.has_exit,
    }


def device_facts(session: Session, device: Device) -> Facts:
    """Return what of a phone may change, its gate by name."""
    gate = session.get(Gate, device.gate_id) if device.gate_id else None
    return {
        "name": device.name,
        "role": device.role,
        "gate": gate.name if gate else None,
        "lanes": device.lanes,
    }


def note_gate(
    session: Session,
    action: str,
    gate: Gate,
    by: By,
    now: datetime,
    before: Facts | None = None,
    after: Facts | None = None,
) -> None:
    """Record what somebody did with a gate."""
    subject = Subject("gate", str(gate.id), gate.name)
    audit.record(
        session, actor=by, action=action, subject=subject, before=before, after=after, now=now
    )


def note_device(
    session: Session,
    action: str,
    device: Device,
    by: By,
    now: datetime,
    before: Facts | None = None,
    after: Facts | None = None,
) -> None:
    """Record what somebody did with a phone."""
    subject = Subject("device", str(device.id), device.name)
    audit.record(
        session, actor=by, action=action, subject=subject, before=before, after=after, now=now
    )

"""What phones say of themselves, read with care: a report is whatever a phone sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.models import Device
from app.services.running.transaction import reading

MOST = 1_000_000  # more than any phone has of anything


@dataclass(frozen=True)
class Waiting:
    """A phone in use that had not sent all its scans when it last called."""

    name: str
    queued: int


def read_queued(report: Mapping[str, Any] | None) -> int:
    """Return how many scans a phone had not sent yet; what is no number counts as none."""
    queued = (report or {}).get("queued")
    return min(max(queued, 0), MOST) if isinstance(queued, int) else 0


def list_waiting(session: Session | None = None) -> list[Waiting]:
    """Return the phones that hold scans still."""
    if session is None:
        with reading() as own:
            return list_waiting(own)
    said = sa.select(Device.name, Device.report).where(Device.cut_off_at.is_(None))
    found = [Waiting(name, read_queued(report)) for name, report in session.execute(said)]
    return [each for each in found if each.queued]

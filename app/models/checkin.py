"""CheckIn: one scan at the door, admitted or refused, kept for ever."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column, enum_column, exact_text
from app.tracing import current_request_id


class ScanResult(enum.Enum):
    ADMITTED = "admitted"
    REFUSED = "refused"


class Direction(enum.Enum):
    IN = "in"
    OUT = "out"


class ScanReason(enum.Enum):
    """Why somebody is not let through, in the order in which it is checked."""

    UNKNOWN_CODE = "unknown_code"
    REVOKED = "revoked"
    ORDER_CANCELLED = "order_cancelled"
    WRONG_TICKET = "wrong_ticket"
    OUTSIDE_PERIOD = "outside_period"
    WRONG_LANE = "wrong_lane"
    ALREADY_ADMITTED = "already_admitted"
    NOT_INSIDE = "not_inside"


class CheckIn(Base):
    """One scan. `scan_id` comes from the device, so that a repeat is told from a second scan.

    `result` is what happened at the door. A device without network decides alone: `is_offline`,
    and `objection` is then what the server would have refused it for. `scanned_at` is the device's
    clock, `happened_at` the same moment by ours, `created_at` when we were told. `admitted_at` and
    `admitted_gate` are the entry that stood in the way, so that a repeat gets the same answer.
    A row that was undone stays: an admission taken back, or a refusal a phone had not heeded.
    """

    __tablename__ = "check_ins"
    __table_args__ = (
        sa.Index(None, "e_ticket_id", "created_at"),
        sa.Index(None, "happened_at"),
        sa.Index(None, "undone_at"),  # phones ask for the latest every few seconds
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scan_id: Mapped[str] = mapped_column(code_column(64), unique=True)
    e_ticket_id: Mapped[int | None] = mapped_column(sa.ForeignKey("e_tickets.id"))
    code: Mapped[str] = mapped_column(sa.String(200))
    direction: Mapped[Direction] = mapped_column(enum_column(Direction), default=Direction.IN)
    result: Mapped[ScanResult] = mapped_column(enum_column(ScanResult))
    reason: Mapped[ScanReason | None] = mapped_column(enum_column(ScanReason))
    objection: Mapped[ScanReason | None] = mapped_column(enum_column(ScanReason))
    is_offline: Mapped[bool] = mapped_column(default=False)
    gate: Mapped[str | None] = mapped_column(exact_text(32))
    device_id: Mapped[int | None] = mapped_column(sa.ForeignKey("devices.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    api_key_id: Mapped[int | None] = mapped_column(sa.ForeignKey("api_keys.id"))
    admitted_at: Mapped[datetime | None]
    admitted_gate: Mapped[str | None] = mapped_column(exact_text(32))
    scanned_at: Mapped[datetime]
    happened_at: Mapped[datetime]
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(sa.String(100))
    request_id: Mapped[str | None] = mapped_column(code_column(64), default=current_request_id)

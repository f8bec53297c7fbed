"""The door: gates, the devices that scan there, and what holds for all of them."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, code_column, enum_column, exact_text


class DeviceRole(enum.Enum):
    SCANNER = "scanner"
    SUPERVISOR = "supervisor"


class Gate(Base):
    """Where people enter: which tickets, from when to when (exclusive), and how often.

    No ticket ids means every ticket. With `has_reentry` a guest who was scanned out may come back;
    `has_exit` says whether people are scanned when they leave.
    """

    __tablename__ = "gates"
    __table_args__ = (sa.CheckConstraint("opens_at < closes_at", name="times_forward"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(exact_text(32), unique=True)
    ticket_ids: Mapped[list[int]] = mapped_column(sa.JSON())
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    has_reentry: Mapped[bool] = mapped_column(default=False)
    has_exit: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class Device(Base):
    """A phone at the door. It is paired once, by a code that staff show and that soon ends.

    Only SHA-256 of that code and of the device's own token are kept. `lanes` are the letters it
    admits in lane mode, such as `ABCD`; a supervisor admits all. `report` is what it last said of
    itself: battery, tickets on it, scans not sent yet, its clock. `owner_id` is who made their own
    phone one of the door.
    """

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64))
    role: Mapped[DeviceRole] = mapped_column(enum_column(DeviceRole))
    gate_id: Mapped[int | None] = mapped_column(sa.ForeignKey("gates.id"))
    lanes: Mapped[str] = mapped_column(code_column(16), default="")
    pairing_hash: Mapped[str | None] = mapped_column(code_column(64), unique=True)
    pairing_expires_at: Mapped[datetime | None]
    token_hash: Mapped[str | None] = mapped_column(code_column(64), unique=True)
    report: Mapped[dict[str, Any] | None]
    created_by: Mapped[str] = mapped_column(sa.String(254))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    created_at: Mapped[datetime]
    paired_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    cut_off_at: Mapped[datetime | None]

    gate: Mapped[Gate | None] = relationship(lazy="joined")


class DoorSettings(Base):
    """What holds at every gate; one row, id 1, or none for the defaults.

    In lane mode each device admits only its lanes, so that no two devices ever admit one ticket.
    """

    __tablename__ = "door_settings"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_lane_mode: Mapped[bool] = mapped_column(default=False)
    changed_by: Mapped[str] = mapped_column(sa.String(254))
    changed_at: Mapped[datetime]

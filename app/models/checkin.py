"""CheckIn: one scan at the door, admitted or refused, kept for ever."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column


class CheckIn(Base):
    """One scan. `scan_id` comes from the device, so that a repeat is told from a second scan."""

    __tablename__ = "check_ins"
    __table_args__ = (sa.Index(None, "e_ticket_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    scan_id: Mapped[str] = mapped_column(code_column(64), unique=True)
    e_ticket_id: Mapped[int | None] = mapped_column(sa.ForeignKey("e_tickets.id"))
    code: Mapped[str] = mapped_column(sa.String(200))
    result: Mapped[str] = mapped_column(sa.String(16))
    reason: Mapped[str | None] = mapped_column(sa.String(32))
    gate: Mapped[str | None] = mapped_column(sa.String(32))
    scanned_at: Mapped[datetime]
    created_at: Mapped[datetime]

"""AuditEntry: one change a person made: who, when, what, from what to what."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column, enum_column


class ActorKind(enum.Enum):
    STAFF = "staff"
    PARTNER = "partner"
    DEVICE = "device"
    COMMAND = "command"


class AuditEntry(Base):
    """One line of the audit log; the database refuses to change or delete it (ADR 15).

    `actor_id` is the row of a member of staff, a key or a device; None for the command line. What
    they were called then is kept beside it. `changes` is `{field: [before, after]}`.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        sa.Index(None, "happened_at"),
        sa.Index(None, "actor_name"),
        sa.Index(None, "action"),
        sa.Index(None, "subject_kind", "subject_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    happened_at: Mapped[datetime]
    actor_kind: Mapped[ActorKind] = mapped_column(enum_column(ActorKind))
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(sa.String(254))
    action: Mapped[str] = mapped_column(code_column(64))
    subject_kind: Mapped[str] = mapped_column(code_column(32))
    subject_key: Mapped[str] = mapped_column(code_column(64))
    subject_name: Mapped[str] = mapped_column(sa.String(254))
    changes: Mapped[dict[str, Any]]
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    request_id: Mapped[str] = mapped_column(code_column(64))

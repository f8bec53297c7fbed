"""Job: something that must happen later, written in the transaction that needs it."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column, enum_column


class JobStatus(enum.Enum):
    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


class Job(Base):
    """A piece of outside work. Open and due means claimable; claiming moves `due_at` to the end of
    a lease, so that the job of a worker that died becomes claimable again by itself.
    """

    __tablename__ = "jobs"
    __table_args__ = (sa.Index(None, "status", "due_at", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(code_column(32))
    payload: Mapped[dict[str, Any]]
    status: Mapped[JobStatus] = mapped_column(enum_column(JobStatus))
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(sa.String(500))
    request_id: Mapped[str] = mapped_column(code_column(64))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class WorkerHeartbeat(Base):
    """When a worker was last alive; `/readyz` looks at the newest."""

    __tablename__ = "worker_heartbeats"

    worker: Mapped[str] = mapped_column(code_column(64), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(index=True)

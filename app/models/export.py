"""Export: a file of figures somebody asked for, made by a job, kept for a day."""

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column, enum_column


class ExportKind(enum.Enum):
    ORDERS = "orders"
    ITEMS = "items"
    PAYMENTS = "payments"
    REFUNDS = "refunds"
    LEDGER = "ledger"
    ATTENDEES = "attendees"

    @property
    def is_personal(self) -> bool:
        """Tell whether it names people, and so is for admins only."""
        return self is ExportKind.ATTENDEES


class ExportFormat(enum.Enum):
    CSV = "csv"
    XLSX = "xlsx"


class ExportStatus(enum.Enum):
    WAITING = "waiting"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"
    ERASED = "erased"


class Export(Base):
    """A wish for a file, and how far it is. `since` and `until` are days, both included.

    `run` names the worker's try that may fill it: one whose lease ran out finds another's there
    and leaves. `total` is the sum its last line says, None where there is nothing to add up.
    """

    __tablename__ = "exports"
    __table_args__ = (sa.Index(None, "expires_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(code_column(32), unique=True)
    kind: Mapped[ExportKind] = mapped_column(enum_column(ExportKind))
    format: Mapped[ExportFormat] = mapped_column(enum_column(ExportFormat))
    since: Mapped[date] = mapped_column(sa.Date)
    until: Mapped[date] = mapped_column(sa.Date)
    locale: Mapped[str] = mapped_column(code_column(8))
    status: Mapped[ExportStatus] = mapped_column(enum_column(ExportStatus))
    asked_by: Mapped[str] = mapped_column(sa.String(254))
    run: Mapped[str | None] = mapped_column(code_column(32))
    rows_done: Mapped[int] = mapped_column(default=0)
    rows_expected: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    size: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]

    @property
    def is_moving(self) -> bool:
        """Tell whether a worker still has to do something."""
        return self.status in (ExportStatus.WAITING, ExportStatus.WORKING)


class ExportPart(Base):
    """A piece of the file. In the database: whoever serves it may be another machine."""

    __tablename__ = "export_parts"
    __table_args__ = (sa.UniqueConstraint("export_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    export_id: Mapped[int] = mapped_column(sa.ForeignKey("exports.id"))
    number: Mapped[int]
    data: Mapped[bytes] = mapped_column(
        sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
    )

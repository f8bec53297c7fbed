"""InboxNote: what staff said about something that waits for a person, and who looks after it."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, code_column, enum_column
from app.models.staff import Staff


class Source(enum.Enum):
    """Where something that waits for a person stands in the database."""

    CASE = "case"
    REFUND = "refund"
    MAIL = "mail"
    DIFFERENCE = "difference"
    SETTLEMENT = "settlement"
    BALANCE = "balance"
    JOB = "job"


class InboxNote(Base):
    """The owner of an entry of the inbox and the last note about it; made when either is first set.

    `key` names the entry within its source. `closed_at` is set where a person's word alone ends it:
    a letter that cannot arrive, a difference that was explained, a settlement that Xendit has
    spoken about, a balance that differs, a job that is given up for good.
    `version` counts what was done here, so that a page that shows an older state is told from it.
    """

    __tablename__ = "inbox_notes"
    __table_args__ = (sa.UniqueConstraint("source", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[Source] = mapped_column(enum_column(Source))
    key: Mapped[str] = mapped_column(code_column(96))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"))
    note: Mapped[str | None] = mapped_column(sa.String(500))
    version: Mapped[int]
    changed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(sa.String(254))

    owner: Mapped[Staff | None] = relationship()

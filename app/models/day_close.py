"""DayClose: a day that a person has signed: its sums then, who, when, and what they explained."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column


class DayClose(Base):
    """One signed day of the ledger; the database refuses to change or delete it (ADR 19).

    `sums` is `{"movement.account": rupiah}` of the day's entries. `seal` is a SHA-256 over this
    row and `previous_seal`, so that no closed day can be altered without all after it.
    """

    __tablename__ = "day_closes"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(sa.Date, unique=True)
    sums: Mapped[dict[str, Any]]
    differences: Mapped[int]
    explanation: Mapped[str | None] = mapped_column(sa.String(1000))
    closed_by: Mapped[str] = mapped_column(sa.String(254))
    closed_at: Mapped[datetime]
    previous_seal: Mapped[str] = mapped_column(code_column(64))
    seal: Mapped[str] = mapped_column(code_column(64))

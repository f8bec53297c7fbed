"""Inspection: what the last look at the whole database found, kept for all who ask."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Inspection(Base):
    """One row, shared by all processes: the last result, and when the next look may begin.

    `counts` are samples for Prometheus: by the metric's name, pairs of label values and a number.
    `violations` are the first sentences of what is wrong, `broken` is how many there were.
    """

    __tablename__ = "inspections"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    next_at: Mapped[datetime]
    began_at: Mapped[datetime | None]
    took_ms: Mapped[int] = mapped_column(default=0)
    broken: Mapped[int] = mapped_column(default=0)
    violations: Mapped[list[str]]
    counts: Mapped[dict[str, Any]]

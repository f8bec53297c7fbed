"""CallBudget: how many calls to one of Xendit's endpoints were made in the current minute."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column


class CallBudget(Base):
    """One row an endpoint, shared by all processes; `allowed` is what Xendit says a minute takes.

    `used` comes before `window_at`: where both are set by one statement, MariaDB gives the later
    expression the new value of the earlier column.
    """

    __tablename__ = "call_budgets"

    endpoint: Mapped[str] = mapped_column(code_column(32), primary_key=True)
    allowed: Mapped[int]
    used: Mapped[int]
    window_at: Mapped[datetime]


class ReconciledDay(Base):
    """A day whose reconciliation was put among the jobs: the key lets only one worker do that."""

    __tablename__ = "reconciled_days"

    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    scheduled_at: Mapped[datetime]


class CallPace(Base):
    """When the next call to an endpoint may be made, so that calls are spread over the minute.

    Microseconds since 1970 and between two calls: whole numbers, which every database adds alike.
    """

    __tablename__ = "call_paces"

    endpoint: Mapped[str] = mapped_column(code_column(32), primary_key=True)
    interval_us: Mapped[int]
    next_us: Mapped[int]

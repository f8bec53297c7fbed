"""PageView: how often the shop was looked at in a day. A count of nobody in particular."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class PageView(Base):
    """Visits of the shop's first page on one day of the event's zone."""

    __tablename__ = "page_views"

    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    views: Mapped[int] = mapped_column(default=0)

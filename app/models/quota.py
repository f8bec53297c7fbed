"""Quota: seats that several kinds of ticket draw on together."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, exact_text


class Quota(Base):
    """Seats shared by tickets, such as early birds and regulars in the same hall.

    A ticket belongs to one at most (`ticket_stock.quota_id`). `held` and `sold` are the sums over
    its tickets: only who holds the locks of their stock rows may move them.
    """

    __tablename__ = "quotas"
    __table_args__ = (
        sa.CheckConstraint("held >= 0", name="held_not_negative"),
        sa.CheckConstraint("sold >= 0", name="sold_not_negative"),
        sa.CheckConstraint("held + sold <= amount", name="not_oversold"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(exact_text(100), unique=True)
    amount: Mapped[int]
    held: Mapped[int] = mapped_column(default=0)
    sold: Mapped[int] = mapped_column(default=0)

    @property
    def available(self) -> int:
        """Return how many can still be held."""
        return self.amount - self.held - self.sold

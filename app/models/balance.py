"""The balance at Xendit: what left it, what a person entered of it, and what Xendit says it is."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column, enum_column


class Withdrawal(Base):
    """Money that Xendit paid out of the balance, as its list has it; amounts in rupiah.

    `kind` and `status` are Xendit's words (WITHDRAWAL, DISBURSEMENT; PENDING, SUCCESS, FAILED,
    VOIDED, REVERSED). The charges come on top of `amount`. `is_posted` is False while the ledger
    has not looked at the row as it is now.
    """

    __tablename__ = "withdrawals"
    __table_args__ = (sa.Index(None, "is_posted"), sa.Index(None, "created_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    xendit_id: Mapped[str] = mapped_column(code_column(64), unique=True)
    kind: Mapped[str] = mapped_column(code_column(32))
    status: Mapped[str] = mapped_column(code_column(32))
    amount: Mapped[int]
    fee: Mapped[int]
    vat: Mapped[int]
    withholding: Mapped[int]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime]
    is_posted: Mapped[bool]


class CorrectionKind(enum.Enum):
    """What a person saw on Xendit's own list of the balance; each has one that takes it back."""

    CHARGED = "charged"  # a charge that no payment carries: a fee for a refund
    CHARGE_RETURNED = "charge_returned"
    WITHDRAWN = "withdrawn"
    TOPPED_UP = "topped_up"


class BalanceCorrection(Base):
    """A movement of the balance at Xendit that a person entered, with a reason; never changed.

    `amount` is in rupiah and positive; `happened_at` is noon of the day it is about.
    """

    __tablename__ = "balance_corrections"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[CorrectionKind] = mapped_column(enum_column(CorrectionKind))
    amount: Mapped[int]
    happened_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(500))
    entered_by: Mapped[str] = mapped_column(sa.String(254))
    entered_at: Mapped[datetime]


class BalanceReading(Base):
    """What Xendit said was in the balance, beside the ledger at that moment; amounts in rupiah.

    `amount` is None where Xendit refused to say, and `problem` its word. `under_way` is what had
    been sent and not yet arrived: Xendit may have counted it as gone or not. `began_with` is the
    first of the readings in a row that differ the same way; None in that one, and where it agrees.
    """

    __tablename__ = "balance_readings"

    id: Mapped[int] = mapped_column(primary_key=True)
    read_at: Mapped[datetime]
    amount: Mapped[int | None]
    ledger: Mapped[int]
    under_way: Mapped[int]
    began_with: Mapped[int | None]
    problem: Mapped[str | None] = mapped_column(sa.String(255))

    @property
    def difference(self) -> int:
        """Return how much more Xendit has than the ledger; 0 where Xendit does not say."""
        return 0 if self.amount is None else self.amount - self.ledger

    @property
    def differs(self) -> bool:
        """Tell whether the difference is more than what is under way can be."""
        return not -self.under_way <= self.difference <= 0

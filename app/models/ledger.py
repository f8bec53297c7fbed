"""The ledger: every movement of money as a posting whose entries sum to zero; never changed."""

import enum
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column, enum_column


class Account(enum.Enum):
    """Where money is, whose it is, or what became of it. See docs/finance.md for each in words.

    Debit is positive, credit negative: what the organiser has (RECEIVABLE, BALANCE) and what was
    spent (FEE, VAT) are positive; what was sold, and what is owed to buyers, negative.
    """

    SALES = "sales"  # by ticket: the price of seats
    BUYERS = "buyers"  # paid, and neither sold for nor promised back: money that wants a decision
    REFUNDS_OWED = "refunds_owed"  # promised back and not yet sent
    GOODWILL = "goodwill"  # sent back although the seats were kept
    ACCEPTED = "accepted"  # paid too little or too much, and taken as it is
    RECEIVABLE = "receivable"  # paid by buyers, not yet in the balance at Xendit
    BALANCE = "balance"  # the balance at Xendit: settled, less what Xendit sent back
    BANK = "bank"  # the organiser's own account: paid out by Xendit, less refunds by hand
    FEE = "fee"
    VAT = "vat"
    WITHHOLDING = "withholding"


class Movement(enum.Enum):
    """What happened, as the kind of a posting."""

    RECEIVED = "received"  # one invoice was paid
    SOLD = "sold"  # an order became PAID
    CANCELLED = "cancelled"  # a PAID order was taken back
    ACCEPTED = "accepted"  # what was paid too much is kept
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    CHARGED = "charged"  # Xendit's fee and the taxes on it, expected or final
    SETTLED = "settled"  # Xendit moved the money into the balance
    PAID_OUT = "paid_out"  # Xendit sent money from the balance to a bank; of no order
    CORRECTED = "corrected"  # entered by a person with a reason; of no order


class LedgerPosting(Base):
    """One movement, or a correction of one; the database refuses to change or delete it (ADR 19).

    `key` names the fact it follows (an invoice, a refund); `order_id` is None for the balance's own
    movements. `day` is the day it is booked on, in the
    event's zone; `corrects` the closed day it would have belonged to, None for an ordinary one.
    """

    __tablename__ = "ledger_postings"
    __table_args__ = (
        sa.Index(None, "order_id"),
        sa.Index(None, "day", "movement", "key"),
        sa.Index(None, "day", "corrects"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("orders.id"))
    movement: Mapped[Movement] = mapped_column(enum_column(Movement))
    key: Mapped[str] = mapped_column(code_column(64))
    day: Mapped[date] = mapped_column(sa.Date)
    corrects: Mapped[date | None] = mapped_column(sa.Date)
    happened_at: Mapped[datetime]
    posted_at: Mapped[datetime]


class LedgerEntry(Base):
    """One line of a posting: rupiah to one account; `day` and `movement` are its posting's.

    `count` is how many: seats for SALES (ticket by ticket, negative when given back), orders,
    payments, refunds and so on for the others. `ticket_id` is 0 and `channel` empty where there is
    none. `ticket_id` has no foreign key for that.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        sa.Index(None, "posting_id"),
        sa.Index(None, "order_id"),
        sa.Index(None, "day", "movement", "account"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    posting_id: Mapped[int] = mapped_column(sa.ForeignKey("ledger_postings.id"))
    order_id: Mapped[int | None]
    day: Mapped[date] = mapped_column(sa.Date)
    movement: Mapped[Movement] = mapped_column(enum_column(Movement))
    account: Mapped[Account] = mapped_column(enum_column(Account))
    ticket_id: Mapped[int]
    channel: Mapped[str] = mapped_column(code_column(64))
    amount: Mapped[int]
    count: Mapped[int]


class LedgerSum(Base):
    """The entries of a day added up, kept in step by whoever posts, so that pages need not add."""

    __tablename__ = "ledger_sums"

    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    movement: Mapped[Movement] = mapped_column(enum_column(Movement), primary_key=True)
    account: Mapped[Account] = mapped_column(enum_column(Account), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(code_column(64), primary_key=True)
    amount: Mapped[int]
    count: Mapped[int]


class LedgerMark(Base):
    """An order whose money changed and was not looked at by the ledger since.

    Written in the transaction of the change; several for one order are as good as one.
    """

    __tablename__ = "ledger_marks"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int]


class LedgerState(Base):
    """One row (id 1): whoever posts or closes a day holds its lock.

    `closed_until` is the last day that takes no more postings; `swept_to` the order up to which
    the sweep for forgotten orders came.
    """

    __tablename__ = "ledger_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    closed_until: Mapped[date | None] = mapped_column(sa.Date)
    swept_to: Mapped[int]

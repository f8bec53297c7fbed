"""Message: a mail to all holders of chosen tickets; MessageRecipient: one person it goes to."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column, enum_column, exact_text


class MessageStatus(enum.Enum):
    DRAFT = "draft"
    SENDING = "sending"
    STOPPED = "stopped"
    SENT = "sent"


class RecipientStatus(enum.Enum):
    WAITING = "waiting"
    TAKEN = "taken"  # by a worker, which is handing the letter to the mail server
    SENT = "sent"
    REFUSED = "refused"  # for good
    UNSURE = "unsure"  # the worker or the line broke off: it may have arrived
    GONE = "gone"  # holds no such ticket any more: not written to


class Message(Base):
    """What the organiser writes to attendees, in Indonesian and, if wanted, in English.

    `version` counts changes of the draft; `tried_version` is the one last mailed to its writer.
    The list of those it goes to is made from the newest order (`listed_from`) down to the oldest:
    `listed_down_to` is the last one looked at, and `listed_at` when all were.
    """

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(150))
    body: Mapped[str] = mapped_column(sa.Text())
    subject_en: Mapped[str] = mapped_column(sa.String(150), default="")
    body_en: Mapped[str] = mapped_column(sa.Text())
    ticket_ids: Mapped[list[int]] = mapped_column(sa.JSON())
    status: Mapped[MessageStatus] = mapped_column(enum_column(MessageStatus))
    version: Mapped[int] = mapped_column(default=1)
    tried_version: Mapped[int | None]
    listed_from: Mapped[int | None]
    listed_down_to: Mapped[int | None]
    listed_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(sa.String(254))
    created_at: Mapped[datetime]
    sent_by: Mapped[str | None] = mapped_column(sa.String(254))
    started_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class MessageRecipient(Base):
    """One person a message goes to, once: `address` is `email` as it is compared, in small letters.

    The name, the language and the order are those of the person's latest order.
    """

    __tablename__ = "message_recipients"
    __table_args__ = (
        sa.UniqueConstraint("message_id", "address"),
        sa.Index(None, "message_id", "status", "id"),
        sa.Index(None, "order_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(sa.ForeignKey("messages.id"))
    address: Mapped[str] = mapped_column(exact_text(254))
    email: Mapped[str] = mapped_column(sa.String(254))
    full_name: Mapped[str] = mapped_column(sa.String(100))
    locale: Mapped[str] = mapped_column(code_column(8))
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    status: Mapped[RecipientStatus] = mapped_column(enum_column(RecipientStatus))
    taken_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(sa.String(255))
    request_id: Mapped[str | None] = mapped_column(code_column(64))

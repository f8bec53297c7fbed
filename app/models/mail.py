"""Mail: what was really sent to a buyer; MailRequest: what somebody asked to be sent again."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column
from app.tracing import current_request_id


class Mail(Base):
    """One mail the SMTP server took (or refused for good: `refused_because`).

    `name` is its template, `about` what of the order it is about (a refund's reference, say).
    `attachments` names what was attached in fact, as `name (bytes)`.
    """

    __tablename__ = "mails"
    # Almost all have no reason for a refusal: the index finds the few that have.
    __table_args__ = (sa.Index(None, "order_id"), sa.Index(None, "refused_because"))

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    name: Mapped[str] = mapped_column(sa.String(32))
    about: Mapped[str] = mapped_column(code_column(64), default="")
    recipient: Mapped[str] = mapped_column(sa.String(254))
    subject: Mapped[str] = mapped_column(sa.String(255))
    message_id: Mapped[str] = mapped_column(sa.String(255))
    attachments: Mapped[list[str]]
    refused_because: Mapped[str | None] = mapped_column(sa.String(255))
    sent_at: Mapped[datetime]
    request_id: Mapped[str | None] = mapped_column(code_column(64), default=current_request_id)


class MailRequest(Base):
    """A wish to have an order's e-tickets mailed once more; `about` is that letter's topic.

    Where `is_counted` is false it was not the buyer's wish, and takes none of theirs.
    """

    __tablename__ = "mail_requests"
    __table_args__ = (sa.UniqueConstraint("order_id", "about"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    about: Mapped[str] = mapped_column(code_column(64))
    is_counted: Mapped[bool]
    asked_at: Mapped[datetime]
    request_id: Mapped[str | None] = mapped_column(code_column(64), default=current_request_id)

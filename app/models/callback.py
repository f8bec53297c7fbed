"""Callback: one delivery to the webhook, kept raw. A hint, never the truth."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column

RawBody = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class Callback(Base):
    """A delivery. Repeats of one event (invoice, status, payment) only count up `deliveries`."""

    __tablename__ = "callbacks"
    __table_args__ = (
        sa.UniqueConstraint("invoice_id", "status", "xendit_payment_id"),
        sa.Index(None, "received_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    invoice_id: Mapped[str] = mapped_column(code_column(64))
    status: Mapped[str] = mapped_column(code_column(32))
    xendit_payment_id: Mapped[str] = mapped_column(code_column(128), default="")
    body: Mapped[str] = mapped_column(RawBody)
    deliveries: Mapped[int] = mapped_column(default=1)
    request_id: Mapped[str] = mapped_column(code_column(64))
    received_at: Mapped[datetime]

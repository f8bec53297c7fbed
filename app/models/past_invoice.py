"""PastInvoice: an invoice a payment had before, whose money may still come."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column
from app.tracing import current_request_id


class PastInvoice(Base):
    """Kept when a hold is extended: that needs a new invoice, Xendit's cannot be changed."""

    __tablename__ = "past_invoices"
    __table_args__ = (sa.Index(None, "payment_id"), sa.Index(None, "invoice_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"))
    external_id: Mapped[str] = mapped_column(code_column(64), unique=True)
    invoice_id: Mapped[str | None] = mapped_column(code_column(64))
    replaced_at: Mapped[datetime]
    request_id: Mapped[str | None] = mapped_column(code_column(64), default=current_request_id)

"""InvoiceReading: what Xendit said of an invoice when that mattered."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column
from app.tracing import current_request_id


class InvoiceReading(Base):
    """A reading of a payment's invoice: the first, one that changed something, or one that failed.

    Only ever added. `status` is Xendit's word for the invoice; without one Xendit could not be
    asked, and `failure` says why. When the invoice was last read at all stands at the payment.
    """

    __tablename__ = "invoice_readings"

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    invoice_id: Mapped[str | None] = mapped_column(code_column(64))
    status: Mapped[str | None] = mapped_column(sa.String(32))
    failure: Mapped[str | None] = mapped_column(sa.String(255))
    request_id: Mapped[str | None] = mapped_column(code_column(64), default=current_request_id)
    read_at: Mapped[datetime]

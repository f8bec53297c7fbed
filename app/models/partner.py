"""ApiKey: how a partner's system shows who it is; IdempotencyKey: how a repeat is recognised."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column


class ApiKey(Base):
    """A partner's key. Only its SHA-256 is stored: the key itself is 256 random bits."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    key_hash: Mapped[str] = mapped_column(code_column(64), unique=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """A key seen with a request; stored in the same transaction as the order it made.

    `scope` keeps one caller's keys apart from another's; `fingerprint` tells a repeat from a
    different request under the same key.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (sa.UniqueConstraint("scope", "key"), sa.Index(None, "created_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(code_column(64))
    key: Mapped[str] = mapped_column(code_column(128))
    fingerprint: Mapped[str] = mapped_column(code_column(64))
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    created_at: Mapped[datetime]

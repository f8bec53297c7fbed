"""Staff: a person who logs in; Attempt: one try to, for whoever guesses."""

import enum
import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, code_column, enum_column


def new_session_key() -> str:
    """Return what ties sessions to an account until it is changed (128 random bits)."""
    return secrets.token_urlsafe(16)


class Role(enum.Enum):
    DOOR = "door"
    FINANCE = "finance"
    ADMIN = "admin"


class Staff(Base):
    """A staff account; only a slow hash of the password is stored.

    Every session carries `session_key`: a new key ends all of them at once.
    """

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    role: Mapped[Role] = mapped_column(enum_column(Role))
    password_hash: Mapped[str] = mapped_column(sa.String(255))
    session_key: Mapped[str] = mapped_column(code_column(32), default=new_session_key)
    created_at: Mapped[datetime]


class Attempt(Base):
    """One try of something that may be guessed; `subject` is a hash of who tried what."""

    __tablename__ = "attempts"
    __table_args__ = (sa.Index(None, "subject", "created_at"), sa.Index(None, "created_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(code_column(64))
    created_at: Mapped[datetime]

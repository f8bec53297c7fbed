"""Staff: a person who logs in."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, enum_column


class Role(enum.Enum):
    DOOR = "door"
    FINANCE = "finance"
    ADMIN = "admin"


class Staff(Base):
    """A staff account; only a slow hash of the password is stored."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    role: Mapped[Role] = mapped_column(enum_column(Role))
    password_hash: Mapped[str] = mapped_column(sa.String(255))
    created_at: Mapped[datetime]

"""User: the buyer of one order. No account, no password."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class User(Base):
    """Who bought; written anew with every order, so that a later order changes no earlier one."""

    __tablename__ = "users"
    __table_args__ = (sa.Index(None, "email"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    full_name: Mapped[str] = mapped_column(sa.String(100))
    email: Mapped[str] = mapped_column(sa.String(254))
    no_hp: Mapped[str] = mapped_column(sa.String(20))
    created_at: Mapped[datetime]

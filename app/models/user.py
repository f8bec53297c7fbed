"""User: the buyer of one order. No account, no password."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

NAMES_LENGTH = 2000


def join_names(full_name: str, attendees: Iterable[str]) -> str:
    """Return what an order is found by: each name once, as many as fit, each on its line."""
    return "\n".join(dict.fromkeys((full_name, *attendees)))[:NAMES_LENGTH]


class User(Base):
    """Who bought; written anew with every order, so that a later order changes no earlier one.

    `names` are those of the buyer and of the attendees, for the search for orders; None where the
    version before wrote the order while this one was being rolled out.
    """

    __tablename__ = "users"
    __table_args__ = (sa.Index(None, "email"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    full_name: Mapped[str] = mapped_column(sa.String(100))
    email: Mapped[str] = mapped_column(sa.String(254))
    no_hp: Mapped[str] = mapped_column(sa.String(20))
    names: Mapped[str | None] = mapped_column(sa.String(NAMES_LENGTH))
    created_at: Mapped[datetime]

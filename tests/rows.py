"""Rows of an order, as the database has them."""

from typing import TypeVar

import sqlalchemy as sa

from app.extensions import db
from app.models import Mail, Refund

OfOrder = TypeVar("OfOrder", Mail, Refund)


def rows_of(order_id: int, kind: type[OfOrder]) -> list[OfOrder]:
    """Return an order's rows of this kind, the oldest first, detached; needs an application."""
    wanted = sa.select(kind).where(kind.order_id == order_id).order_by(kind.id)
    found = list(db.session.scalars(wanted))
    db.session.expunge_all()
    return found

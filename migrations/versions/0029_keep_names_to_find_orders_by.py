"""Keep all names of an order with its buyer, so that a search reads one narrow table once."""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

CHUNK = 1000
LENGTH = 2000

users = sa.table("users", sa.column("id"), sa.column("full_name"), sa.column("names"))
orders = sa.table("orders", sa.column("id"), sa.column("user_id"))
items = sa.table("order_items", sa.column("order_id"), sa.column("attendees"))


def upgrade() -> None:
    """Add the column and fill it, a thousand buyers at a time."""
    op.add_column("users", sa.Column("names", sa.String(LENGTH), nullable=True))
    connection = op.get_bind()
    last = connection.scalar(sa.select(sa.func.max(users.c.id))) or 0
    for first in range(0, last, CHUNK):
        rows = list(_names_of(connection, first, first + CHUNK))
        if rows:
            row = sa.update(users).where(users.c.id == sa.bindparam("user_id"))
            connection.execute(row.values(names=sa.bindparam("found")), rows)


def _names_of(connection: sa.Connection, after: int, until: int) -> Iterator[dict[str, Any]]:
    """Yield the names of each buyer and of the guests of that order."""
    wanted = (
        sa.select(users.c.id, users.c.full_name, items.c.attendees)
        .outerjoin(orders, orders.c.user_id == users.c.id)
        .outerjoin(items, items.c.order_id == orders.c.id)
        .where(users.c.id > after, users.c.id <= until)
        .order_by(users.c.id)
    )
    found: dict[int, dict[str, None]] = {}
    for user_id, full_name, attendees in connection.execute(wanted):
        known = found.setdefault(user_id, {full_name: None})
        known.update(dict.fromkeys(json.loads(attendees or "[]")))
    for user_id, known in found.items():
        yield {"user_id": user_id, "found": "\n".join(known)[:LENGTH]}

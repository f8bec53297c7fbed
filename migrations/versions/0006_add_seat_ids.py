"""Add the seat id that stands in a signed code, and where a guest is."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add the columns, give every seat that was sold already an id, then insist on it."""
    op.add_column("e_tickets", sa.Column("seat_id", WHOLE, nullable=True))
    op.add_column("e_tickets", sa.Column("admitted_gate", sa.String(32), nullable=True))
    op.add_column(
        "e_tickets",
        sa.Column("is_inside", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    _fill()
    with op.batch_alter_table("e_tickets") as e_tickets:
        e_tickets.alter_column("seat_id", existing_type=WHOLE, nullable=False)
        e_tickets.alter_column("is_inside", existing_type=sa.Boolean(), server_default=None)
        e_tickets.create_unique_constraint("uq_e_tickets_seat_id", ["seat_id"])


def _fill() -> None:
    seats = sa.table("e_tickets", sa.column("id", WHOLE), sa.column("seat_id", WHOLE))
    connection = op.get_bind()
    sold = connection.scalars(sa.select(seats.c.id).where(seats.c.seat_id.is_(None))).all()
    taken: set[int] = set()
    for seat in sold:
        seat_id = secrets.randbits(40)
        while seat_id in taken:
            seat_id = secrets.randbits(40)
        taken.add(seat_id)
        connection.execute(sa.update(seats).where(seats.c.id == seat).values(seat_id=seat_id))

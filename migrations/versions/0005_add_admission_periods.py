"""Add when the holders of a ticket may enter."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Add both ends, and the check that they are in order."""
    with op.batch_alter_table("tickets") as tickets:
        tickets.add_column(sa.Column("admit_from", MOMENT, nullable=True))
        tickets.add_column(sa.Column("admit_until", MOMENT, nullable=True))
        tickets.create_check_constraint("ck_tickets_admission_forward", "admit_from < admit_until")

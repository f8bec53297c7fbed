"""Keep what the last look at the whole database found, and when the next may begin."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Create the table; its one row is written by the first look."""
    op.create_table(
        "inspections",
        sa.Column("id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("began_at", MOMENT, nullable=True),
        sa.Column("took_ms", WHOLE, nullable=False),
        sa.Column("broken", WHOLE, nullable=False),
        sa.Column("violations", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inspections"),
        **OPTIONS,
    )

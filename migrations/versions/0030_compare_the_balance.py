"""Keep what Xendit says is in its balance, beside what the ledger says."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Create the table of readings."""
    op.create_table(
        "balance_readings",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.Column("amount", WHOLE, nullable=True),
        sa.Column("ledger", WHOLE, nullable=False),
        sa.Column("under_way", WHOLE, nullable=False),
        sa.Column("began_with", WHOLE, nullable=True),
        sa.Column("problem", sa.String(255), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_balance_readings"),
        **OPTIONS,
    )

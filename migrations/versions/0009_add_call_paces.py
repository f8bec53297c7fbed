"""Add when the next call that creates an invoice may be made."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
CODE = sa.String(32).with_variant(
    mysql.VARCHAR(32, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)


def upgrade() -> None:
    """Create the table; nothing points at it."""
    op.create_table(
        "call_paces",
        sa.Column("endpoint", CODE, nullable=False),
        sa.Column("interval_us", WHOLE, nullable=False),
        sa.Column("next_us", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name="pk_call_paces"),
        **OPTIONS,
    )

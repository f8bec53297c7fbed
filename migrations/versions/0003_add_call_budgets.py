"""Add the budget of calls to Xendit, and which days were reconciled."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
CODE = sa.String(32).with_variant(
    mysql.VARCHAR(32, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)


def upgrade() -> None:
    """Create both tables; nothing points at them."""
    op.create_table(
        "call_budgets",
        sa.Column("endpoint", CODE, nullable=False),
        sa.Column("allowed", WHOLE, nullable=False),
        sa.Column("used", WHOLE, nullable=False),
        sa.Column("window_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name="pk_call_budgets"),
        **OPTIONS,
    )
    op.create_table(
        "reconciled_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("scheduled_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_reconciled_days"),
        **OPTIONS,
    )

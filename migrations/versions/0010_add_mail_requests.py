"""Add the wishes to have e-tickets mailed again."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
CODE = sa.String(64).with_variant(
    mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)


def upgrade() -> None:
    """Create the table; nothing points at it."""
    op.create_table(
        "mail_requests",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("about", CODE, nullable=False),
        sa.Column("is_counted", sa.Boolean(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_mail_requests_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_mail_requests"),
        sa.UniqueConstraint("order_id", "about", name="uq_mail_requests_order_id_about"),
        **OPTIONS,
    )

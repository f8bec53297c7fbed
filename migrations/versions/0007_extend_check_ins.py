"""Add to a scan who made it, which way, whether alone, and what became of it."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")

NEW: tuple[sa.Column[Any], ...] = (
    sa.Column("direction", sa.String(32), nullable=False, server_default="in"),
    sa.Column("objection", sa.String(32), nullable=True),
    sa.Column("is_offline", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("device_id", WHOLE, nullable=True),
    sa.Column("staff_id", WHOLE, nullable=True),
    sa.Column("api_key_id", WHOLE, nullable=True),
    sa.Column("admitted_at", MOMENT, nullable=True),
    sa.Column("admitted_gate", sa.String(32), nullable=True),
    sa.Column("happened_at", MOMENT, nullable=True),
    sa.Column("undone_at", MOMENT, nullable=True),
    sa.Column("undone_by", sa.String(100), nullable=True),
)


def upgrade() -> None:
    """Add the columns; scans from before happened when they were made."""
    for column in NEW:
        op.add_column("check_ins", column)
    scans = sa.table("check_ins", sa.column("happened_at"), sa.column("scanned_at"))
    op.execute(sa.update(scans).values(happened_at=scans.c.scanned_at))
    with op.batch_alter_table("check_ins") as check_ins:
        check_ins.alter_column("happened_at", existing_type=MOMENT, nullable=False)
        check_ins.alter_column("direction", existing_type=sa.String(32), server_default=None)
        check_ins.alter_column("is_offline", existing_type=sa.Boolean(), server_default=None)
        check_ins.alter_column(
            "result", existing_type=sa.String(16), type_=sa.String(32), existing_nullable=False
        )
        for name, target in (
            ("device_id", "devices"),
            ("staff_id", "staff"),
            ("api_key_id", "api_keys"),
        ):
            check_ins.create_foreign_key(f"fk_check_ins_{name}", target, [name], ["id"])
    op.create_index("ix_check_ins_device_id", "check_ins", ["device_id"])
    op.create_index("ix_check_ins_happened_at", "check_ins", ["happened_at"])

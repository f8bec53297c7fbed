"""Add numbered receipts, exports of figures, and the count of looks at the shop."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
KIND = sa.String(32)
BYTES = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def exact(length: int) -> Any:
    """Return the type of codes and keys: plain ASCII, compared byte by byte."""
    binary = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Create the tables; nothing points at them."""
    _create_receipts()
    _create_exports()
    op.create_table(
        "page_views",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("views", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_page_views"),
        **OPTIONS,
    )


def _create_receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("year", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("refund_id", WHOLE, nullable=True),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_receipts"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_receipts_order_id"),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name="fk_receipts_refund_id"),
        sa.UniqueConstraint("kind", "year", "number", name="uq_receipts_kind_year_number"),
        sa.UniqueConstraint("refund_id", name="uq_receipts_refund_id"),
        sa.CheckConstraint("amount > 0", name="ck_receipts_amount_positive"),
        **OPTIONS,
    )
    op.create_index("ix_receipts_order_id_kind", "receipts", ["order_id", "kind"])
    op.create_table(
        "receipt_counters",
        sa.Column("kind", KIND, nullable=False),
        sa.Column("year", WHOLE, nullable=False, autoincrement=False),
        sa.Column("last", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("kind", "year", name="pk_receipt_counters"),
        **OPTIONS,
    )


def _create_exports() -> None:
    op.create_table(
        "exports",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("code", exact(32), nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("format", KIND, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("locale", exact(8), nullable=False),
        sa.Column("status", KIND, nullable=False),
        sa.Column("asked_by", sa.String(254), nullable=False),
        sa.Column("run", exact(32), nullable=True),
        sa.Column("rows_done", WHOLE, nullable=False),
        sa.Column("rows_expected", WHOLE, nullable=False),
        sa.Column("total", WHOLE, nullable=True),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
        sa.UniqueConstraint("code", name="uq_exports_code"),
        **OPTIONS,
    )
    op.create_index("ix_exports_expires_at", "exports", ["expires_at"])
    op.create_table(
        "export_parts",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("export_id", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("data", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_export_parts"),
        sa.ForeignKeyConstraint(["export_id"], ["exports.id"], name="fk_export_parts_export_id"),
        sa.UniqueConstraint("export_id", "number", name="uq_export_parts_export_id_number"),
        **OPTIONS,
    )

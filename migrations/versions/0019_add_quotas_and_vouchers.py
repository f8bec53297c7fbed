"""Add shared quotas, hidden and retired tickets, the least of an order, and vouchers."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
EXACT = sa.String(100).with_variant(
    mysql.VARCHAR(100, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
)
CODE = sa.String(32).with_variant(
    mysql.VARCHAR(32, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)


def upgrade() -> None:
    """Create the tables, then the columns that point at them."""
    _create_quotas()
    _extend_tickets()
    _create_vouchers()
    with op.batch_alter_table("order_items") as items:
        items.add_column(sa.Column("list_price", WHOLE, nullable=True))
        items.add_column(sa.Column("voucher_id", WHOLE, nullable=True))
        items.create_foreign_key("fk_order_items_voucher_id", "vouchers", ["voucher_id"], ["id"])
        items.create_index("ix_order_items_voucher_id", ["voucher_id"])


def _create_quotas() -> None:
    op.create_table(
        "quotas",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", EXACT, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("held", WHOLE, nullable=False),
        sa.Column("sold", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quotas"),
        sa.UniqueConstraint("name", name="uq_quotas_name"),
        sa.CheckConstraint("held >= 0", name="ck_quotas_held_not_negative"),
        sa.CheckConstraint("sold >= 0", name="ck_quotas_sold_not_negative"),
        sa.CheckConstraint("held + sold <= amount", name="ck_quotas_not_oversold"),
        **OPTIONS,
    )


def _extend_tickets() -> None:
    with op.batch_alter_table("tickets") as tickets:
        tickets.add_column(sa.Column("min_per_order", WHOLE, nullable=False, server_default="1"))
        tickets.add_column(
            sa.Column("is_hidden", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        tickets.add_column(sa.Column("retired_at", MOMENT, nullable=True))
        tickets.create_check_constraint(
            "ck_tickets_min_per_order_in_range",
            "min_per_order >= 1 AND min_per_order <= max_per_order",
        )
    with op.batch_alter_table("tickets") as tickets:
        tickets.alter_column("min_per_order", existing_type=WHOLE, server_default=None)
        tickets.alter_column("is_hidden", existing_type=sa.Boolean(), server_default=None)
    with op.batch_alter_table("ticket_stock") as stock:
        stock.add_column(sa.Column("quota_id", WHOLE, nullable=True))
        stock.create_foreign_key("fk_ticket_stock_quota_id", "quotas", ["quota_id"], ["id"])
        stock.create_index("ix_ticket_stock_quota_id", ["quota_id"])


def _create_vouchers() -> None:
    op.create_table(
        "vouchers",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("code", CODE, nullable=False),
        sa.Column("effect", sa.String(32), nullable=False),
        sa.Column("value", WHOLE, nullable=False),
        sa.Column("is_for_all", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=True),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_vouchers"),
        sa.UniqueConstraint("code", name="uq_vouchers_code"),
        sa.CheckConstraint("value >= 0", name="ck_vouchers_value_not_negative"),
        sa.CheckConstraint(
            "effect <> 'percent' OR value <= 100", name="ck_vouchers_percent_at_most_100"
        ),
        sa.CheckConstraint("valid_from < valid_until", name="ck_vouchers_period_forward"),
        **OPTIONS,
    )
    op.create_table(
        "voucher_tickets",
        sa.Column("voucher_id", WHOLE, nullable=False),
        sa.Column("ticket_id", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("voucher_id", "ticket_id", name="pk_voucher_tickets"),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["vouchers.id"], name="fk_voucher_tickets_voucher_id"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_voucher_tickets_ticket_id"),
        **OPTIONS,
    )
    op.create_index("ix_voucher_tickets_ticket_id", "voucher_tickets", ["ticket_id"])
    op.create_table(
        "voucher_use",
        sa.Column("voucher_id", WHOLE, nullable=False, autoincrement=False),
        sa.Column("max_seats", WHOLE, nullable=True),
        sa.Column("used", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("voucher_id", name="pk_voucher_use"),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name="fk_voucher_use_voucher_id"),
        sa.CheckConstraint("used >= 0", name="ck_voucher_use_used_not_negative"),
        sa.CheckConstraint("used <= max_seats", name="ck_voucher_use_not_overused"),
        **OPTIONS,
    )

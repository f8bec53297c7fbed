"""Let the ledger have postings of no order: withdrawals, and entries by hand."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LEDGER = ("ledger_postings", "ledger_entries")


def exact(length: int) -> Any:
    """Return the type of codes and keys: plain ASCII, compared byte by byte."""
    binary = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Create the tables; then allow an empty order, and keep the guards of the ledger."""
    _create_withdrawals()
    _create_corrections()
    guards = _find_guards()
    for table in LEDGER:
        with op.batch_alter_table(table) as rebuilt:
            rebuilt.alter_column("order_id", existing_type=WHOLE, nullable=True)
    for guard in guards:
        op.execute(sa.text(guard))


def _find_guards() -> list[str]:
    """Return what makes the ledger's triggers, where a rebuilt table loses them: on SQLite."""
    if op.get_bind().dialect.name != "sqlite":
        return []
    mine = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN (:a, :b)")
    return list(op.get_bind().scalars(mine, {"a": LEDGER[0], "b": LEDGER[1]}))


def _create_withdrawals() -> None:
    op.create_table(
        "withdrawals",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("xendit_id", exact(64), nullable=False),
        sa.Column("kind", exact(32), nullable=False),
        sa.Column("status", exact(32), nullable=False),
        *(
            sa.Column(name, WHOLE, nullable=False)
            for name in ("amount", "fee", "vat", "withholding")
        ),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.Column("is_posted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_withdrawals"),
        sa.UniqueConstraint("xendit_id", name="uq_withdrawals_xendit_id"),
        **OPTIONS,
    )
    for column in ("is_posted", "created_at"):
        op.create_index(f"ix_withdrawals_{column}", "withdrawals", [column])


def _create_corrections() -> None:
    op.create_table(
        "balance_corrections",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("entered_by", sa.String(254), nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_balance_corrections"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        **OPTIONS,
    )

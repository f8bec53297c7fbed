"""Add cases, refunds, past invoices and reconciliations."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def exact(length: int) -> Any:
    """Return the type of codes and keys: plain ASCII, compared byte by byte."""
    binary = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Create the tables, those that are pointed at first."""
    _create_past_invoices()
    _create_cases()
    _create_refunds()
    _create_reconciliations()
    _create_reconciliation_lines()


def _create_past_invoices() -> None:
    op.create_table(
        "past_invoices",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("payment_id", WHOLE, nullable=False),
        sa.Column("external_id", exact(64), nullable=False),
        sa.Column("invoice_id", exact(64), nullable=True),
        sa.Column("replaced_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_past_invoices_payment_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_past_invoices"),
        sa.UniqueConstraint("external_id", name="uq_past_invoices_external_id"),
        **OPTIONS,
    )
    op.create_index("ix_past_invoices_payment_id", "past_invoices", ["payment_id"])


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("invoice_id", exact(64), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("resolution", sa.String(32), nullable=True),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("deadline_at", MOMENT, nullable=True),
        sa.Column("resolved_at", MOMENT, nullable=True),
        sa.Column("resolved_by", sa.String(100), nullable=True),
        sa.Column("note", sa.String(500), nullable=True),
        sa.CheckConstraint("amount >= 0", name="ck_cases_amount_not_negative"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_cases_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_cases"),
        sa.UniqueConstraint(
            "order_id", "kind", "invoice_id", name="uq_cases_order_id_kind_invoice_id"
        ),
        **OPTIONS,
    )
    op.create_index("ix_cases_status_opened_at", "cases", ["status", "opened_at"])


def _create_refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("invoice_id", exact(64), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("way", sa.String(32), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("channel", sa.String(64), nullable=True),
        sa.Column("reference_id", exact(128), nullable=False),
        sa.Column("xendit_refund_id", exact(64), nullable=True),
        sa.Column("failure_code", sa.String(64), nullable=True),
        sa.Column("bank_name", sa.String(100), nullable=True),
        sa.Column("account_number", sa.String(40), nullable=True),
        sa.Column("account_holder", sa.String(100), nullable=True),
        sa.Column("note", sa.String(500), nullable=True),
        sa.Column("finished_by", sa.String(100), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.CheckConstraint("amount > 0", name="ck_refunds_amount_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_refunds_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refunds"),
        sa.UniqueConstraint("reference_id", name="uq_refunds_reference_id"),
        sa.UniqueConstraint(
            "order_id", "reason", "invoice_id", name="uq_refunds_order_id_reason_invoice_id"
        ),
        **OPTIONS,
    )
    op.create_index("ix_refunds_status", "refunds", ["status"])
    op.create_index("ix_refunds_xendit_refund_id", "refunds", ["xendit_refund_id"])


def _create_reconciliations() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("from_at", MOMENT, nullable=False),
        sa.Column("until_at", MOMENT, nullable=False),
        sa.Column("ran_at", MOMENT, nullable=False),
        sa.Column("invoices", WHOLE, nullable=False),
        sa.Column("differences", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliations"),
        **OPTIONS,
    )
    op.create_index("ix_reconciliations_ran_at", "reconciliations", ["ran_at"])


def _create_reconciliation_lines() -> None:
    op.create_table(
        "reconciliation_lines",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("reconciliation_id", WHOLE, nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("external_id", exact(64), nullable=False),
        sa.Column("invoice_id", exact(64), nullable=False),
        sa.Column("order_status", sa.String(32), nullable=False),
        sa.Column("payment_status", sa.String(32), nullable=False),
        sa.Column("xendit_status", sa.String(32), nullable=False),
        sa.Column("paid_here", WHOLE, nullable=False),
        sa.Column("paid_there", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliations.id"],
            name="fk_reconciliation_lines_reconciliation_id",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliation_lines"),
        **OPTIONS,
    )
    op.create_index(
        "ix_reconciliation_lines_reconciliation_id_verdict",
        "reconciliation_lines",
        ["reconciliation_id", "verdict"],
    )

"""Add messages to attendees, who looks after what waits for a person, and what finds the latter."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

Moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Address = sa.String(254).with_variant(
    mysql.VARCHAR(254, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb"
)


def _code(length: int) -> sa.types.TypeEngine[str]:
    exact = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(exact, "mysql", "mariadb")


def upgrade() -> None:
    """Create messages, message_recipients and inbox_notes; index what is rarely refused or odd."""
    _create_messages()
    _create_recipients()
    _create_notes()
    op.create_index("ix_mails_refused_because", "mails", ["refused_because"])
    op.create_index(
        "ix_reconciliation_lines_verdict_invoice_id",
        "reconciliation_lines",
        ["verdict", "invoice_id"],
    )
    op.create_index("ix_cases_invoice_id", "cases", ["invoice_id"])


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", Number, primary_key=True),
        sa.Column("subject", sa.String(150), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("subject_en", sa.String(150), nullable=False),
        sa.Column("body_en", sa.Text(), nullable=False),
        sa.Column("ticket_ids", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("version", Number, nullable=False),
        sa.Column("tried_version", Number, nullable=True),
        sa.Column("created_by", sa.String(254), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("sent_by", sa.String(254), nullable=True),
        sa.Column("started_at", Moment, nullable=True),
        sa.Column("stopped_at", Moment, nullable=True),
        sa.Column("finished_at", Moment, nullable=True),
    )


def _create_recipients() -> None:
    op.create_table(
        "message_recipients",
        sa.Column("id", Number, primary_key=True),
        sa.Column("message_id", Number, nullable=False),
        sa.Column("address", Address, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("full_name", sa.String(100), nullable=False),
        sa.Column("locale", _code(8), nullable=False),
        sa.Column("order_id", Number, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("taken_at", Moment, nullable=True),
        sa.Column("finished_at", Moment, nullable=True),
        sa.Column("reason", sa.String(255), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_message_recipients_message_id"
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_message_recipients_order_id"),
        sa.UniqueConstraint(
            "message_id", "address", name="uq_message_recipients_message_id_address"
        ),
    )
    op.create_index(
        "ix_message_recipients_message_id_status_id",
        "message_recipients",
        ["message_id", "status", "id"],
    )


def _create_notes() -> None:
    op.create_table(
        "inbox_notes",
        sa.Column("id", Number, primary_key=True),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("key", _code(96), nullable=False),
        sa.Column("owner_id", Number, nullable=True),
        sa.Column("note", sa.String(500), nullable=True),
        sa.Column("version", Number, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("closed_at", Moment, nullable=True),
        sa.Column("closed_by", sa.String(254), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"], name="fk_inbox_notes_owner_id"),
        sa.UniqueConstraint("source", "key", name="uq_inbox_notes_source_key"),
    )

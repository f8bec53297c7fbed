"""Let an order have several refunds of a kind, and keep more of its story.

What was written before this has no request id: nobody knows it any more.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

Moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Code = sa.String(64).with_variant(
    mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)
TRACED = ("past_invoices", "mail_requests", "receipts", "message_recipients")


def upgrade() -> None:
    """Number refunds of one kind; create invoice_readings; note how far a message's list is."""
    _number_refunds()
    _create_readings()
    for table in TRACED:
        op.add_column(table, sa.Column("request_id", Code, nullable=True))
    op.create_index("ix_message_recipients_order_id", "message_recipients", ["order_id"])
    for name in ("listed_from", "listed_down_to"):
        op.add_column("messages", sa.Column(name, Number, nullable=True))
    op.add_column("messages", sa.Column("listed_at", Moment, nullable=True))
    messages = sa.table("messages", sa.column("listed_at", Moment), sa.column("created_at", Moment))
    op.execute(sa.update(messages).values(listed_at=messages.c.created_at))


def _number_refunds() -> None:
    wider = "uq_refunds_order_id_reason_invoice_id_part"
    with op.batch_alter_table("refunds") as refunds:
        refunds.add_column(sa.Column("part", Number, nullable=False, server_default="1"))
        # Before the old key goes: MariaDB needs one of them for the foreign key.
        refunds.create_unique_constraint(wider, ["order_id", "reason", "invoice_id", "part"])
        refunds.drop_constraint("uq_refunds_order_id_reason_invoice_id", type_="unique")
    with op.batch_alter_table("refunds") as refunds:
        refunds.alter_column("part", existing_type=Number, server_default=None)


def _create_readings() -> None:
    op.create_table(
        "invoice_readings",
        sa.Column("id", Number, primary_key=True),
        sa.Column("payment_id", Number, nullable=False),
        sa.Column("invoice_id", Code, nullable=True),
        sa.Column("status", sa.String(32), nullable=True),
        sa.Column("failure", sa.String(255), nullable=True),
        sa.Column("request_id", Code, nullable=True),
        sa.Column("read_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name="fk_invoice_readings_payment_id"
        ),
    )
    op.create_index("ix_invoice_readings_payment_id", "invoice_readings", ["payment_id"])

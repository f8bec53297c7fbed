"""Let staff find orders fast, and find the log lines of what happened to one.

What was written before this has no request id: nobody knows it any more.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

RequestId = sa.String(64).with_variant(
    mysql.VARCHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb"
)


def upgrade() -> None:
    """Index what orders are searched by; give mails, cases, refunds and scans a request id."""
    op.create_index("ix_order_items_ticket_id_order_id", "order_items", ["ticket_id", "order_id"])
    op.drop_index("ix_order_items_ticket_id", "order_items")  # the new one begins with it
    op.create_index("ix_payments_channel_order_id", "payments", ["channel", "order_id"])
    op.create_index("ix_past_invoices_invoice_id", "past_invoices", ["invoice_id"])
    for table in ("mails", "cases", "refunds", "check_ins"):
        op.add_column(table, sa.Column("request_id", RequestId, nullable=True))

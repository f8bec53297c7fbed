"""Let a day's page read what became of its payments from indexes; drop one that nothing reads.

Orders are found by the names kept with their buyers since 0029, and no longer by each seat's.
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Widen two indexes, each in the place of the narrow one, and drop the third."""
    op.create_index(
        "ix_ledger_postings_day_movement_key", "ledger_postings", ["day", "movement", "key"]
    )
    op.drop_index("ix_ledger_postings_day_movement", "ledger_postings")
    op.create_index(
        "ix_transactions_invoice_id_settled_at_expected_at_net",
        "transactions",
        ["invoice_id", "settled_at", "expected_at", "net"],
    )
    op.drop_index("ix_transactions_invoice_id", "transactions")
    op.drop_index("ix_e_tickets_attendee_order_id", "e_tickets")

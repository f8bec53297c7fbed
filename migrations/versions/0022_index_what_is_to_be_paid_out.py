"""Let the finance page add up what Xendit is to pay out, day by day, from an index alone."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NAME = "ix_transactions_settled_at_expected_at_net"


def upgrade() -> None:
    """Add the index; a day that is not settled is a range of it."""
    op.create_index(NAME, "transactions", ["settled_at", "expected_at", "net"])

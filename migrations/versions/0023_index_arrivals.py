"""Let the charts count who came in, and when, from an index alone."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index; seats whose owners did not come are one range of it."""
    op.create_index("ix_e_tickets_admitted_at", "e_tickets", ["admitted_at"])

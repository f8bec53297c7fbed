"""Let workers find what is due beside a long line for invoices without reading the line's rows."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the kind behind what the index was ordered by."""
    op.create_index("ix_jobs_status_due_at_kind", "jobs", ["status", "due_at", "kind"])
    op.drop_index("ix_jobs_status_due_at", "jobs")

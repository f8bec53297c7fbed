"""Let phones at the door find what was taken back lately without reading every scan."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_check_ins_undone_at", "check_ins", ["undone_at"])

"""Drop a column of staff that nothing reads since sessions have rows of their own (0013)."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop `staff.session_key`."""
    with op.batch_alter_table("staff") as staff:
        staff.drop_column("session_key")

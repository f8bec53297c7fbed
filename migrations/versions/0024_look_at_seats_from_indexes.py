"""Let the door's live numbers and the search for attendees read narrow indexes, not whole seats."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes; the first takes the place of the one on the time alone."""
    op.create_index(
        "ix_e_tickets_admitted_at_admitted_gate", "e_tickets", ["admitted_at", "admitted_gate"]
    )
    op.drop_index("ix_e_tickets_admitted_at", "e_tickets")
    op.create_index("ix_e_tickets_revoked_at_is_inside", "e_tickets", ["revoked_at", "is_inside"])
    op.create_index("ix_e_tickets_attendee_order_id", "e_tickets", ["attendee", "order_id"])

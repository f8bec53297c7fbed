"""Remember ids of seats whose code was replaced, whose own a phone is, and gates exactly."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
EXACT = mysql.VARCHAR(32, charset="utf8mb4", collation="utf8mb4_bin")
GATES = (("e_tickets", "admitted_gate"), ("check_ins", "gate"), ("check_ins", "admitted_gate"))


def upgrade() -> None:
    """Add the table and the column; let two gates differ in case alone on MariaDB too."""
    op.create_table(
        "replaced_seats",
        sa.Column("seat_id", WHOLE, nullable=False, autoincrement=False),
        sa.Column("e_ticket_id", WHOLE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seat_id", name="pk_replaced_seats"),
        sa.ForeignKeyConstraint(
            ["e_ticket_id"], ["e_tickets.id"], name="fk_replaced_seats_e_ticket_id"
        ),
        **OPTIONS,
    )
    op.add_column("devices", sa.Column("owner_id", WHOLE, nullable=True))
    with op.batch_alter_table("devices") as devices:
        devices.create_foreign_key("fk_devices_owner_id", "staff", ["owner_id"], ["id"])
    if op.get_bind().dialect.name in ("mysql", "mariadb"):  # SQLite compares exactly
        for table, column in GATES:
            op.alter_column(
                table, column, existing_type=sa.String(32), type_=EXACT, existing_nullable=True
            )

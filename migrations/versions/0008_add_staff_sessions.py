"""Add what ends a staff member's sessions, and the attempts that throttle guessing."""

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def exact(length: int) -> Any:
    """Return the type of codes and keys: plain ASCII, compared byte by byte."""
    binary = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Add the key, give every account there is one of its own, then insist on it."""
    op.add_column("staff", sa.Column("session_key", exact(32), nullable=True))
    _fill()
    with op.batch_alter_table("staff") as staff:
        staff.alter_column("session_key", existing_type=exact(32), nullable=False)
    op.create_table(
        "attempts",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("subject", exact(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        **OPTIONS,
    )
    op.create_index("ix_attempts_subject_created_at", "attempts", ["subject", "created_at"])
    op.create_index("ix_attempts_created_at", "attempts", ["created_at"])


def _fill() -> None:
    staff = sa.table("staff", sa.column("id", WHOLE), sa.column("session_key"))
    connection = op.get_bind()
    for account in connection.scalars(sa.select(staff.c.id)).all():
        key = secrets.token_urlsafe(16)
        connection.execute(sa.update(staff).where(staff.c.id == account).values(session_key=key))

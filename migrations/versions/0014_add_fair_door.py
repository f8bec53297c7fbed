"""Add the fair door: its line, the places in it, and how it moved."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def _code(length: int) -> Any:
    exact = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(exact, "mysql", "mariadb")


def upgrade() -> None:
    """Create the tables; nothing points at them from outside."""
    op.create_table(
        "fair_doors",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("is_paused", sa.Boolean(), nullable=False),
        sa.Column("opens_at", MOMENT, nullable=True),
        sa.Column("seed", _code(64), nullable=True),
        sa.Column("drawn_at", MOMENT, nullable=True),
        sa.Column("lot_last", WHOLE, nullable=True),
        sa.Column("lot_size", WHOLE, nullable=False),
        sa.Column("admitted", WHOLE, nullable=False),
        sa.Column("per_minute", WHOLE, nullable=False),
        sa.Column("most_per_minute", WHOLE, nullable=True),
        sa.Column("ticked_us", WHOLE, nullable=False),
        sa.Column("slowed_us", WHOLE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("admitted >= 0", name="ck_fair_doors_admitted_not_negative"),
        sa.PrimaryKeyConstraint("id", name="pk_fair_doors"),
        **OPTIONS,
    )
    _create_places()
    _create_steps()


def _create_places() -> None:
    table = "fair_door_places"
    op.create_table(
        table,
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("door_id", WHOLE, nullable=False),
        sa.Column("key", _code(32), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("number", WHOLE, nullable=True),
        sa.Column("entered_at", MOMENT, nullable=True),
        sa.Column("order_key", _code(128), nullable=True),
        sa.Column("email_key", _code(64), nullable=True),
        sa.Column("phone_key", _code(64), nullable=True),
        sa.Column("seats", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(["door_id"], ["fair_doors.id"], name=f"fk_{table}_door_id"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        **OPTIONS,
    )
    op.create_index(f"ix_{table}_door_id_number", table, ["door_id", "number"])
    op.create_index(f"ix_{table}_door_id_entered_at", table, ["door_id", "entered_at"])
    op.create_index(f"ix_{table}_email_key", table, ["email_key"])
    op.create_index(f"ix_{table}_phone_key", table, ["phone_key"])


def _create_steps() -> None:
    table = "fair_door_steps"
    op.create_table(
        table,
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("door_id", WHOLE, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("admitted", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["door_id"], ["fair_doors.id"], name=f"fk_{table}_door_id"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        **OPTIONS,
    )
    op.create_index(f"ix_{table}_door_id_at", table, ["door_id", "at"])

"""Create the door's tables: signing keys, gates, devices, settings."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def exact(length: int) -> Any:
    """Return the type of codes and keys: plain ASCII, compared byte by byte."""
    binary = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def exact_text(length: int) -> Any:
    """Return the type of names that are keys: equal only when written the same."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Create the tables, those that are pointed at first."""
    _create_signing_keys()
    _create_gates()
    _create_devices()
    _create_door_settings()


def _create_signing_keys() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("id", WHOLE, nullable=False, autoincrement=False),
        sa.Column("public_key", exact(64), nullable=False),
        sa.Column("sealed_key", exact(255), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_signing_keys"),
        sa.UniqueConstraint("public_key", name="uq_signing_keys_public_key"),
        **OPTIONS,
    )


def _create_gates() -> None:
    op.create_table(
        "gates",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", exact_text(32), nullable=False),
        sa.Column("ticket_ids", sa.JSON(), nullable=False),
        sa.Column("opens_at", MOMENT, nullable=True),
        sa.Column("closes_at", MOMENT, nullable=True),
        sa.Column("has_reentry", sa.Boolean(), nullable=False),
        sa.Column("has_exit", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.CheckConstraint("opens_at < closes_at", name="ck_gates_times_forward"),
        sa.PrimaryKeyConstraint("id", name="pk_gates"),
        sa.UniqueConstraint("name", name="uq_gates_name"),
        **OPTIONS,
    )


def _create_devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("gate_id", WHOLE, nullable=True),
        sa.Column("lanes", exact(16), nullable=False),
        sa.Column("pairing_hash", exact(64), nullable=True),
        sa.Column("pairing_expires_at", MOMENT, nullable=True),
        sa.Column("token_hash", exact(64), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("created_by", sa.String(254), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("paired_at", MOMENT, nullable=True),
        sa.Column("last_seen_at", MOMENT, nullable=True),
        sa.Column("cut_off_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["gate_id"], ["gates.id"], name="fk_devices_gate_id"),
        sa.PrimaryKeyConstraint("id", name="pk_devices"),
        sa.UniqueConstraint("pairing_hash", name="uq_devices_pairing_hash"),
        sa.UniqueConstraint("token_hash", name="uq_devices_token_hash"),
        **OPTIONS,
    )


def _create_door_settings() -> None:
    op.create_table(
        "door_settings",
        sa.Column("id", WHOLE, nullable=False, autoincrement=False),
        sa.Column("is_lane_mode", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.String(254), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_door_settings"),
        **OPTIONS,
    )

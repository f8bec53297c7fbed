"""Add the audit log, sessions by row, invitations, and the second factor of staff."""

import logging
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.runtime.migration")

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
KIND = sa.String(32)
REFUSAL = "audit entries are never changed"
# No right to make triggers here (1142), or only for SUPER while there is a binary log (1419, 1227).
NO_RIGHT = {1142, 1227, 1419}


def exact(length: int) -> Any:
    """Return the type of codes and keys: plain ASCII, compared byte by byte."""
    binary = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Create the tables; guard the audit log where this account may."""
    _create_audit_entries()
    _guard_audit_entries()
    op.add_column("staff", sa.Column("name", sa.String(100), nullable=False, server_default=""))
    op.add_column("staff", sa.Column("totp_sealed", exact(255), nullable=True))
    op.add_column("staff", sa.Column("totp_last_step", WHOLE, nullable=True))
    op.add_column("staff", sa.Column("deactivated_at", MOMENT, nullable=True))
    _create_sessions()
    _create_recovery_codes()
    _create_invitations()


def _create_audit_entries() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.Column("actor_kind", KIND, nullable=False),
        sa.Column("actor_id", WHOLE, nullable=True),
        sa.Column("actor_name", sa.String(254), nullable=False),
        sa.Column("action", exact(64), nullable=False),
        sa.Column("subject_kind", exact(32), nullable=False),
        sa.Column("subject_key", exact(64), nullable=False),
        sa.Column("subject_name", sa.String(254), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(500), nullable=True),
        sa.Column("request_id", exact(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
        **OPTIONS,
    )
    for columns in (["happened_at"], ["actor_name"], ["action"], ["subject_kind", "subject_key"]):
        op.create_index(f"ix_audit_entries_{'_'.join(columns)}", "audit_entries", columns)


def _guard_audit_entries() -> None:
    """Let the database refuse every UPDATE and DELETE of the audit log."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    body = (
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        if is_sqlite
        else f"FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{REFUSAL}'"
    )
    for change in ("update", "delete"):
        name = f"audit_entries_no_{change}"
        try:
            op.execute(f"CREATE TRIGGER {name} BEFORE {change.upper()} ON audit_entries {body}")
        except DBAPIError as error:
            if error.orig is None or error.orig.args[0] not in NO_RIGHT:
                raise
            log.warning("the audit log is not guarded: see docs/office.md (%s)", error.orig)


def _create_sessions() -> None:
    op.create_table(
        "staff_sessions",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("staff_id", WHOLE, nullable=False),
        sa.Column("token_hash", exact(64), nullable=False),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("proved_at", MOMENT, nullable=False),
        sa.Column("second_step_at", MOMENT, nullable=True),
        sa.Column("offered_totp", exact(255), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_staff_sessions"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_staff_sessions_staff_id"),
        sa.UniqueConstraint("token_hash", name="uq_staff_sessions_token_hash"),
        **OPTIONS,
    )
    for column in ("staff_id", "started_at"):
        op.create_index(f"ix_staff_sessions_{column}", "staff_sessions", [column])


def _create_recovery_codes() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("staff_id", WHOLE, nullable=False),
        sa.Column("code_hash", exact(64), nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_codes"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name="fk_recovery_codes_staff_id"),
        sa.UniqueConstraint("staff_id", "code_hash", name="uq_recovery_codes_staff_id_code_hash"),
        **OPTIONS,
    )


def _create_invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("role", KIND, nullable=False),
        sa.Column("locale", exact(8), nullable=False),
        sa.Column("invited_by", sa.String(254), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        **OPTIONS,
    )
    op.create_index("ix_invitations_email", "invitations", ["email"])

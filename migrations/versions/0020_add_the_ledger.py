"""Add the ledger, Xendit's transactions, and closed days."""

import logging
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

log = logging.getLogger("alembic.runtime.migration")

OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
KIND = sa.String(32)
GUARDED = ("ledger_postings", "ledger_entries", "day_closes")
DATED = ("ledger_postings", "ledger_entries")
# No right to make triggers here (1142), or only for SUPER while there is a binary log (1419, 1227).
NO_RIGHT = {1142, 1227, 1419}


def exact(length: int) -> Any:
    """Return the type of codes and keys: plain ASCII, compared byte by byte."""
    binary = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Create the tables; guard what was posted and signed where this account may."""
    _create_postings()
    _create_entries()
    _create_sums_and_marks()
    _create_transactions()
    _create_day_closes()
    for table in GUARDED:
        for change in ("update", "delete"):
            _guard(
                f"{table}_no_{change}",
                f"BEFORE {change.upper()} ON {table}",
                "the ledger is never changed",
            )
    for table in DATED:
        closed = "NEW.day <= (SELECT closed_until FROM ledger_state WHERE id = 1)"
        _guard(f"{table}_closed_day", f"BEFORE INSERT ON {table}", "the day is closed", closed)


def _guard(name: str, when: str, refusal: str, condition: str = "") -> None:
    """Let the database refuse a change, always or on a condition."""
    if op.get_bind().dialect.name == "sqlite":
        only = f"WHEN {condition} " if condition else ""
        body = f"{only}BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
    else:
        signal = f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{refusal}'"
        only = f"IF {condition} THEN {signal}; END IF" if condition else signal
        body = f"FOR EACH ROW {only}"
    try:
        op.execute(f"CREATE TRIGGER {name} {when} {body}")
    except DBAPIError as error:
        if error.orig is None or error.orig.args[0] not in NO_RIGHT:
            raise
        log.warning("the ledger is not guarded: see docs/office.md (%s)", error.orig)


def _create_postings() -> None:
    op.create_table(
        "ledger_postings",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("movement", KIND, nullable=False),
        sa.Column("key", exact(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("corrects", sa.Date(), nullable=True),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.Column("posted_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_postings"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_ledger_postings_order_id"),
        **OPTIONS,
    )
    for columns in (["order_id"], ["day", "movement"], ["day", "corrects"]):
        op.create_index(f"ix_ledger_postings_{'_'.join(columns)}", "ledger_postings", columns)


def _create_entries() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("posting_id", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("movement", KIND, nullable=False),
        sa.Column("account", KIND, nullable=False),
        sa.Column("ticket_id", WHOLE, nullable=False),
        sa.Column("channel", exact(64), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_entries"),
        sa.ForeignKeyConstraint(
            ["posting_id"], ["ledger_postings.id"], name="fk_ledger_entries_posting_id"
        ),
        **OPTIONS,
    )
    for columns in (["posting_id"], ["order_id"], ["day", "movement", "account"]):
        op.create_index(f"ix_ledger_entries_{'_'.join(columns)}", "ledger_entries", columns)


def _create_sums_and_marks() -> None:
    keys = ("day", "movement", "account", "ticket_id", "channel")
    op.create_table(
        "ledger_sums",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("movement", KIND, nullable=False),
        sa.Column("account", KIND, nullable=False),
        sa.Column("ticket_id", WHOLE, nullable=False, autoincrement=False),
        sa.Column("channel", exact(64), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint(*keys, name="pk_ledger_sums"),
        **OPTIONS,
    )
    op.create_table(
        "ledger_marks",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_marks"),
        **OPTIONS,
    )
    state = op.create_table(
        "ledger_state",
        sa.Column("id", WHOLE, nullable=False, autoincrement=False),
        sa.Column("closed_until", sa.Date(), nullable=True),
        sa.Column("swept_to", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger_state"),
        **OPTIONS,
    )
    op.bulk_insert(state, [{"id": 1, "closed_until": None, "swept_to": 0}])


def _create_transactions() -> None:
    op.create_table(
        "transactions",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("xendit_id", exact(64), nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("invoice_id", exact(64), nullable=False),
        sa.Column("channel", exact(64), nullable=False),
        *(
            sa.Column(name, WHOLE, nullable=False)
            for name in ("amount", "net", "fee", "vat", "withholding")
        ),
        sa.Column("is_fee_final", sa.Boolean(), nullable=False),
        sa.Column("settlement_status", exact(32), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expected_at", MOMENT, nullable=True),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transactions"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_transactions_order_id"),
        sa.UniqueConstraint("xendit_id", name="uq_transactions_xendit_id"),
        **OPTIONS,
    )
    for columns in (["order_id"], ["invoice_id"], ["settled_at", "created_at"]):
        op.create_index(f"ix_transactions_{'_'.join(columns)}", "transactions", columns)
    op.create_table(
        "transaction_readings",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("slot", MOMENT, nullable=False),
        sa.Column("from_at", MOMENT, nullable=False),
        sa.Column("until_at", MOMENT, nullable=False),
        sa.Column("after_id", exact(64), nullable=True),
        sa.Column("seen", WHOLE, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("problem", sa.String(255), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_transaction_readings"),
        sa.UniqueConstraint("slot", name="uq_transaction_readings_slot"),
        **OPTIONS,
    )


def _create_day_closes() -> None:
    op.create_table(
        "day_closes",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sums", sa.JSON(), nullable=False),
        sa.Column("differences", WHOLE, nullable=False),
        sa.Column("explanation", sa.String(1000), nullable=True),
        sa.Column("closed_by", sa.String(254), nullable=False),
        sa.Column("closed_at", MOMENT, nullable=False),
        sa.Column("previous_seal", exact(64), nullable=False),
        sa.Column("seal", exact(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_day_closes"),
        sa.UniqueConstraint("day", name="uq_day_closes_day"),
        **OPTIONS,
    )

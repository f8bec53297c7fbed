"""Create all tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Whatever the server's defaults are: transactions, and names in any script.
OPTIONS: Any = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4"}
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
RAW_BODY = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def exact(length: int) -> Any:
    """Return the type of codes and keys: plain ASCII, compared byte by byte."""
    binary = mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def exact_text(length: int) -> Any:
    """Return the type of names that are keys: any script, equal only when written the same."""
    binary = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(binary, "mysql", "mariadb")


def upgrade() -> None:
    """Create the tables, those that are pointed at first."""
    _create_api_keys()
    _create_jobs()
    _create_staff()
    _create_tickets()
    _create_users()
    _create_worker_heartbeats()
    _create_orders()
    _create_ticket_stock()
    _create_e_tickets()
    _create_idempotency_keys()
    _create_mails()
    _create_order_items()
    _create_payments()
    _create_callbacks()
    _create_check_ins()


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("key_hash", exact(64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
        **OPTIONS,
    )


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("kind", exact(32), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("last_error", sa.String(500), nullable=True),
        sa.Column("request_id", exact(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        **OPTIONS,
    )
    op.create_index("ix_jobs_status_due_at", "jobs", ["status", "due_at"])


def _create_staff() -> None:
    op.create_table(
        "staff",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
        sa.UniqueConstraint("email", name="uq_staff_email"),
        **OPTIONS,
    )


def _create_tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("type", exact_text(100), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("price", WHOLE, nullable=False),
        sa.Column("max_per_order", WHOLE, nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.CheckConstraint("max_per_order >= 1", name="ck_tickets_max_per_order_positive"),
        sa.CheckConstraint("price >= 0", name="ck_tickets_price_not_negative"),
        sa.CheckConstraint("valid_from < valid_until", name="ck_tickets_window_forward"),
        sa.PrimaryKeyConstraint("id", name="pk_tickets"),
        sa.UniqueConstraint("type", name="uq_tickets_type"),
        **OPTIONS,
    )


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("full_name", sa.String(100), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("no_hp", sa.String(20), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        **OPTIONS,
    )
    op.create_index("ix_users_email", "users", ["email"])


def _create_worker_heartbeats() -> None:
    op.create_table(
        "worker_heartbeats",
        sa.Column("worker", exact(64), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("worker", name="pk_worker_heartbeats"),
        **OPTIONS,
    )
    op.create_index("ix_worker_heartbeats_seen_at", "worker_heartbeats", ["seen_at"])


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("code", exact(16), nullable=False),
        sa.Column("token", exact(64), nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("api_key_id", WHOLE, nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("locale", sa.String(8), nullable=False),
        sa.Column("request_id", exact(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("extensions", WHOLE, nullable=False),
        sa.Column("cancel_requested_at", MOMENT, nullable=True),
        sa.Column("paid_at", MOMENT, nullable=True),
        sa.CheckConstraint("total >= 0", name="ck_orders_total_not_negative"),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name="fk_orders_api_key_id"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_orders_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("code", name="uq_orders_code"),
        sa.UniqueConstraint("token", name="uq_orders_token"),
        **OPTIONS,
    )
    op.create_index("ix_orders_api_key_id", "orders", ["api_key_id"])
    op.create_index("ix_orders_created_at", "orders", ["created_at"])
    op.create_index("ix_orders_status_expires_at", "orders", ["status", "expires_at"])
    op.create_index("ix_orders_user_id", "orders", ["user_id"])


def _create_ticket_stock() -> None:
    op.create_table(
        "ticket_stock",
        sa.Column("ticket_id", WHOLE, autoincrement=False, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("held", WHOLE, nullable=False),
        sa.Column("sold", WHOLE, nullable=False),
        sa.CheckConstraint("held + sold <= amount", name="ck_ticket_stock_not_oversold"),
        sa.CheckConstraint("held >= 0", name="ck_ticket_stock_held_not_negative"),
        sa.CheckConstraint("sold >= 0", name="ck_ticket_stock_sold_not_negative"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_ticket_stock_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_ticket_stock"),
        **OPTIONS,
    )


def _create_e_tickets() -> None:
    op.create_table(
        "e_tickets",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("ticket_id", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("attendee", sa.String(100), nullable=False),
        sa.Column("code", exact(16), nullable=False),
        sa.Column("qr_text", exact(128), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("admitted_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_e_tickets_order_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_e_tickets_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_e_tickets"),
        sa.UniqueConstraint("code", name="uq_e_tickets_code"),
        sa.UniqueConstraint("order_id", "number", name="uq_e_tickets_order_id_number"),
        sa.UniqueConstraint("qr_text", name="uq_e_tickets_qr_text"),
        **OPTIONS,
    )
    op.create_index("ix_e_tickets_ticket_id", "e_tickets", ["ticket_id"])


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("scope", exact(64), nullable=False),
        sa.Column("key", exact(128), nullable=False),
        sa.Column("fingerprint", exact(64), nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_idempotency_keys_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_idempotency_keys"),
        sa.UniqueConstraint("scope", "key", name="uq_idempotency_keys_scope_key"),
        **OPTIONS,
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def _create_mails() -> None:
    op.create_table(
        "mails",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("about", exact(64), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("message_id", sa.String(255), nullable=False),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("refused_because", sa.String(255), nullable=True),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_mails_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_mails"),
        **OPTIONS,
    )
    op.create_index("ix_mails_order_id", "mails", ["order_id"])


def _create_order_items() -> None:
    op.create_table(
        "order_items",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("ticket_id", WHOLE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("price", WHOLE, nullable=False),
        sa.Column("attendees", sa.JSON(), nullable=False),
        sa.CheckConstraint("price >= 0", name="ck_order_items_price_not_negative"),
        sa.CheckConstraint("quantity >= 1", name="ck_order_items_quantity_positive"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_items_order_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_order_items_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_order_items"),
        sa.UniqueConstraint("order_id", "ticket_id", name="uq_order_items_order_id_ticket_id"),
        **OPTIONS,
    )
    op.create_index("ix_order_items_ticket_id", "order_items", ["ticket_id"])


def _create_payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("order_id", WHOLE, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("external_id", exact(64), nullable=False),
        sa.Column("invoice_id", exact(64), nullable=True),
        sa.Column("invoice_url", sa.String(500), nullable=True),
        sa.Column("invoice_expires_at", MOMENT, nullable=True),
        sa.Column("create_attempts", WHOLE, nullable=False),
        sa.Column("create_claimed_until", MOMENT, nullable=True),
        sa.Column("paid_at", MOMENT, nullable=True),
        sa.Column("paid_amount", WHOLE, nullable=True),
        sa.Column("method", sa.String(64), nullable=True),
        sa.Column("channel", sa.String(64), nullable=True),
        sa.Column("xendit_payment_id", exact(128), nullable=True),
        sa.Column("hinted_at", MOMENT, nullable=True),
        sa.Column("read_at", MOMENT, nullable=True),
        sa.CheckConstraint("amount >= 0", name="ck_payments_amount_not_negative"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payments_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
        sa.UniqueConstraint("external_id", name="uq_payments_external_id"),
        sa.UniqueConstraint("order_id", name="uq_payments_order_id"),
        **OPTIONS,
    )
    op.create_index("ix_payments_invoice_id", "payments", ["invoice_id"])
    op.create_index("ix_payments_status", "payments", ["status"])


def _create_callbacks() -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("payment_id", WHOLE, nullable=True),
        sa.Column("invoice_id", exact(64), nullable=False),
        sa.Column("status", exact(32), nullable=False),
        sa.Column("xendit_payment_id", exact(128), nullable=False),
        sa.Column("body", RAW_BODY, nullable=False),
        sa.Column("deliveries", WHOLE, nullable=False),
        sa.Column("request_id", exact(64), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name="fk_callbacks_payment_id"),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
        sa.UniqueConstraint(
            "invoice_id",
            "status",
            "xendit_payment_id",
            name="uq_callbacks_invoice_id_status_xendit_payment_id",
        ),
        **OPTIONS,
    )
    op.create_index("ix_callbacks_payment_id", "callbacks", ["payment_id"])
    op.create_index("ix_callbacks_received_at", "callbacks", ["received_at"])


def _create_check_ins() -> None:
    op.create_table(
        "check_ins",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("scan_id", exact(64), nullable=False),
        sa.Column("e_ticket_id", WHOLE, nullable=True),
        sa.Column("code", sa.String(200), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.Column("gate", sa.String(32), nullable=True),
        sa.Column("scanned_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["e_ticket_id"], ["e_tickets.id"], name="fk_check_ins_e_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_check_ins"),
        sa.UniqueConstraint("scan_id", name="uq_check_ins_scan_id"),
        **OPTIONS,
    )
    op.create_index(
        "ix_check_ins_e_ticket_id_created_at", "check_ins", ["e_ticket_id", "created_at"]
    )

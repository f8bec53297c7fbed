"""Refunds and drafts from before there were parts and lists outlive what their tables became."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.extensions import db
from app.models import Message, Receipt, Refund
from tests.app_factory import logging_restored, make_settings
from tests.harness.processes import ROOT

MIGRATIONS = str(ROOT / "migrations")
NOW = datetime(2026, 12, 1)  # noqa: DTZ001 (as the database keeps it)
BUYER = {"id": 1, "full_name": "Sari", "email": "sari@example.com", "no_hp": "+62"}
ORDER = {"id": 1, "code": "TX7K2M9QPA", "token": "t", "user_id": 1, "status": "CANCELLED"}
ORDER |= {"total": 1_000, "locale": "id", "request_id": "r", "expires_at": NOW, "extensions": 0}
REFUND = {"id": 1, "order_id": 1, "invoice_id": "inv", "reason": "by_staff", "way": "xendit"}
REFUND |= {"status": "succeeded", "amount": 1_000, "reference_id": "TX7K2M9QPA-by_staff-inv"}
NOTE = {"id": 1, "kind": "credit_note", "year": 2026, "number": 1, "order_id": 1, "refund_id": 1}
NOTE |= {"amount": 1_000, "content": "{}"}
DRAFT = {"id": 1, "subject": "Halo", "body": "Halo", "subject_en": "", "body_en": ""}
DRAFT |= {"ticket_ids": "[1]", "status": "draft", "version": 1, "created_by": "tests"}


def insert(connection: sa.Connection, name: str, row: dict[str, Any], moment: str) -> None:
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    connection.execute(table.insert(), row | {moment: NOW})


def test_what_was_there_stays_and_more_refunds_fit_beside_it(database_url: str) -> None:
    with logging_restored():
        app = create_app(make_settings(database_url))
        with app.app_context():
            upgrade(directory=MIGRATIONS, revision="0026")
            with db.engine.begin() as connection:
                for name, row in (("users", BUYER), ("orders", ORDER), ("refunds", REFUND)):
                    insert(connection, name, row, "created_at")
                insert(connection, "receipts", NOTE, "issued_at")
                insert(connection, "messages", DRAFT, "created_at")
            upgrade(directory=MIGRATIONS)
            db.session.remove()
            first = db.session.scalars(sa.select(Refund)).one()
            values = {name: getattr(first, name) for name in ("way", "status", "created_at")}
            more = {"reason": first.reason, "part": 2, "reference_id": "another", "amount": 1}
            db.session.add(Refund(order_id=1, invoice_id="inv", **values, **more))
            db.session.commit()
            kept = (
                first.part,
                first.amount,
                db.session.scalars(sa.select(Receipt.refund_id)).one(),
            )
            listed_at = db.session.scalars(sa.select(Message.listed_at)).one()
            db.session.remove()
            db.engine.dispose()
    assert kept == (1, 1_000, 1)
    assert listed_at == NOW.replace(tzinfo=UTC), "a draft's list is one of the day it was written"

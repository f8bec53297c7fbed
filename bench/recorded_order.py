"""What one `POST /api/orders` sends to the database, taken down from the running code."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.models import Base
from app.services.money import pacing
from bench.bare_sql import Recording
from bench.recording import recorded
from bench.stage import quiet_settings
from tests.app_factory import running_app

BUYER = {"full_name": "Sari Dewi", "email": "sari@example.com", "no_hp": "+6281234567890"}
# Numbers that nothing else in a statement has, a range for each table.
FIRST_ID, IDS_A_TABLE = 1_000_000_000, 10_000_000


def wanted(ticket_id: int, quantity: int = 1) -> dict[str, Any]:
    """Return the body of an order."""
    return {"user": BUYER, "items": [{"ticketId": ticket_id, "quantity": quantity}]}


def record_order(url: str, ticket_id: int, key: str) -> Recording:
    """Place two orders in this process and take down the second.

    Others are in line for invoices then, as in a rush: the order is held and the answer is 202.
    """
    with running_app(quiet_settings(url)) as app:
        with app.app_context():
            _tell_ids_apart(db.engine)
            now = datetime.now(UTC)
            pacing.take(now)
            pacing.hold_back(now, timedelta(seconds=10))
            engine = db.engine
        _place(app, ticket_id, key)
        with recorded(engine) as sent:
            answer = _place(app, ticket_id, key)
        with app.app_context(), db.session.begin():
            db.session.execute(sa.text("DELETE FROM call_paces"))
    order = answer["order"]
    return Recording(tuple(sent), (order["code"], order["url"].rsplit("/", 1)[1]))


def _place(app: Flask, ticket_id: int, key: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}"}
    answer = app.test_client().post("/api/orders", json=wanted(ticket_id), headers=headers)
    if answer.status_code != 202:
        raise SystemExit(f"no order in line was made: {answer.status_code} {answer.text}")
    body: dict[str, Any] = answer.get_json()
    return body


def _tell_ids_apart(engine: sa.Engine) -> None:
    """Let every table count on from a number of its own."""
    firsts = itertools.count(FIRST_ID, IDS_A_TABLE)
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            if table.autoincrement_column is not None:
                statement = f"ALTER TABLE {table.name} AUTO_INCREMENT = {next(firsts)}"
                connection.execute(sa.text(statement))

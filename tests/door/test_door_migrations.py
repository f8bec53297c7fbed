"""Seats sold before there was a door: the migrations carry them over."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.extensions import db
from tests.app_factory import logging_restored, make_settings
from tests.harness.processes import ROOT

MIGRATIONS = str(ROOT / "migrations")
NOW = datetime(2026, 12, 1, tzinfo=UTC).replace(tzinfo=None)
SOLD = 30
ROWS: dict[str, dict[str, Any]] = {
    "tickets": {
        "type": "Reguler",
        "description": "-",
        "price": 0,
        "max_per_order": 5,
        "valid_from": NOW,
        "valid_until": NOW.replace(year=2027),
        "position": 1,
    },
    "users": {"full_name": "Sari", "email": "sari@example.com", "no_hp": "+6281234567890"},
    "orders": {"code": "TX7K2M9QPA", "token": "t" * 32, "status": "PAID", "total": 0},
}


def fill(connection: sa.Connection) -> None:
    """Insert an order of SOLD seats, and one scan, as the tables were before."""
    old = sa.MetaData()
    old.reflect(connection, only=["tickets", "users", "orders", "e_tickets", "check_ins"])
    for name, values in ROWS.items():
        connection.execute(old.tables[name].insert(), complete(old.tables[name], values))
    for number in range(1, SOLD + 1):
        seat = {"number": number, "code": f"CODE-{number}", "qr_text": f"TEXT{number}"}
        seats = old.tables["e_tickets"]
        connection.execute(seats.insert(), complete(seats, seat))
    scans = old.tables["check_ins"]
    connection.execute(scans.insert(), complete(scans, {"result": "admitted", "scanned_at": NOW}))


def complete(table: sa.Table, values: dict[str, Any]) -> dict[str, Any]:
    """Add what must not be null: 1 for numbers and keys, a moment, a word."""
    defaults: dict[str, Any] = {}
    for column in table.columns:
        if column.nullable or column.name in values or column.name == "id":
            continue
        kind = column.type.python_type
        defaults[column.name] = NOW if kind is datetime else 1 if kind is int else "x"
    return defaults | values


def test_seats_sold_before_get_ids_and_old_scans_a_time(database_url: str) -> None:
    with logging_restored():
        app = create_app(make_settings(database_url))
        with app.app_context():
            upgrade(directory=MIGRATIONS, revision="0003")
            with db.engine.begin() as connection:
                fill(connection)

            upgrade(directory=MIGRATIONS)

            with db.engine.connect() as connection:
                seats = connection.execute(sa.text("SELECT seat_id, is_inside FROM e_tickets"))
                ids = {seat_id for seat_id, is_inside in seats if not is_inside}
                scan = connection.execute(
                    sa.text("SELECT direction, happened_at = scanned_at FROM check_ins")
                ).one()
            db.session.remove()
            db.engine.dispose()

    assert len(ids) == SOLD
    assert min(ids) >= 0
    assert max(ids) < 2**40
    assert tuple(scan) == ("in", 1)

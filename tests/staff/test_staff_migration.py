"""Accounts from before there were sessions outlive what the migrations made of their table."""

from datetime import UTC, datetime

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.extensions import db
from app.models import Role, Staff
from tests.app_factory import logging_restored, make_settings
from tests.harness.processes import ROOT

MIGRATIONS = str(ROOT / "migrations")
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def test_accounts_stay_what_they_were(database_url: str) -> None:
    with logging_restored():
        app = create_app(make_settings(database_url))
        with app.app_context():
            upgrade(directory=MIGRATIONS, revision="0007")
            with db.engine.begin() as connection:
                staff = sa.Table("staff", sa.MetaData(), autoload_with=connection)
                for name in ("sari", "budi"):
                    row = {"email": f"{name}@example.com", "role": "door", "password_hash": name}
                    connection.execute(
                        staff.insert(), row | {"created_at": NOW.replace(tzinfo=None)}
                    )
            upgrade(directory=MIGRATIONS)
            db.session.remove()
            accounts = db.session.scalars(sa.select(Staff).order_by(Staff.id)).all()
            kept = [(one.email, one.password_hash, one.role, one.created_at) for one in accounts]
            db.session.remove()
            db.engine.dispose()
    assert kept == [(f"{who}@example.com", who, Role.DOOR, NOW) for who in ("sari", "budi")]

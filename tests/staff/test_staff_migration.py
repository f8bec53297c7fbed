"""Accounts from before there were sessions: the migration gives each a key of its own."""

from datetime import UTC, datetime

import sqlalchemy as sa
from flask_migrate import upgrade

from app import create_app
from app.extensions import db
from app.models import Staff
from tests.app_factory import logging_restored, make_settings
from tests.harness.processes import ROOT

MIGRATIONS = str(ROOT / "migrations")
NOW = datetime(2026, 12, 1, tzinfo=UTC).replace(tzinfo=None)


def test_every_account_gets_a_session_key_of_its_own(database_url: str) -> None:
    with logging_restored():
        app = create_app(make_settings(database_url))
        with app.app_context():
            upgrade(directory=MIGRATIONS, revision="0007")
            with db.engine.begin() as connection:
                staff = sa.Table("staff", sa.MetaData(), autoload_with=connection)
                for name in ("sari", "budi"):
                    row = {"email": f"{name}@example.com", "role": "door", "created_at": NOW}
                    connection.execute(staff.insert(), row | {"password_hash": "-"})
            upgrade(directory=MIGRATIONS)
            db.session.remove()
            keys = db.session.scalars(sa.select(Staff.session_key)).all()
            db.session.remove()
            db.engine.dispose()
    assert len(set(keys)) == 2
    assert min(map(len, keys)) >= 20

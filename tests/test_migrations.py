"""Models and migrations say the same, on both kinds of database."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.harness.service import CommandFailed, Service


def test_the_migrations_make_what_the_models_say(database_url: str, tmp_path: Path) -> None:
    service = Service(database_url, tmp_path)

    service.flask("db", "upgrade")

    service.flask("db", "check")


def test_a_table_that_no_migration_made_is_noticed(database_url: str, tmp_path: Path) -> None:
    service = Service(database_url, tmp_path)
    service.flask("db", "upgrade")
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE tickets ADD COLUMN forgotten INTEGER"))
    engine.dispose()

    with pytest.raises(CommandFailed, match="forgotten"):
        service.flask("db", "check")

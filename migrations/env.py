"""Runs the migrations on the application's own engine, on SQLite and on MariaDB or MySQL."""

from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app

from app.models.base import Base, Code, UTCDateTime

engine: sa.Engine = current_app.extensions["migrate"].db.engine


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Write our types as what the database has, so that revisions need no application code."""
    if kind != "type" or not isinstance(item, Code | UTCDateTime):
        return False
    autogen_context.imports.add("from sqlalchemy.dialects import mysql")
    if isinstance(item, UTCDateTime):
        return 'sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")'
    length = item.impl_instance.length
    exact = f'mysql.VARCHAR({length}, charset="ascii", collation="ascii_bin")'
    return f'sa.String({length}).with_variant({exact}, "mysql", "mariadb")'


def run_migrations() -> None:
    """Apply what is missing. SQLite's foreign keys are off meanwhile.

    A batch rebuild drops and renames tables there: with keys on, it would delete child rows.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")  # the pragma does nothing inside a transaction
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_item=render_item,
            render_as_batch=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            connection.exec_driver_sql("BEGIN")


run_migrations()

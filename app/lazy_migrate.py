"""Flask-Migrate, loaded when somebody migrates: with Alembic it is a tenth of a process's start."""

from functools import cached_property
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy


class LazyMigrate:
    """Stands for Flask-Migrate's extension in an application that hardly ever migrates."""

    def init_app(self, app: Flask, db: SQLAlchemy, **options: Any) -> None:
        """Bind an application and its database; `options` are Flask-Migrate's."""
        app.extensions["migrate"] = _Configuration(app, db, options)


class _Configuration:
    """What Flask-Migrate's commands and `migrations/env.py` look up on the application."""

    def __init__(self, app: Flask, db: SQLAlchemy, options: dict[str, Any]) -> None:
        self._arguments = (app, db, options)

    @cached_property
    def _real(self) -> Any:
        from flask_migrate import Migrate

        app, db, options = self._arguments
        Migrate().init_app(app, db, **options)
        return app.extensions["migrate"]  # stands in our place from now on

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

"""The commands of `flask --app wsgi`, loaded when one is called: web processes need none."""

import click
from flask import Flask
from flask.cli import AppGroup


def init_app(app: Flask) -> None:
    """Give the application its commands."""
    app.cli = _Commands(app)


class _Commands(AppGroup):
    """Knows none of ours until a command is looked for, then all of them."""

    def __init__(self, app: Flask) -> None:
        super().__init__(commands=app.cli.commands)  # those of the extensions
        self._app = app
        self._is_loaded = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None when there is none of this name."""
        self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        if self._is_loaded:
            return
        self._is_loaded = True
        from flask_migrate.cli import db

        from app import cli

        self.add_command(db)
        cli.init_app(self._app)

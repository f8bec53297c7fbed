"""Fixtures for tests of the buyer's pages: the application on a migrated SQLite file."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from werkzeug.serving import make_server

from app import create_app
from app.config import Settings
from app.extensions import db, limiter
from tests.harness.processes import free_port
from tests.money.fixtures import (
    mail_process,
    mailbox,
    mailing_world,
    standin,
    standin_process,
    world,
)
from tests.pages.shop import CLOSED_PORT, Shop, shop_settings
from tests.sandbox.processes import running

__all__ = ["mail_process", "mailbox", "mailing_world", "standin", "standin_process", "world"]


def make_app(settings: Settings) -> Flask:
    """Build the application as the web server does."""
    app = create_app(settings)
    app.testing = True
    return app


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file that went through every migration, for each test to copy."""
    folder = tmp_path_factory.mktemp("migrated")
    app = make_app(shop_settings(folder))
    with app.app_context():
        upgrade(directory=str(Path(__file__).parents[2] / "migrations"))
        db.engine.dispose()
    return folder / "shop.db"


@pytest.fixture
def shop(tmp_path: Path, migrated_file: Path) -> Iterator[Shop]:
    """The application, with an empty catalogue."""
    shutil.copy(migrated_file, tmp_path / "shop.db")
    settings = shop_settings(tmp_path)
    app = make_app(settings)
    yield Shop(app, settings)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def limited_shop(tmp_path: Path, migrated_file: Path) -> Iterator[Shop]:
    """The same with its rate limits, counted from nothing."""
    shutil.copy(migrated_file, tmp_path / "shop.db")
    settings = replace(shop_settings(tmp_path), rate_limit_enabled=True)
    app = make_app(settings)
    limiter.reset()
    yield Shop(app, settings)
    limiter.reset()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def shop_with_xendit(tmp_path: Path, migrated_file: Path) -> Iterator[Shop]:
    """The same with a stand-in for Xendit that answers."""
    shutil.copy(migrated_file, tmp_path / "shop.db")
    port = free_port()
    settings = shop_settings(tmp_path, xendit_url=f"http://127.0.0.1:{port}")
    options = ["--port", str(port), "--secret-key", settings.xendit_secret_key]
    options += ["--callback-token", settings.xendit_callback_token]
    options += ["--callback-url", f"http://127.0.0.1:{CLOSED_PORT}/"]
    with running("sandbox.xendit", *options, output=tmp_path / "xendit.log"):
        app = make_app(settings)
        yield Shop(app, settings)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """The address of the shop as a small real web server."""
    server = make_server("127.0.0.1", 0, shop.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """A browser without JavaScript."""
    return shop.client

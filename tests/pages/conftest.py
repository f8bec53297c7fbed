"""Fixtures for tests of the buyer's pages: the application on a migrated SQLite file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from app.config import Settings
from app.extensions import limiter
from tests.app_factory import running_app
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
from tests.staff.conftest import _cheap_passwords, real_passwords

__all__ = [
    "_cheap_passwords",
    "mail_process",
    "mailbox",
    "mailing_world",
    "real_passwords",
    "standin",
    "standin_process",
    "world",
]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """The application, with an empty catalogue."""
    with _open_shop(shop_settings(tmp_path)) as shop:
        yield shop


@pytest.fixture
def limited_shop(tmp_path: Path) -> Iterator[Shop]:
    """The same with its rate limits, counted from nothing."""
    settings = replace(shop_settings(tmp_path), rate_limit_enabled=True)
    with _open_shop(settings) as shop:
        limiter.reset()
        yield shop
        limiter.reset()


@pytest.fixture
def shop_with_xendit(tmp_path: Path) -> Iterator[Shop]:
    """The same with a stand-in for Xendit that answers."""
    port = free_port()
    settings = shop_settings(tmp_path, xendit_url=f"http://127.0.0.1:{port}")
    options = ["--port", str(port), "--secret-key", settings.xendit_secret_key]
    options += ["--callback-token", settings.xendit_callback_token]
    options += ["--callback-url", f"http://127.0.0.1:{CLOSED_PORT}/"]
    output = tmp_path / "xendit.log"
    with running("sandbox.xendit", *options, output=output), _open_shop(settings) as shop:
        yield shop


@contextmanager
def _open_shop(settings: Settings) -> Iterator[Shop]:
    with running_app(settings) as app:
        yield Shop(app, settings)


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

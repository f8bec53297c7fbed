"""Fixtures for tests of what staff see."""

import pytest
from flask import Flask

from app.services.office import passwords
from tests.staff.office import Office

CHEAP = "scrypt:512:8:1"


@pytest.fixture(autouse=True)
def _cheap_passwords(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords at a two-hundredth of the price; `real_passwords` asks for the real one."""
    if "real_passwords" not in request.fixturenames:
        no_hash = passwords.NO_HASH.replace(passwords.METHOD, CHEAP)
        monkeypatch.setattr(passwords, "METHOD", CHEAP)
        monkeypatch.setattr(passwords, "NO_HASH", no_hash)


@pytest.fixture
def real_passwords() -> None:
    """Passwords as expensive as in production."""


@pytest.fixture
def office(app: Flask) -> Office:
    """The application on each kind of database, with nobody hired yet."""
    return Office(app)


@pytest.fixture
def small_office(sqlite_app: Flask) -> Office:
    """The same on SQLite only, for what no database can change."""
    return Office(sqlite_app)

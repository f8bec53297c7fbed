"""A door on each kind of database, and one whose tables are written directly."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.door.calls import pair
from tests.door.seeding import SeededDoor, seeded_door
from tests.door.world import DoorWorld, door_world


@pytest.fixture
def world(app: Flask) -> Iterator[DoorWorld]:
    with door_world(app) as made:
        yield made


@pytest.fixture
def quick_world(sqlite_app: Flask) -> Iterator[DoorWorld]:
    """A door on SQLite only, for what no database sees."""
    with door_world(sqlite_app) as made:
        yield made


@pytest.fixture
def mariadb_world(mariadb_app: Flask) -> Iterator[DoorWorld]:
    """A door on MariaDB, where transactions really overlap."""
    with door_world(mariadb_app) as made:
        yield made


@pytest.fixture
def door(app: Flask) -> Iterator[SeededDoor]:
    with seeded_door(app.config["SQLALCHEMY_DATABASE_URI"]) as opened:
        yield opened


@pytest.fixture
def phone(app: Flask, door: SeededDoor) -> FlaskClient:
    """A paired phone."""
    return pair(app, door, "Phone 1")

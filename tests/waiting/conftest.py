"""Fixtures for tests of the fair door: a shop behind it, on an SQLite file."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.app_factory import running_app
from tests.door.web import web_server
from tests.pages.shop import Shop, shop_settings
from tests.waiting.hall import Hall, door_settings

OpenHall = Callable[..., Hall]


@pytest.fixture
def open_hall(tmp_path: Path) -> Iterator[OpenHall]:
    """Make a hall whose door opens at a time of the test's own, with settings of its own."""
    with ExitStack() as stack:

        def open_it(opens_at: datetime | None = None, **changes: Any) -> Hall:
            door = door_settings(opens_at, **changes)
            settings = replace(shop_settings(tmp_path), fair_door=door)
            return Hall(stack.enter_context(running_app(settings)), settings)

        yield open_it


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop without a fair door."""
    settings = shop_settings(tmp_path)
    with running_app(settings) as app:
        yield Shop(app, settings)


@pytest.fixture
def hall(open_hall: OpenHall) -> Hall:
    """A hall that is open: first come, first served."""
    hall = open_hall()
    hall.move_on()
    return hall


@pytest.fixture
def hall_address(hall: Hall) -> Iterator[str]:
    """The address of the hall as a small real web server."""
    with web_server(hall.app) as address:
        yield address

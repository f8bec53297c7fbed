"""Phones at a door whose network comes and goes, in Chromium against the service."""

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest
from playwright.sync_api import Browser

from app.models import DeviceRole
from tests.app_factory import empty_tables, make_settings, running_app
from tests.door.phones import OpenPhone, Phone, open_phone
from tests.door.seeding import SeededDoor, SoldSeat, seeded_door
from tests.door.web import web_server

numbers = itertools.count(1)


@pytest.fixture(scope="package")
def address(migrated_mariadb: str) -> Iterator[str]:
    """The service on MariaDB behind a small web server, for all tests in this folder."""
    empty_tables(migrated_mariadb)
    with running_app(make_settings(migrated_mariadb)) as app, web_server(app) as url:
        yield url


@pytest.fixture(scope="package")
def door(address: str, migrated_mariadb: str) -> Iterator[SeededDoor]:
    """Its door."""
    with seeded_door(migrated_mariadb) as opened:
        yield opened


@pytest.fixture
def new_phone(browser: Browser, address: str, door: SeededDoor) -> Iterator[OpenPhone]:
    with ExitStack() as opened:

        def open_one(
            *,
            lanes: str = "",
            role: DeviceRole = DeviceRole.SCANNER,
            clock_off: int | None = None,
            is_patient: bool = True,
        ) -> Phone:
            token = door.pair(f"Phone {next(numbers)}", lanes=lanes, role=role)
            one: AbstractContextManager[Phone] = open_phone(
                browser, address, token, clock_off=clock_off, is_patient=is_patient
            )
            phone = opened.enter_context(one)
            assert phone.sync()
            return phone

        yield open_one


@pytest.fixture
def seat(door: SeededDoor) -> SoldSeat:
    [sold] = door.sell(door.add_ticket())
    return sold

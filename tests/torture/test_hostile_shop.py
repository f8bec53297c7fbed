"""Any history in a hostile world, on MariaDB: at the end no rupiah is lost."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from hypothesis.stateful import run_state_machine_as_test

from app.config import Settings
from sandbox.client import StandIn
from tests.app_factory import empty_tables, make_settings, running_app
from tests.harness.histories import histories
from tests.money.world import World, wound
from tests.torture.hostile_shop import HostileShop


@contextmanager
def a_world(app: Flask, chosen: Settings, standin: StandIn) -> Iterator[World]:
    """Give a new world on the emptied database and the emptied stand-in."""
    standin.reset()
    standin.set_fault("webhook_lost")
    standin.set_fault("rate_limit", per_minute=100_000)
    empty_tables(chosen.database_url)
    with (
        pytest.MonkeyPatch.context() as patch,
        wound(World(app, chosen, standin), patch) as world,
    ):
        yield world


def test_no_rupiah_is_lost_in_any_history(migrated_mariadb: str, standin: StandIn) -> None:
    chosen = make_settings(migrated_mariadb, xendit_api_url=standin.base_url)
    with running_app(chosen) as app:

        class InThisTest(HostileShop):
            make_world = staticmethod(functools.partial(a_world, app, chosen, standin))

        run_state_machine_as_test(InThisTest, settings=histories(6, steps=25))

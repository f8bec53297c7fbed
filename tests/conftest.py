"""Fixtures: databases, the service as real processes, a browser. Nothing starts unless asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.app_factory import empty_tables, make_settings, running_app
from tests.harness.browser import DESKTOP, PHONE, browsing, chromium
from tests.harness.database import MariaDB, fresh_sqlite
from tests.harness.histories import play_the_same_everywhere
from tests.harness.memory import keep_temporary_files_in_memory
from tests.harness.processes import stop_everything
from tests.harness.service import Service
from tests.harness.thrift import spare_what_is_imported

keep_temporary_files_in_memory()
play_the_same_everywhere()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave no process behind, whatever the tests did."""
    left = stop_everything()
    if left and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print(f"\nprocesses left behind by tests: {', '.join(left)}")  # noqa: T201


# Begun first, so that at the end of a run in two halves neither waits long for the other; and
# before all others, one after the other, the files that share the whole service.
SHARING = (
    "tests/browser/test_purchase.py",
    "tests/browser/test_money.py",
    "tests/browser/test_journeys.py",
    "tests/api/test_purchase.py",
    "tests/api/test_openapi.py",
    "tests/test_harness_service.py",
)
LONGEST = (
    "tests/torture/",
    "tests/browser/",
    "tests/pages/test_accessibility",
    "tests/door/offline/",
    "tests/overload/",
    "tests/rush/test_rush",
    "tests/test_start_up",
    "tests/waiting/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; within a file the order stays."""
    items.sort(
        key=lambda item: (not item.nodeid.startswith(SHARING), not item.nodeid.startswith(LONGEST))
    )


def pytest_collection_finish() -> None:
    """Begin the tests with an empty desk: half a million objects of modules are not looked at."""
    spare_what_is_imported()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB server for the whole run; ask it for `fresh_database()`."""
    server = MariaDB()
    yield server
    server.stop()


def _new_database(
    kind: str, request: pytest.FixtureRequest, factory: pytest.TempPathFactory
) -> str:
    if kind == "mariadb":
        server: MariaDB = request.getfixturevalue("mariadb")
        return server.fresh_database()
    return fresh_sqlite(factory.mktemp("sqlite"))


@pytest.fixture(params=["sqlite", "mariadb"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database for one test, on both kinds of server."""
    return _new_database(request.param, request, tmp_path_factory)


@pytest.fixture
def mariadb_url(mariadb: MariaDB) -> str:
    """An empty MariaDB database for one test, for races that SQLite cannot run."""
    return mariadb.fresh_database()


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb: MariaDB) -> str:
    """A MariaDB database with all tables, for many tests: each empties it before it begins."""
    url = mariadb.fresh_database()
    with running_app(make_settings(url)):
        return url


@pytest.fixture
def mariadb_app(migrated_mariadb: str) -> Iterator[Flask]:
    """The application in this process, on MariaDB, migrated and empty."""
    empty_tables(migrated_mariadb)
    with running_app(make_settings(migrated_mariadb)) as running:
        yield running


@pytest.fixture
def sqlite_app(tmp_path: Path) -> Iterator[Flask]:
    """The application in this process, on an SQLite file, migrated and empty."""
    with running_app(make_settings(fresh_sqlite(tmp_path))) as running:
        yield running


@pytest.fixture(params=["sqlite", "mariadb"])
def app(request: pytest.FixtureRequest) -> Flask:
    """The application in this process, on each kind of database, migrated and empty."""
    running: Flask = request.getfixturevalue(f"{request.param}_app")
    return running


@pytest.fixture(scope="session")
def kept_services() -> Iterator[list[Service]]:
    """The service that goes from file to file, if it runs; ended before its database is."""
    yield _kept
    _end_kept()


_kept: list[Service] = []
KEEPING = {"service", "service_on_each_database"}


def _end_kept() -> None:
    while _kept:
        _kept.pop().stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """End the service that no next test uses: an idle worker asks the database all the time."""
    yield
    if not isinstance(nextitem, pytest.Function) or KEEPING.isdisjoint(nextitem.fixturenames):
        _end_kept()


@pytest.fixture(scope="module")
def service(
    mariadb: MariaDB, kept_services: list[Service], tmp_path_factory: pytest.TempPathFactory
) -> Service:
    """The whole service on MariaDB with the sample event; orders of other files may be in it."""
    if not kept_services:
        running = Service(mariadb.fresh_database(), tmp_path_factory.mktemp("service"))
        running.start()
        kept_services.append(running)
    return kept_services[0]


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def service_on_each_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The whole service, once on SQLite and once on MariaDB."""
    if request.param == "mariadb":
        yield request.getfixturevalue("service")
        return
    folder = tmp_path_factory.mktemp("service")
    running = Service(fresh_sqlite(folder), folder)
    running.start()
    yield running
    running.stop()


class StartService(Protocol):
    """Start a service with settings of a test's own; it is stopped at the test's end."""

    def __call__(self, database_url: str, **options: Any) -> Service: ...


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[StartService]:
    """A function that starts services; its options are those of `Service`, and `catalogue`."""
    started: list[Service] = []

    def start(database_url: str, *, catalogue: str | None = None, **options: Any) -> Service:
        folder = tmp_path / f"service-{len(started)}"
        folder.mkdir()
        running = Service(database_url, folder, **options)
        started.append(running)
        running.start(catalogue=catalogue)
        return running

    yield start
    for running in started:
        running.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The one Playwright of the run, for tests that need a browser with flags of their own."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium for the whole run; open pages with `phone`, `desktop` or `browsing`."""
    with chromium(playwright) as running:
        yield running


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A page of 360 x 740; errors, CSP violations and other hosts fail the test."""
    with browsing(browser, size=PHONE) as page:
        yield page


@pytest.fixture
def phone_without_javascript(browser: Browser) -> Iterator[Page]:
    """The same page with JavaScript switched off."""
    with browsing(browser, size=PHONE, java_script_enabled=False) as page:
        yield page


@pytest.fixture
def desktop(browser: Browser) -> Iterator[Page]:
    """A page of 1280 x 800, watched in the same way."""
    with browsing(browser, size=DESKTOP) as page:
        yield page

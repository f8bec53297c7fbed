"""Fixtures for tests of selling and of money: one stand-in and one MariaDB database for all."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.config import Settings
from sandbox.client import Mailbox, StandIn
from tests.app_factory import empty_tables, make_settings, running_app
from tests.harness.database import MariaDB, fresh_sqlite
from tests.money.world import World, wound
from tests.sandbox.processes import running


@pytest.fixture(scope="session")
def standin_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The stand-in as a process; its webhooks go nowhere, tests deliver their own."""
    output = tmp_path_factory.mktemp("money-stand-in") / "output.log"
    arguments = ["--port", "0", "--secret-key", "xnd_development_local"]
    arguments += ["--callback-token", "local-callback-token"]
    arguments += ["--callback-url", "http://127.0.0.1:9/api/payment-callback"]
    with running("sandbox.xendit", *arguments, output=output) as process:
        client = StandIn(process.first_line.rsplit(" ", 1)[1])
        yield client
        client.close()


@pytest.fixture
def standin(standin_process: StandIn) -> StandIn:
    """The stand-in with nothing in it; no test meets the rate limit unasked."""
    standin_process.reset()
    standin_process.set_fault("webhook_lost")
    standin_process.set_fault("rate_limit", per_minute=100_000)
    return standin_process


@pytest.fixture(scope="session")
def mail_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mailbox, int]]:
    """The mail catcher as a process, and its SMTP port."""
    output = tmp_path_factory.mktemp("money-mailbox") / "output.log"
    arguments = ["--smtp-port", "0", "--http-port", "0"]
    with running("sandbox.mailbox", *arguments, output=output) as process:
        page, smtp = process.first_line.removeprefix("Mail catcher ready at ").split(", SMTP on ")
        client = Mailbox(page)
        yield client, int(smtp.rsplit(":", 1)[1])
        client.close()


@pytest.fixture
def mailbox(mail_process: tuple[Mailbox, int]) -> Mailbox:
    client, _port = mail_process
    client.clear_faults()
    client.clear()
    return client


@pytest.fixture(scope="session")
def shared_mariadb_url(mariadb: MariaDB) -> str:
    """One migrated database for all tests; emptied before each."""
    return mariadb.fresh_database()


def _settings(url: str, standin: StandIn, mail_port: int | None = None) -> Settings:
    settings = make_settings(url, xendit_api_url=standin.base_url, api_key_required=False)
    if mail_port is None:
        return settings
    return replace(settings, mail=replace(settings.mail, port=mail_port))


@pytest.fixture
def world(tmp_path: Path, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world on SQLite; mail has nowhere to go."""
    settings = _settings(fresh_sqlite(tmp_path), standin)
    with running_app(settings) as app, wound(World(app, settings, standin), monkeypatch) as made:
        yield made


@pytest.fixture
def mailing_world(
    tmp_path: Path,
    standin: StandIn,
    mailbox: Mailbox,
    mail_process: tuple[Mailbox, int],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """A world on SQLite that can send mail."""
    settings = _settings(fresh_sqlite(tmp_path), standin, mail_process[1])
    with running_app(settings) as app, wound(World(app, settings, standin), monkeypatch) as made:
        yield made


@pytest.fixture
def mariadb_world(
    shared_mariadb_url: str, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A world on MariaDB, where transactions really overlap."""
    settings = _settings(shared_mariadb_url, standin)
    empty_tables(shared_mariadb_url)
    with running_app(settings) as app, wound(World(app, settings, standin), monkeypatch) as made:
        yield made


@pytest.fixture(params=["sqlite", "mariadb"])
def each_world(request: pytest.FixtureRequest) -> World:
    """A world on SQLite, then one on MariaDB."""
    name = "world" if request.param == "sqlite" else "mariadb_world"
    made: World = request.getfixturevalue(name)
    return made

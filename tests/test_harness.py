"""The harness itself: what it starts is real, and nothing of it is left behind."""

import os
import sys
from pathlib import Path

import pymysql
import pytest
from playwright.sync_api import Browser
from sqlalchemy import make_url

from tests.harness.browser import browsing
from tests.harness.database import MariaDB
from tests.harness.processes import Process, StartFailed, free_port, is_listening
from tests.harness.waiting import NeverHappened, eventually

# A process that starts a child; both ignore SIGTERM, and the child's id is the first line.
STUBBORN_FAMILY = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(child.pid, flush=True)
signal.pause()
"""


def start(code: str, folder: Path) -> Process:
    """Start a Python process that runs this code."""
    return Process("sample", [sys.executable, "-c", code], env=os.environ, log=folder / "log")


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_stubborn_process_and_its_child_are_ended(tmp_path: Path) -> None:
    process = start(STUBBORN_FAMILY, tmp_path)
    child = int(eventually(process.tail, what="the child's process id"))
    assert is_alive(child)

    process.stop(grace=0.2)

    assert not process.is_running
    assert not is_alive(child)


def test_a_process_that_ends_while_starting_shows_the_tail_of_its_log(tmp_path: Path) -> None:
    process = start("raise SystemExit('the port is taken')", tmp_path)

    with pytest.raises(StartFailed, match="the port is taken"):
        process.wait_until(lambda: False)
    process.stop()


def test_a_process_that_never_answers_is_given_up(tmp_path: Path) -> None:
    process = start("import signal; signal.pause()", tmp_path)

    with pytest.raises(StartFailed, match="not ready within"):
        process.wait_until(lambda: is_listening(free_port()), within=0.2)
    assert process.stop() < 0


def test_eventually_returns_what_it_waited_for() -> None:
    answers = iter([None, 0, "", "here"])

    assert eventually(lambda: next(answers), every=0) == "here"


def test_eventually_gives_up_with_the_last_refusal() -> None:
    def look() -> bool:
        raise AssertionError("the order is PENDING")

    with pytest.raises(NeverHappened, match="the order is PENDING"):
        eventually(look, within=0.1, every=0.01)


def test_eventually_does_not_hide_other_errors() -> None:
    def look() -> bool:
        raise KeyError("typo")

    with pytest.raises(KeyError, match="typo"):
        eventually(look, within=5)


def connect(url: str) -> pymysql.connections.Connection:
    """Open a connection of the driver itself to a database of the harness."""
    parts = make_url(url)
    return pymysql.connect(
        host=parts.host,
        port=parts.port,
        user=parts.username,
        password=parts.password,
        database=parts.database,
        autocommit=True,
    )


def test_mariadb_writes_at_every_commit_as_in_production(mariadb: MariaDB) -> None:
    with connect(mariadb.fresh_database()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@default_storage_engine"
        )
        version, flush, engine = cursor.fetchone()

    assert "MariaDB" in version
    assert (flush, engine) == (2, "InnoDB")  # 0 would write once a second


def test_each_test_gets_a_database_of_its_own(mariadb: MariaDB) -> None:
    with connect(mariadb.fresh_database()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE seen (id INT)")

    with connect(mariadb.fresh_database()) as connection, connection.cursor() as cursor:
        assert cursor.execute("SHOW TABLES") == 0


def test_a_committed_row_survives_the_death_of_the_server() -> None:
    server = MariaDB()
    try:
        url = server.fresh_database()
        with connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept (id INT PRIMARY KEY)")
            cursor.execute("INSERT INTO kept VALUES (7)")

        server.kill_and_restart()

        with connect(url) as connection, connection.cursor() as cursor:
            assert cursor.execute("SELECT id FROM kept") == 1
    finally:
        server.stop()
    assert not server.folder.exists()
    assert not is_listening(server.port)


def test_every_kind_of_database_is_offered(database_url: str) -> None:
    assert make_url(database_url).get_backend_name() in ("sqlite", "mysql")


PAGE_WITH_MISTAKES = """<!doctype html><title>Mistakes</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'self'">
<p style="color: red">an inline style</p>"""

PAGE_OF_OTHERS = "<!doctype html><title>Others</title><img src='http://tickets.invalid/x.png'>"


def test_the_browser_reports_what_a_page_does_wrong(browser: Browser) -> None:
    with pytest.raises(AssertionError) as caught, browsing(browser) as page:
        page.route("**/*", lambda route: route.fulfill(body=PAGE_WITH_MISTAKES))
        page.goto("http://127.0.0.1/")

    assert "Content Security Policy" in str(caught.value)


def test_the_browser_reports_requests_to_other_hosts(browser: Browser) -> None:
    with pytest.raises(AssertionError, match="another host"), browsing(browser) as page:
        page.route("**/*", lambda route: route.fulfill(body=PAGE_OF_OTHERS))
        page.goto("http://127.0.0.1/")


def test_the_browser_can_do_without_javascript(browser: Browser) -> None:
    with browsing(browser, java_script_enabled=False) as page:
        page.set_content("<noscript><p>without</p></noscript>")

        assert page.locator("p").inner_text() == "without"

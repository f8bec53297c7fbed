"""Starting and staying up: unusable settings end a process, a database that is away does not."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.app_factory import ENVIRONMENT
from tests.harness.database import MariaDB
from tests.harness.processes import ROOT, StartFailed, answers
from tests.harness.service import Service
from tests.harness.waiting import eventually

ID = "start-up-test-0001"
# Half a second and 70 MiB that a web process needs only for what few requests ask, or never.
NOT_IN_A_WEB_PROCESS = (
    "weasyprint",
    "PIL",
    "qrcode",
    "icalendar",
    "altcha",
    "alembic",
    "flask_migrate",
    "app.worker",
    "app.cli",
    "app.money_commands",
    "app.reconcile_command",
)


def start(service: Service, what: str) -> None:
    """Start one process of the service; it is expected to end by itself."""
    if what == "web":
        service.start_web()
    else:
        worker = service.start_worker()
        worker.wait_until(lambda: False)


@pytest.mark.parametrize("what", ["web", "worker"])
def test_unusable_settings_end_the_process_with_every_reason(what: str, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    wrong = {"SECRET_KEY": "", "EVENT_STARTS_AT": "tomorrow", "LOG_DIR": str(in_the_way)}
    processes = {"WEB_CONCURRENCY": "1"}
    service = Service("sqlite:///:memory:", tmp_path, settings=wrong | processes)

    with pytest.raises(StartFailed, match=r"ended with [1-9]"):
        start(service, what)

    [log] = [path.read_text() for path in tmp_path.glob("w*.log")]
    for name in wrong:
        assert log.count(name) == 1, "said once: it did not start over and over"
    assert "Traceback" not in log
    service.stop()


def test_a_web_process_loads_only_what_it_serves_with() -> None:
    look = f"import sys, wsgi; print(*(sys.modules.keys() & set({NOT_IN_A_WEB_PROCESS})))"
    done = subprocess.run(
        [sys.executable, "-c", look],
        env=ENVIRONMENT | {"DATABASE_URL": "sqlite:///:memory:"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


def get(service: Service, path: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"{service.url}{path}", headers={"X-Request-ID": ID}, timeout=60)


@pytest.fixture
def unstarted(mariadb: MariaDB, migrated_mariadb: str, tmp_path: Path) -> Iterator[Service]:
    """A service on a migrated MariaDB; nothing runs yet."""
    service = Service(migrated_mariadb, tmp_path)
    yield service
    service.stop()
    if not mariadb.process.is_running:
        mariadb.kill_and_restart()


def test_a_database_that_comes_and_goes_is_waited_for(unstarted: Service, mariadb: MariaDB) -> None:
    """One long story, because every chapter costs the start of a server."""
    service = unstarted
    mariadb.process.kill()

    service.start_web()
    worker = service.start_worker()
    _check_answers_without_database(service)
    eventually(lambda: "no job could be claimed" in service.log("worker-1"))

    mariadb.kill_and_restart()
    eventually(lambda: answers(f"{service.url}/"), what="the page to come back")
    eventually(lambda: answers(f"{service.url}/readyz"), what="the worker to come back")

    mariadb.kill_and_restart()
    # The connections in the pools are dead now; not one request may notice.
    assert [get(service, path).status_code for path in ("/", "/api/tickets") * 4] == [200] * 8
    assert worker.is_running
    assert service.stop() == {"web": 0, "worker-1": 0}
    for log in service.folder.glob("*.log"):
        for line in log.read_text().splitlines():
            assert isinstance(json.loads(line), dict), "tracebacks are JSON too"


def _check_answers_without_database(service: Service) -> None:
    assert get(service, "/healthz").status_code == 200
    ready = get(service, "/readyz")
    assert (ready.status_code, ready.json()["database"]) == (503, "unreachable")
    assert get(service, "/api/tickets").json()["code"] == "busy"
    for path in ("/", "/api/tickets", "/orders/no-such-token", "/metrics"):
        answer = get(service, path)
        assert answer.status_code == 503, path
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["X-Request-ID"] == ID
        assert ID in answer.text
        assert "only-for-tests" not in answer.text, "the database's password"

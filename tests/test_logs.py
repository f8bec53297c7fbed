"""Logs: every line is JSON with the request's id, none is lost, old files go."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.logs import KEEP_FILES, DailyFileHandler, JsonFormatter
from app.tracing import request_id
from tests.app_factory import make_settings, running_app
from tests.harness.database import fresh_sqlite
from tests.harness.processes import ROOT
from tests.harness.service import base_environment
from tests.harness.waiting import PATIENCE

ID = "logs-test-0001"


def read_lines(folder: Path) -> list[dict[str, Any]]:
    """Return every line of a log folder; each must be a JSON object."""
    text = "".join(path.read_text("utf-8") for path in sorted(folder.glob("app-*.log")))
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(isinstance(line, dict) for line in lines)
    return lines


def run_script(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env=base_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def logging_app(tmp_path: Path) -> Iterator[Flask]:
    """An application that logs to `tmp_path/logs` and has two views that break."""
    settings = make_settings(fresh_sqlite(tmp_path), log_dir=tmp_path / "logs")
    with running_app(settings) as app:
        app.config["PROPAGATE_EXCEPTIONS"] = False  # as in production

        def fail() -> str:
            raise ZeroDivisionError("a mistake of ours")

        def insert_twice() -> str:
            rows = [{"who": "Sari Dewi sari@example.com"}] * 2
            db.session.execute(sa.text("CREATE TABLE secrets (who TEXT UNIQUE)"))
            db.session.execute(sa.text("INSERT INTO secrets VALUES (:who)"), rows)
            return ""

        app.add_url_rule("/fail", view_func=fail)
        app.add_url_rule("/api/fail", "api_fail", view_func=fail)
        app.add_url_rule("/insert", view_func=insert_twice)
        yield app


def test_a_request_s_lines_carry_the_id_the_caller_sent(logging_app: Flask, tmp_path: Path) -> None:
    answer = logging_app.test_client().get("/", headers={"X-Request-ID": ID})

    assert answer.headers["X-Request-ID"] == ID
    [line] = [each for each in read_lines(tmp_path / "logs") if each["message"] == "request"]
    assert line["requestId"] == ID
    assert (line["level"], line["method"], line["route"], line["status"]) == (
        "INFO",
        "GET",
        "/",
        200,
    )
    assert datetime.fromisoformat(line["time"]).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "offered", [None, "short", "x" * 65, "with space", 'quote"-quote', "grüße-grüße"]
)
def test_an_id_that_is_missing_or_malformed_is_replaced(
    logging_app: Flask, tmp_path: Path, offered: str | None
) -> None:
    headers = {} if offered is None else {"X-Request-ID": offered}

    answer = logging_app.test_client().get("/", headers=headers)

    made = answer.headers["X-Request-ID"]
    assert made != offered
    assert 8 <= len(made) <= 64
    [line] = [each for each in read_lines(tmp_path / "logs") if each["message"] == "request"]
    assert line["requestId"] == made


def test_two_requests_never_share_a_made_up_id(logging_app: Flask) -> None:
    client = logging_app.test_client()

    assert len({client.get("/").headers["X-Request-ID"] for _ in range(20)}) == 20


@pytest.mark.parametrize("path", ["/fail", "/api/fail"])
def test_a_mistake_in_a_view_is_logged_whole_and_once(
    logging_app: Flask, tmp_path: Path, path: str
) -> None:
    answer = logging_app.test_client().get(path, headers={"X-Request-ID": ID})

    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] == ID
    lines = read_lines(tmp_path / "logs")
    [line] = [each for each in lines if "a mistake of ours" in json.dumps(each)]
    assert (line["level"], line["requestId"]) == ("ERROR", ID)
    assert line["exception"].startswith("Traceback")
    assert line["exception"].rstrip().endswith("ZeroDivisionError: a mistake of ours")
    assert [each["status"] for each in lines if each["message"] == "request"] == [500]


def test_a_mistake_is_answered_without_its_details_but_with_the_id(logging_app: Flask) -> None:
    client = logging_app.test_client()

    page = client.get("/fail", headers={"X-Request-ID": ID})
    problem = client.get("/api/fail", headers={"X-Request-ID": ID})

    assert ID in page.text
    assert page.mimetype == "text/html"
    assert problem.mimetype == "application/problem+json"
    assert problem.json is not None
    assert (problem.json["code"], problem.json["requestId"]) == ("internal_error", ID)
    for answer in (page, problem):
        assert "mistake of ours" not in answer.text
        assert "ZeroDivision" not in answer.text


def test_a_database_error_does_not_tell_what_was_to_be_written(
    logging_app: Flask, tmp_path: Path
) -> None:
    answer = logging_app.test_client().get("/insert")

    assert answer.status_code == 500
    assert any(
        "UNIQUE constraint" in line.get("exception", "") for line in read_lines(tmp_path / "logs")
    )
    for path in (tmp_path / "logs").iterdir():
        assert "sari@example.com" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    "message", ["two\nlines", "half a pair \ud83d", 'quote " and \\', "\x00\x1b[31m", "王小明 🎉"]
)
def test_whatever_is_logged_stays_on_one_line_of_utf8(message: str) -> None:
    record = logging.makeLogRecord({"msg": message, "detail": message})

    line = JsonFormatter().format(record)

    assert "\n" not in line
    read = json.loads(line.encode("utf-8"))
    assert read["message"] == read["detail"] == message


def test_what_a_caller_adds_never_hides_what_a_line_must_have() -> None:
    record = logging.makeLogRecord(
        {"msg": "kept", "levelname": "INFO", "level": "x", "requestId": "x", "time": "x", "kind": 1}
    )

    with request_id(ID):
        read = json.loads(JsonFormatter().format(record))

    assert (read["level"], read["requestId"], read["kind"]) == ("INFO", ID, 1)
    assert read["time"] != "x"


WRITER = """
import logging, sys, threading
from pathlib import Path
from app.logs import configure_logging
configure_logging("INFO", Path(sys.argv[1]))
def write(thread):
    for number in range(500):
        extra = {"by": f"{sys.argv[2]}-{thread}-{number}", "padding": "王" * (number % 100 * 50)}
        logging.getLogger("app").info("line", extra=extra)
threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_processes_that_write_at_once_lose_and_mix_no_line(tmp_path: Path) -> None:
    writers = [run_script(WRITER, str(tmp_path), str(number)) for number in range(3)]
    with ThreadPoolExecutor() as readers:  # read all at once, or the pipes would make them queue
        printed = list(readers.map(lambda writer: writer.communicate(timeout=PATIENCE)[0], writers))

    written = [line["by"] for line in read_lines(tmp_path) if line["message"] == "line"]
    assert len(written) == len(set(written)) == 3 * 4 * 500
    shown = [json.loads(line)["by"] for text in printed for line in text.splitlines()]
    assert sorted(shown) == sorted(written), "the same lines are on standard output"


@pytest.fixture
def daily(tmp_path: Path) -> Iterator[DailyFileHandler]:
    handler = DailyFileHandler(tmp_path)
    handler.setFormatter(JsonFormatter())
    yield handler
    handler.close()


def record_at(moment: datetime) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": moment.isoformat(), "created": moment.timestamp()})


def test_a_new_day_in_utc_begins_a_new_file(daily: DailyFileHandler, tmp_path: Path) -> None:
    midnight = datetime(2027, 3, 1, tzinfo=UTC)
    late = midnight - timedelta(milliseconds=1)

    for moment in (late, midnight, late):
        daily.handle(record_at(moment))

    yesterday, today = tmp_path / "app-2027-02-28.log", tmp_path / "app-2027-03-01.log"
    assert sorted(tmp_path.iterdir()) == [yesterday, today]
    assert yesterday.read_text().count(late.isoformat()) == 2
    assert today.read_text().count(midnight.isoformat()) == 1


def test_old_files_of_ours_are_removed_and_no_others(
    daily: DailyFileHandler, tmp_path: Path
) -> None:
    today = datetime(2027, 3, 1, 12, tzinfo=UTC)
    kept = today - KEEP_FILES
    too_old = kept - timedelta(days=1)
    for name in (f"app-{kept:%Y-%m-%d}.log", f"app-{too_old:%Y-%m-%d}.log", "app-of-mine.txt"):
        (tmp_path / name).touch()

    daily.handle(record_at(today))

    assert {path.name for path in tmp_path.iterdir()} == {
        f"app-{kept:%Y-%m-%d}.log",
        f"app-{today:%Y-%m-%d}.log",
        "app-of-mine.txt",
    }


@pytest.mark.parametrize("where", ["fail()", "threading.Thread(target=fail).start()"])
def test_an_error_nobody_handled_is_a_line_too(where: str) -> None:
    script = f"""
import threading
from app.logs import configure_logging
configure_logging("INFO", None)
def fail(): raise RuntimeError("nobody expected this")
{where}
"""

    printed, errors = run_script(script).communicate(timeout=PATIENCE)

    [line] = [json.loads(line) for line in printed.splitlines()]
    assert line["level"] == "CRITICAL"
    assert "nobody expected this" in line["exception"]
    assert errors == ""

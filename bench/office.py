"""How long the pages of the office take with 100,000 orders: `python -m bench.office [ROUNDS]`.

In this process, against MariaDB: what is timed is from the request to the last byte of the page.
Every page that links lead to is asked for; each figure is that of its slowest address.
"""

import time
from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient

from app import interpreter
from app.extensions import db
from app.gateways import current_settings
from app.models import Role
from app.services.money import postings
from bench.figures import Sheet, at_most
from bench.stage import quiet_settings, run_alone
from tests.app_factory import running_app
from tests.harness.database import MariaDB
from tests.office.crawling import crawl
from tests.staff.office import Office

ORDERS = 100_000
SEED_SECONDS, PAGE_MS, SEARCH_MS, STATEMENTS = 120.0, 200.0, 100.0, 12
PAGES = "/staff/…, the slowest of all pages"
# What people look for: a name, a part of one, an address, the end of a phone number, nothing.
SEARCHES = ("sari", "gilang nas", "utami5", "6789", "example.org", "nobody at all")


def measure(server: MariaDB, rounds: int) -> Sheet:
    """Return how long seeding, each page and each search take, and the most statements."""
    sheet = Sheet("office")
    with running_app(quiet_settings(server.fresh_database())) as app:
        _seed(sheet, app)
        client = Office(app).log_in(Role.ADMIN)
        list(crawl(client))  # what only the first of a process costs does not count
        interpreter.settle()  # as a web process does, or a page would now and then wait 0.1 s
        for _ in range(rounds):
            _note_pages(sheet, client)
            for words in SEARCHES:
                _note_search(sheet, client, words)
    return sheet


def _seed(sheet: Sheet, app: Flask) -> None:
    with app.app_context():
        began = time.perf_counter()
        command = ["demo-data", "--orders", str(ORDERS)]
        app.test_cli_runner().invoke(args=command, catch_exceptions=False)
        seconds = time.perf_counter() - began
        sheet.note(
            f"demo-data --orders {ORDERS}", "seconds", seconds, targets=[at_most(SEED_SECONDS)]
        )
        began = time.perf_counter()
        postings.sweep_all(now=datetime.now(UTC), zone=current_settings().event.timezone)
        sheet.note("posting their ledger", "seconds", time.perf_counter() - began)
        db.session.remove()


def _note_pages(sheet: Sheet, client: FlaskClient) -> None:
    slowest: dict[str, float] = {}
    most = 0
    for visit in crawl(client):
        slowest[visit.rule] = max(slowest.get(visit.rule, 0), visit.seconds * 1000)
        most = max(most, visit.spoken.statements)
    for rule in sorted(slowest):
        sheet.note(rule, "ms", slowest[rule])
    sheet.note(PAGES, "ms", max(slowest.values()), targets=[at_most(PAGE_MS)])
    sheet.note(PAGES, "statements", most, targets=[at_most(STATEMENTS)])


def _note_search(sheet: Sheet, client: FlaskClient, words: str) -> None:
    began = time.perf_counter()
    answer = client.get("/staff/orders", query_string={"q": words})
    assert answer.status_code in (200, 303), answer.status
    milliseconds = (time.perf_counter() - began) * 1000
    sheet.note(f"search for “{words}”", "ms", milliseconds, targets=[at_most(SEARCH_MS)])


if __name__ == "__main__":
    run_alone(measure)

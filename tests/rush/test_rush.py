"""The short form of `make rush`: a crowd at real processes, and the same audit afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.rush.checks import BUDGET
from bench.rush.drill import Outcome, drill
from bench.rush.plan import Plan
from bench.rush.report import verdicts, write_report
from tests.harness.database import MariaDB

SHORT = Plan(
    buyers=150,
    seats=30,
    seconds=3,
    hold=60,
    calls_per_minute=240,
    latency_ms=20,
    deadline=7,
    pace=0.1,
)


@pytest.fixture(scope="module")
def outcome(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """One drill for all tests of this file."""
    yield drill(SHORT, tmp_path_factory.mktemp("rush"), mariadb)


def test_nothing_is_broken_after_a_short_rush(outcome: Outcome) -> None:
    broken = {name for name, found in outcome.findings.items() if found}

    # How much of the budget is used is a matter of speed, and not asserted where others compute.
    assert broken <= {BUDGET}, verdicts(outcome)


def test_a_short_rush_sells_and_refuses(outcome: Outcome) -> None:
    assert outcome.book.paid, "nobody paid"
    assert outcome.book.no, "nobody was told that the seats are gone"
    assert len(outcome.book.arrivals) == SHORT.buyers


def test_its_report_says_what_was_found(outcome: Outcome, tmp_path: Path) -> None:
    write_report(outcome, tmp_path)

    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert all(name in text for name in outcome.findings)
    assert (tmp_path / "rush.svg").read_bytes().startswith(b"<?xml")

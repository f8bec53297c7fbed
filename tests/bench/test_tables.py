"""Figures, their targets, and the tables they become."""

import re
from pathlib import Path

import pytest

from bench.figures import (
    Sheet,
    at_least,
    at_least_share,
    at_most,
    read_report,
    share_of_limit,
    verdicts,
    write_report,
)
from bench.run import BENCHES
from bench.table import fill, grid, markdown, markdown_tables, plain
from tests.harness.processes import ROOT

MACHINE = {
    "cores": 2,
    "memory_gib": 24,
    "architecture": "x86_64",
    "python": "3.11.7",
    "database": "MariaDB 10.11",
    "packages": {"flask": "3.1.0"},
}
REPORT = {"rounds": 3, "machine": MACHINE}


def sheet() -> Sheet:
    made = Sheet("orders")
    for ours, bare in ((100.0, 200.0), (150.0, 200.0), (90.0, 100.0)):
        targets = [at_least(300), at_least_share(0.5)]
        made.note("orders", "a second", ours, limit="bare", targets=targets)
        made.note("orders", "p99 ms", 900.0, targets=[at_most(1000)])
        made.note("bare", "a second", bare)
    return made


def test_a_share_is_taken_round_by_round() -> None:
    figures = sheet().figures
    assert share_of_limit(figures[0], figures) == 0.75  # of 0.5, 0.75 and 0.9
    assert share_of_limit(figures[2], figures) is None


def test_each_target_is_judged() -> None:
    rate, p99, bare = sheet().figures
    figures = [rate, p99, bare]
    assert verdicts(rate, figures) == ["at least 300: missed", "at least 50%: met"]
    assert verdicts(p99, figures) == ["at most 1,000: met"]
    assert verdicts(bare, figures) == []
    assert verdicts(rate, [rate])[1] == "at least 50%: not measured"


def test_a_table_has_a_row_a_name_and_a_column_a_unit() -> None:
    rows = grid(sheet().figures, "orders")
    assert rows == [
        ["", "a second", "p99 ms", "of its limit", "target"],
        [
            "orders",
            "100 (90-150)",
            "900",
            "75% of bare",
            "a second at least 300: missed; a second at least 50%: met; p99 ms at most 1,000: met",
        ],
        ["bare", "200 (100-200)", "", "", ""],
    ]
    assert plain(rows).splitlines()[2].startswith("bare    200 (100-200)")
    assert markdown(rows).splitlines()[1] == "| --- | ---: | ---: | ---: | ---: |"


def test_a_column_that_nothing_fills_is_left_out() -> None:
    made = Sheet("pages")
    made.note("catalogue", "bytes", 1000)
    assert grid(made.figures, "pages") == [["", "bytes"], ["catalogue", "1,000"]]


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    write_report(path, REPORT, sheet().figures)
    report, figures = read_report(path)
    assert report == REPORT
    assert figures == sheet().figures


def test_tables_take_their_places_in_a_document() -> None:
    text = "a\n<!-- bench:orders -->\nold\n<!-- /bench:orders -->\nz\n"
    filled = fill(text, {"orders": "new"})
    assert filled == "a\n<!-- bench:orders -->\nnew\n<!-- /bench:orders -->\nz\n"
    assert fill(filled, {"orders": "new"}) == filled
    with pytest.raises(KeyError, match="jobs"):
        fill(text, {"jobs": "new"})


def test_the_document_has_a_place_for_the_machine_and_the_tables() -> None:
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    tables = markdown_tables(REPORT, sheet().figures)
    assert "| orders | 100 (90-150) |" in fill(text, tables)


@pytest.mark.parametrize("name", BENCHES)
def test_every_benchmark_has_its_place_in_the_document(name: str) -> None:
    source = (ROOT / "bench" / f"{name}.py").read_text(encoding="utf-8")
    [bench] = re.findall(r'Sheet\("([^"]+)"\)', source)
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert "| new |" in fill(text, {bench: "| new |"})
    assert "def measure(" in source

"""Put drills into the document: `python -m bench.rush.publish REPORT.json... docs/performance.md`.

Each report becomes a column of the table between the markers of `bench.table`, named `rush`.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from bench.table import Grid, fill, markdown

PLACE = "rush"
PAGES = ("catalogue", "checkout form", "checkout submit", "API order", "order page")


def main() -> None:
    """Read the reports and write the table."""
    parser = argparse.ArgumentParser(description="A table of drills.")
    parser.add_argument("reports", type=Path, nargs="+")
    parser.add_argument("document", type=Path)
    given = parser.parse_args()
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in given.reports]
    text = given.document.read_text(encoding="utf-8")
    given.document.write_text(fill(text, {PLACE: markdown(grid(reports))}), encoding="utf-8")


def grid(reports: list[dict[str, Any]]) -> Grid:
    """Return a column for each report, a row for each figure."""
    columns = [_column(report) for report in reports]
    names = list(dict.fromkeys(name for column in columns for name in column))
    return [["", *map(_title, reports)]] + [
        [name, *(column.get(name, "") for column in columns)] for name in names
    ]


def _title(report: dict[str, Any]) -> str:
    plan = report["plan"]
    door = "with" if plan["has_fair_door"] else "without"
    return f"{plan['buyers']:,} for {plan['seats']:,} seats, {door} the fair door"


def _column(report: dict[str, Any]) -> dict[str, str]:
    figures, findings = report["figures"], report["findings"]
    orders, refusals, invoices = figures["orders"], figures["refusals"], figures["invoices"]
    kept = sum(not found for found in findings.values())
    pages = {f"{page}, s: p50 / p95 / p99": figures["answers"].get(page) for page in PAGES}
    losers = figures["losers"]
    pages["a loser knows, s after coming"] = losers["since_coming"]
    pages["a loser knows, s after the last seat went or coming"] = losers["since_the_last_seat"]
    pages["of that, s from asking to being told"] = losers["since_asking"]
    pages["waits for the invoice, s"] = invoices["wait_for_invoice"]
    return {
        "checks that hold": f"{kept} of {len(findings)}",
        "orders placed / seats sold": f"{orders['placed']:,} / {orders['seats_sold']:,}",
        "answers 503": f"{refusals['answered_503']:,}",
        **{name: _spread(seconds) for name, seconds in pages.items() if seconds},
        "invoices in the fullest minute, of the limit": (
            f"{invoices['most_in_any_minute']} of {invoices['limit_a_minute']}"
        ),
        "invoices while a line existed, of those possible": (
            f"{invoices['made_while_a_line_existed']} of {invoices['possible_in_that_time']}"
        ),
        "429 from Xendit": str(invoices["refused_429"]),
        "cores in the rush: web / workers / database": " / ".join(_cores(figures["cpu"])),
    }


def _spread(seconds: dict[str, float]) -> str:
    return " / ".join(f"{seconds[name]:.2f}" for name in ("p50", "p95", "p99"))


def _cores(cpu: dict[str, dict[str, float]]) -> list[str]:
    parts = ("web", "worker", "database")
    used = (
        sum(each["cores_in_the_rush"] for name, each in cpu.items() if name.startswith(part))
        for part in parts
    )
    return [f"{cores:.2f}" for cores in used]


if __name__ == "__main__":
    main()

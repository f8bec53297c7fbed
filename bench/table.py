"""Tables of figures: for a terminal, and for docs/performance.md.

`python -m bench.table build/bench.json` prints Markdown; with `--into docs/performance.md` each
table takes the place between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`.
"""

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.figures import Figure, read_report, share_of_limit, verdicts

Grid = list[list[str]]
MACHINE = "machine"


def main() -> None:
    """Print the tables of a report, or put them into a document."""
    parser = argparse.ArgumentParser(description="Markdown tables of a benchmark report.")
    parser.add_argument("report", type=Path)
    parser.add_argument("--into", type=Path, help="a document with markers to fill")
    given = parser.parse_args()
    report, figures = read_report(given.report)
    tables = markdown_tables(report, figures)
    if given.into is None:
        print("\n\n".join(f"### {name}\n\n{table}" for name, table in tables.items()))
        return
    text = given.into.read_text(encoding="utf-8")
    given.into.write_text(fill(text, tables), encoding="utf-8")


def markdown_tables(report: dict[str, Any], figures: list[Figure]) -> dict[str, str]:
    """Return a Markdown table for each benchmark by name, and a line about the machine."""
    benches = dict.fromkeys(figure.bench for figure in figures)
    tables = {name: markdown(grid(figures, name)) for name in benches}
    return {MACHINE: describe(report), **tables}


def describe(report: dict[str, Any]) -> str:
    """Return on what, and over how many rounds, was measured."""
    machine = report["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['architecture']}; "
        f"Python {machine['python']}, {machine['database']}, {packages}. "
        f"Rounds: {report['rounds']}; medians, lowest and highest in brackets."
    )


def grid(figures: list[Figure], bench: str) -> Grid:
    """Return a benchmark's figures, a row a name and a column a unit, with a head row.

    Shares of limits and targets come behind; columns nobody fills are left out.
    """
    mine = [figure for figure in figures if figure.bench == bench]
    units = list(dict.fromkeys(figure.unit for figure in mine))
    rows = [["", *units, "of its limit", "target"]]
    for name in dict.fromkeys(figure.name for figure in mine):
        row = {figure.unit: figure for figure in mine if figure.name == name}
        cells = [_cell(row[unit]) if unit in row else "" for unit in units]
        shares = [_share(figure, mine) for figure in row.values()]
        targets = [
            f"{figure.unit} {said}" if len(units) > 1 else said
            for figure in row.values()
            for said in verdicts(figure, mine)
        ]
        rows.append([name, *cells, _join(shares), _join(targets)])
    return _without_empty_columns(rows)


def _cell(figure: Figure) -> str:
    values = [figure.median]
    if min(figure.values) != max(figure.values):
        values += [min(figure.values), max(figure.values)]
    digits = 0 if figure.median >= 100 or all(value == int(value) for value in values) else 1
    digits = 2 if 0 < figure.median < 10 and digits else digits
    first, *spread = (f"{value:,.{digits}f}" for value in values)
    return f"{first} ({'-'.join(spread)})" if spread else first


def _share(figure: Figure, figures: list[Figure]) -> str:
    share = share_of_limit(figure, figures)
    return "" if share is None else f"{share:.0%} of {figure.limit}"


def _join(parts: Iterable[str]) -> str:
    return "; ".join(part for part in parts if part)


def _without_empty_columns(rows: Grid) -> Grid:
    filled = [column for column in zip(*rows, strict=True) if any(column[1:])]
    return [list(row) for row in zip(*filled, strict=True)]


def plain(rows: Grid) -> str:
    """Return a grid in columns of equal width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_padded(row, widths) for row in rows]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _padded(row: list[str], widths: list[int]) -> list[str]:
    first, *rest = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return [first, *rest]


def markdown(rows: Grid) -> str:
    """Return a grid as a Markdown table."""
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


def fill(text: str, tables: dict[str, str]) -> str:
    """Return the document with each table between its markers. Raises KeyError for no marker.

    A marked place whose benchmark was not run keeps what it had.
    """
    for name, table in tables.items():
        place = re.compile(rf"(<!-- bench:{name} -->\n).*?(<!-- /bench:{name} -->)", re.DOTALL)
        if not place.search(text):
            raise KeyError(f"no place for the table {name}")
        text = place.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    main()

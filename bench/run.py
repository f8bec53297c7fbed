"""Run the benchmarks and print one table: `make bench ROUNDS=3 ONLY=orders,growth`.

Real processes on MariaDB, on this machine: trust comparisons made in one run. Beside the table
stands build/bench.json, from which `python -m bench.table` makes the tables of docs/performance.md.
"""

import argparse
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from bench.figures import Figure, Sheet, machine, write_report
from bench.stage import ask
from bench.table import describe, grid, plain
from tests.harness.database import MariaDB

# In this order; each is a module with `measure(server, rounds)`.
BENCHES = (
    "catalogue",
    "orders",
    "sell_out",
    "callbacks",
    "waiting",
    "jobs",
    "mailing",
    "e_tickets",
    "check_ins",
    "scaling",
    "growth",
    "start_up",
    "memory",
    "journey",
    "office",
)
REPORT = Path("build/bench.json")

Measure = Callable[[MariaDB, int], Sheet]


def main() -> int:
    """Run what was asked for; return 1 when a benchmark failed."""
    parser = argparse.ArgumentParser(description="Measure the running service.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help=f"some of: {', '.join(BENCHES)}")
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    names = [name for name in given.only.split(",") if name] or list(BENCHES)
    if unknown := set(names) - set(BENCHES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    server = MariaDB()
    try:
        return run(server, names, given.rounds, given.report)
    finally:
        server.stop()


def run(server: MariaDB, names: list[str], rounds: int, path: Path) -> int:
    """Run the benchmarks, writing the report after each; print the table; return the exit code."""
    report = {"rounds": rounds, "machine": machine(database_version(server))}
    figures: list[Figure] = []
    failed = []
    for name in names:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            figures += find(name)(server, rounds).figures
        except (Exception, SystemExit):  # noqa: BLE001 (the others are still worth having)
            traceback.print_exc()
            failed.append(name)
        write_report(path, report, figures)
    print_tables(figures)
    print(f"\n{describe(report)}\nWritten to {path}.")
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def find(name: str) -> Measure:
    """Return what measures, of the module with this name."""
    measure: Measure = import_module(f"bench.{name}").measure
    return measure


def print_tables(figures: list[Figure]) -> None:
    """Print a table for each benchmark."""
    for bench in dict.fromkeys(figure.bench for figure in figures):
        print(f"\n== {bench} ==\n{plain(grid(figures, bench))}")


def database_version(server: MariaDB) -> str:
    """Return the name and version of the database server."""
    [(version,)] = ask(server.fresh_database(), "SELECT VERSION()")
    return f"MariaDB {str(version).split('-', 1)[0]}"


if __name__ == "__main__":
    sys.exit(main())

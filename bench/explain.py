"""Which statement reads too many rows, and how: `python -m bench.explain [ORDERS]`.

Sends each action once to an old shop and has the database explain every statement of it. Prints
those that go through more than FEW rows of a table, by its own estimate.
"""

import sys
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from app.clock import utcnow
from app.extensions import db
from app.services.running import jobs
from app.services.running.invariants import find_violations
from bench.actions import prepare_actions
from bench.recording import COMMIT, ROLLBACK, Statement, recorded
from bench.seeding import seed_orders
from bench.stage import quiet_settings
from tests.app_factory import running_app
from tests.harness.database import MariaDB

ORDERS = 100_000
FEW = 100
EXPLAINABLE = ("SELECT", "UPDATE", "DELETE")


def main() -> None:
    """Print what reads many rows, action by action."""
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS
    server = MariaDB()
    try:
        for line in explain(server.fresh_database(), orders):
            print(line)
    finally:
        server.stop()


def explain(url: str, orders: int) -> list[str]:
    """Return a line for each table that a statement goes through more than FEW rows of."""
    with running_app(quiet_settings(url)):
        seed_orders(url, orders)
    actions = prepare_actions(url)
    lines = []
    with running_app(quiet_settings(url)) as app:
        with app.app_context():
            engine = db.engine
            tasks: dict[str, Callable[[], object]] = {
                "a look for jobs": lambda: jobs.claim(utcnow()),
                "check of invariants": find_violations,
            }
        for action in actions:
            with recorded(engine) as sent:
                action.send(app)
            lines += _large(engine, action.name, sent)
        for name, task in tasks.items():
            with app.app_context(), recorded(engine) as sent:
                task()
            lines += _large(engine, name, sent)
    return lines or [f"nothing reads more than {FEW} rows of a table"]


def _large(engine: sa.Engine, name: str, sent: list[Statement]) -> list[str]:
    lines = []
    with engine.connect() as connection:
        for statement in sent:
            if statement.sql in (COMMIT, ROLLBACK) or not statement.sql.startswith(EXPLAINABLE):
                continue
            plan = connection.exec_driver_sql(f"EXPLAIN {statement.sql}", statement.parameters)
            lines += [
                f"{name}: {_said(row)}\n    {' '.join(statement.sql.split())[:160]}"
                for row in plan.mappings()
                if _rows(row["rows"]) > FEW
            ]
    return lines


def _rows(estimate: object) -> int:
    """Read an estimate: a number, perhaps with the share that a filter leaves behind it."""
    return int(str(estimate or 0).split()[0])


def _said(row: Any) -> str:
    key = row["key"] or "no index"
    return f"{row['table']} by {key} ({row['type']}), {row['rows']} rows, {row['Extra']}"


if __name__ == "__main__":
    main()

"""`python -m bench.rush`: runs the drill and exits with 1 when an invariant is broken.

BUYERS, SEATS, SECONDS, SEED, HOLD, CALLS (Xendit's limit a minute), FAIR_DOOR and FOLDER are read
from the environment.
"""

import os
import sys
import tempfile
from pathlib import Path

from bench.rush.drill import drill
from bench.rush.plan import Plan
from bench.rush.report import verdicts, write_report
from tests.harness.database import MariaDB

FOLDER = "build/rush"


def main() -> int:
    """Run the drill, write the report, print the verdicts."""
    plan = Plan.from_env(os.environ)
    logs = Path(tempfile.mkdtemp(prefix="rush-"))
    print(f"{plan.buyers} buyers for {plan.seats} seats in {plan.seconds:g} s, seed {plan.seed}")
    server = MariaDB()
    try:
        outcome = drill(plan, logs, server, lambda line: print(line, flush=True))
    finally:
        server.stop()
    folder = Path(os.environ.get("FOLDER") or FOLDER)
    write_report(outcome, folder)
    print(verdicts(outcome))
    print(f"Report: {folder / 'report.md'}. Logs: {logs}")
    return 0 if outcome.is_good else 1


if __name__ == "__main__":
    sys.exit(main())

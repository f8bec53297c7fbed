"""`python -m tests.torture`: DURATION and SEED from the environment; 1 when anything is found."""

import os
import secrets
import sys
import tempfile
from pathlib import Path

from tests.torture.run import Plan, torture


def main() -> int:
    """Run, print the report, and say by the exit code whether all was well."""
    seed = int(os.environ.get("SEED") or secrets.randbelow(1_000_000))
    plan = Plan(seed, float(os.environ.get("DURATION") or 180))
    sys.stdout.write(f"SEED={plan.seed} DURATION={plan.duration:g}\n")
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    report = torture(plan, folder)
    sys.stdout.write(f"{report}\nLogs: {folder}\n")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())

"""The short form of `make torture`: real processes, killed under load, lose nothing."""

from pathlib import Path

from tests.torture.chaos import KILLS
from tests.torture.run import Plan, torture


def test_nothing_is_lost_and_nothing_happens_twice_whatever_is_killed(tmp_path: Path) -> None:
    report = torture(Plan(seed=3, duration=9, buyers=4, pause=0.7), tmp_path)

    assert report.findings == [], str(report)
    done = " ".join(report.done)
    assert all(kill in done for kill in KILLS), str(report)
    assert "orders PAID" in done

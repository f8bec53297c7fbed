"""Figures: what a benchmark found, round by round, beside its limit and its target."""

import json
import os
import platform
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("flask", "gunicorn", "pymysql", "sqlalchemy", "weasyprint", "werkzeug")


@dataclass(frozen=True)
class Target:
    """What is asked of a median: at most or at least `bound`, of the limit where it is a share."""

    bound: float
    is_most: bool = False
    is_share: bool = False

    def is_met_by(self, value: float) -> bool:
        """Tell whether a value (a share: 0 to 1) is good enough."""
        return value <= self.bound if self.is_most else value >= self.bound

    def __str__(self) -> str:
        shown = f"{self.bound:.0%}" if self.is_share else f"{self.bound:,.10g}"
        return f"{'at most' if self.is_most else 'at least'} {shown}"


def at_least(bound: float) -> Target:
    """Ask for this much or more."""
    return Target(bound)


def at_most(bound: float) -> Target:
    """Ask for this much or less."""
    return Target(bound, is_most=True)


def at_least_share(bound: float) -> Target:
    """Ask for this share (0 to 1) of the limit or more."""
    return Target(bound, is_share=True)


@dataclass
class Figure:
    """One measured thing: `values` has one entry a round; `limit` names the figure of the same
    unit that it can at best be as good as. All `targets` are asked of the median.
    """

    bench: str
    name: str
    unit: str
    values: list[float] = field(default_factory=list)
    limit: str | None = None
    targets: list[Target] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)


class Sheet:
    """The figures of one benchmark, in the order they were first noted."""

    def __init__(self, bench: str) -> None:
        self.bench = bench
        self._figures: dict[tuple[str, str], Figure] = {}

    def note(
        self,
        name: str,
        unit: str,
        value: float,
        *,
        limit: str | None = None,
        targets: Iterable[Target] = (),
    ) -> None:
        """Add a round's value of a figure."""
        new = Figure(self.bench, name, unit, limit=limit, targets=list(targets))
        self._figures.setdefault((name, unit), new).values.append(value)

    @property
    def figures(self) -> list[Figure]:
        return list(self._figures.values())


def share_of_limit(figure: Figure, figures: Iterable[Figure]) -> float | None:
    """Return the median, over the rounds, of the figure as a share of its limit.

    Round by round, since both were measured side by side: what else the machine did then cancels
    out. None without a limit, or while that is not measured.
    """
    for other in figures:
        if (other.bench, other.name, other.unit) == (figure.bench, figure.limit, figure.unit):
            pairs = zip(figure.values, other.values, strict=False)
            return statistics.median(mine / theirs for mine, theirs in pairs)
    return None


def verdicts(figure: Figure, figures: Iterable[Figure]) -> list[str]:
    """Return each target and whether it is met."""
    share = share_of_limit(figure, figures)
    said = []
    for target in figure.targets:
        value = share if target.is_share else figure.median
        met = "not measured" if value is None else "met" if target.is_met_by(value) else "missed"
        said.append(f"{target}: {met}")
    return said


def machine(database: str) -> dict[str, Any]:
    """Return what the figures depend on; nothing that would tell whose machine it is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "database": database,
        "packages": {name: version(name) for name in PACKAGES},
    }


def write_report(path: Path, report: dict[str, Any], figures: Iterable[Figure]) -> None:
    """Write what was measured, and on what, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {**report, "figures": [asdict(figure) for figure in figures]}
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def read_report(path: Path) -> tuple[dict[str, Any], list[Figure]]:
    """Read what `write_report` wrote: everything else, and the figures."""
    report = json.loads(path.read_text(encoding="utf-8"))
    figures = [
        Figure(**{**one, "targets": [Target(**target) for target in one["targets"]]})
        for one in report.pop("figures")
    ]
    return report, figures

"""The report of a drill: one folder with report.md, report.json and the plots."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.figures import machine
from bench.rush.drill import Outcome
from bench.rush.plots import draw
from bench.rush.summary import summarise
from bench.table import Grid, markdown

SHOWN = 5  # of what a check found, in full
PLOT = "rush.svg"


def verdicts(outcome: Outcome) -> str:
    """Return one line for each check: ok or broken, with the first of what it found."""
    lines = []
    for name, found in outcome.findings.items():
        lines.append(f"{'broken' if found else 'ok':8}{name}")
        lines += [f"        - {finding}" for finding in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"        - and {len(found) - SHOWN} more")
    return "\n".join(lines)


def write_report(outcome: Outcome, folder: Path) -> None:
    """Write the three files into the folder, over those of the last drill."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = summarise(outcome)
    whole = {
        "plan": asdict(outcome.plan),
        "machine": machine("MariaDB"),
        "figures": figures,
        "findings": outcome.findings,
    }
    (folder / "report.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(_document(outcome, figures), encoding="utf-8")
    draw(outcome, folder / PLOT)


def _document(outcome: Outcome, figures: dict[str, Any]) -> str:
    plan, here = outcome.plan, machine("MariaDB")
    parts = [
        "# The rush",
        f"{plan.buyers:,} buyers in {plan.seconds:g} s for {plan.seats:,} seats, seed {plan.seed}; "
        f"holds of {plan.hold} s; Xendit's stand-in answers after {plan.latency_ms:g} ms and takes "
        f"{plan.calls_per_minute} calls a minute. Everything, the buyers too, on one machine: "
        f"{here['cores']} cores, {here['memory_gib']} GiB, Python {here['python']}.",
        f"![Arrivals, seats, invoices, answers and CPU over time]({PLOT})",
        "## Invariants",
        f"```\n{verdicts(outcome)}\n```",
        "## What became of them",
        _facts(figures["orders"] | figures["refusals"]),
        "## How fast",
        "Seconds as the buyers saw them, by kind of request; below, how long those without seats "
        "did not know it, and how long after paying the page said paid.",
        markdown(_latencies(figures)),
        "## Invoices",
        _facts({k: v for k, v in figures["invoices"].items() if not isinstance(v, dict)}),
        "## Who used the processor",
        "CPU seconds over the whole drill, and cores in use on average while buyers came. The "
        "client is the simulated crowd: no part of the service.",
        markdown(_cpu(figures)),
        "## What the lots were",
        _facts(figures["lots"]),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(facts: dict[str, Any]) -> str:
    rows = [[name.replace("_", " "), f"{value:,}"] for name, value in facts.items()]
    return markdown([["", "number"], *rows])


def _latencies(figures: dict[str, Any]) -> Grid:
    rows = {
        **figures["answers"],
        "a loser knows, from coming": figures["losers"]["since_coming"],
        "from when the last seat went, or from coming": figures["losers"]["since_the_last_seat"],
        "of that, from asking": figures["losers"]["since_asking"],
        "waits for the invoice": figures["invoices"]["wait_for_invoice"],
        "paid, until the page says so": figures["paid"],
    }
    head = ["", *next(iter(rows.values()))]
    return [head, *([name, *(f"{v:,}" for v in row.values())] for name, row in rows.items())]


def _cpu(figures: dict[str, Any]) -> Grid:
    head = ["", "CPU seconds", "cores in the rush"]
    return [
        head,
        *(
            [name, f"{used['seconds']:,}", f"{used['cores_in_the_rush']:g}"]
            for name, used in figures["cpu"].items()
        ),
    ]

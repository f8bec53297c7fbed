"""E-tickets a second and core, beside the least page there is: `python -m bench.e_tickets`.

That page, a paragraph by the same library, is the limit: what WeasyPrint costs whatever is drawn.
"""

import statistics
import time
from functools import cache
from typing import Any

from bench import tickets
from bench.figures import Sheet, at_most
from bench.stage import run_alone
from tests.harness.database import MariaDB

PAGES = 5  # drawn in each round, taken in turn
LIMIT = "a page with one paragraph"
SINGLE, FURTHER = "e-tickets, single-seat order", "e-tickets, each further seat"


def measure(_server: MariaDB, rounds: int) -> Sheet:
    """Return CPU time and e-tickets a second of one core, warm."""
    sheet = Sheet("e-tickets")
    for _ in range(rounds):
        drawn = tickets.measure(PAGES)
        further = (drawn[tickets.MANY] - drawn[tickets.FEW]) / (tickets.MANY - tickets.FEW)
        _note(sheet, SINGLE, drawn[tickets.FEW], most=35)
        _note(sheet, FURTHER, further, most=25)
        _note(sheet, LIMIT, _draw_paragraphs())
    return sheet


def _note(sheet: Sheet, name: str, milliseconds: float, *, most: float | None = None) -> None:
    targets = [at_most(most)] if most is not None else []
    sheet.note(name, "CPU ms each", milliseconds, targets=targets)
    limit = LIMIT if most is not None else None
    sheet.note(name, "a second and core", 1000 / milliseconds, limit=limit)


def _draw_paragraphs() -> float:
    """Return the median CPU milliseconds of the least page, warm."""
    spent = []
    _draw_paragraph()
    for _ in range(PAGES):
        begun = time.process_time()
        _draw_paragraph()
        spent.append((time.process_time() - begun) * 1000)
    return statistics.median(spent)


def _draw_paragraph() -> bytes:
    html, options = _library()
    drawn: bytes = html(string="<p>Sari Dewi</p>").write_pdf(**options)
    return drawn


@cache
def _library() -> tuple[Any, dict[str, Any]]:
    """Load WeasyPrint, with fonts known once for all pages as the service knows them."""
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    return HTML, {"font_config": FontConfiguration()}


if __name__ == "__main__":
    run_alone(measure)

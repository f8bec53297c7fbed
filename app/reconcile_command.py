"""The command `reconcile`: compare a stretch of days with Xendit, and print what differs."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import click
from flask.cli import with_appcontext

from app.clock import utcnow
from app.errors import Busy
from app.formatting import rupiah
from app.gateways import current_gateways, current_settings
from app.integrations.xendit import XenditError
from app.models import Reconciliation, ReconciliationLine, Verdict
from app.services.money.budget import Meter, Share, take
from app.services.money.daily_reconciliation import midnight
from app.services.money.reconciliation import reconcile

HEADINGS = (
    "verdict",
    "reference",
    "invoice",
    "order",
    "payment",
    "Xendit",
    "paid there",
    "paid here",
)
TWO_AMOUNTS = 2  # the last columns, set to the right
DAY = click.DateTime(["%Y-%m-%d"])


@click.command("reconcile")
@click.option(
    "--from",
    "first",
    type=DAY,
    metavar="YYYY-MM-DD",
    help="First day in the event's zone; default: yesterday.",
)
@click.option(
    "--to", "last", type=DAY, metavar="YYYY-MM-DD", help="Last day, included; default: the first."
)
@click.option("--all", "show_all", is_flag=True, help="Print invoices that match as well.")
@with_appcontext
def reconcile_days(first: datetime | None, last: datetime | None, show_all: bool) -> None:
    """Compare Xendit's invoices with ours; what was paid there and not here is made good.

    Exits with 1 when anything differs that was not healed, or when it could not be compared.
    """
    zone = current_settings().event.timezone
    yesterday = utcnow().astimezone(zone).date() - timedelta(days=1)
    from_day = first.date() if first else min(yesterday, last.date() if last else yesterday)
    to_day = last.date() if last else from_day
    if to_day < from_day:
        raise click.BadParameter("the last day comes before the first", param_hint="--to")
    try:
        run = reconcile(
            midnight(from_day, zone),
            midnight(to_day + timedelta(days=1), zone),
            now=utcnow(),
            gateway=current_gateways().xendit.metered(PatientMeter()),
            progress=lambda invoices: click.echo(f"{invoices} invoices looked at", err=True),
        )
    except (XenditError, Busy) as error:
        raise click.ClickException(
            f"it could not be compared ({error!r}): nothing was kept, what was healed stays "
            "healed; run it again"
        ) from error
    click.echo(f"{from_day} to {to_day}, {zone}")
    click.echo(render(run, show_all=show_all))
    if run.differences:
        raise click.exceptions.Exit(1)


class PatientMeter(Meter):
    """Waits for the budget instead of giving up: somebody watches, and may press Ctrl-C."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(Share.BACKGROUND, utcnow)
        self._sleep = sleep

    def before(self, endpoint: str) -> None:
        """Take a call out of the budget, however long that takes."""
        while (pause := take(endpoint, Share.BACKGROUND, utcnow())) is not None:
            click.echo(f"the minute's calls are used up: {pause.seconds + 1} s to wait", err=True)
            self._sleep(pause.total_seconds())


def render(run: Reconciliation, *, show_all: bool) -> str:
    """Return the table of differences (of all lines with `show_all`), and sums of all lines."""
    shown = [line for line in run.lines if show_all or line.verdict is not Verdict.MATCH]
    return "\n".join([*_table(shown), *_sums(run)])


def _table(lines: Sequence[ReconciliationLine]) -> list[str]:
    if not lines:
        return []
    rows = [HEADINGS, *(_cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    words = len(HEADINGS) - TWO_AMOUNTS
    table = [
        "  ".join(
            cell.ljust(width) if column < words else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [*table, ""]


def _cells(line: ReconciliationLine) -> tuple[str, ...]:
    words = (line.verdict.value, line.external_id, line.invoice_id)
    states = (line.order_status, line.payment_status, line.xendit_status)
    amounts = (rupiah(line.paid_there), rupiah(line.paid_here))
    return tuple(word or "-" for word in (*words, *states)) + amounts


def _sums(run: Reconciliation) -> list[str]:
    """Return the sums; other systems on the account are those invoices that have no line."""
    listed = sum(line.xendit_status != "" for line in run.lines)
    there = sum(line.paid_there for line in run.lines)
    here = sum(line.paid_here for line in run.lines)
    found = Counter(line.verdict for line in run.lines)
    verdicts = ", ".join(f"{found[each]} {each.value}" for each in Verdict if found[each])
    return [
        f"invoices at Xendit: {run.invoices}, of other systems: {run.invoices - listed}",
        f"lines: {len(run.lines)}" + (f" ({verdicts})" if verdicts else ""),
        f"paid there: {rupiah(there)}",
        f"paid here: {rupiah(here)}",
        f"difference: {rupiah(there - here)}",
    ]

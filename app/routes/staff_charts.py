"""Charts of the sale, each drawn from the table beside it, so that the table says it all."""

from collections.abc import Sequence

from flask import Blueprint, render_template
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import NotFound, Words
from app.gateways import current_settings
from app.routes.access import requires_role
from app.routes.staff_finance import MONEY_ROLES, as_moment
from app.services.office import charts, sales

bp = Blueprint("staff_charts", __name__, url_prefix="/staff/finance/charts")

CHARTS: dict[str, Words] = {
    "sales": _l("Sales over time"),
    "funnel": _l("From looking to entering"),
    "channels": _l("Ways of paying"),
    "arrivals": _l("Arrivals at the door"),
}


@bp.get("")
@requires_role(*MONEY_ROLES)
def show() -> str:
    """Show how sales went, against the seats there are and the windows of prices."""
    return _page("sales", course=charts.chart_sales())


@bp.get("/<name>")
@requires_role(*MONEY_ROLES)
def show_one(name: str) -> str:
    """Show the funnel, the channels or the arrivals. Raises NotFound."""
    zone = current_settings().event.timezone
    if name == "funnel":
        return _page(name, stages=_stages(charts.count_funnel()))
    if name == "channels":
        first, last = sales.find_days(None, None, today=utcnow().astimezone(zone).date())
        found = sales.look(first, last)
        return _page(name, found=found, most=max((one.net for one in found.channels), default=0))
    if name == "arrivals":
        return _page(name, slots=charts.chart_arrivals(zone))
    raise NotFound


def _stages(funnel: charts.Funnel) -> Sequence[tuple[Words, int, int | None, int]]:
    """Return each stage: its words, how many, the share of the one before (%), and of the most.

    A look is a page shown, an order may hold several people: shares go from like to like only.
    """
    counted = [
        (_l("Looked at the shop (pages shown)"), funnel.looks, None),
        (_l("Orders placed"), funnel.orders, funnel.looks),
        (_l("Orders paid"), funnel.paid, funnel.orders),
        (_l("People with a valid ticket"), funnel.seats, None),
        (_l("People who came in"), funnel.entered, funnel.seats),
    ]
    known = [(words, count, before) for words, count, before in counted if count is not None]
    most = max(count for _words, count, _before in known) or 1
    return [
        (words, count, round(100 * count / before) if before else None, round(100 * count / most))
        for words, count, before in known
    ]


def _page(name: str, **figures: object) -> str:
    return render_template(
        "staff/finance/charts.html", name=name, charts=CHARTS, day=as_moment, **figures
    )

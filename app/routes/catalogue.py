"""The catalogue: what is on sale, for whom to choose from."""

from flask import Blueprint, Response, request

from app.clock import utcnow
from app.forms.checkout import CheckoutForm
from app.gateways import current_settings
from app.integrations.calendar import event_calendar
from app.models import SaleStatus
from app.routes import assets, event_files
from app.routes.htmx import render
from app.services.selling.catalogue import TicketOnSale, list_tickets

# "Few left" is said from here on: this many, or this share of the whole.
FEW = 10
FEW_SHARE = 10

bp = Blueprint("catalogue", __name__)
bp.register_blueprint(assets.bp)
bp.register_blueprint(event_files.bp)


@bp.get("/")
def index() -> str:
    """Show every ticket with its state; quantities in the address are kept chosen."""
    tickets = list_tickets(utcnow(), include_all=True)
    chosen = CheckoutForm.from_values(request.args)
    return render(
        "catalogue/index.html",
        "catalogue/_tickets.html",
        lines=chosen.lines(tickets),
        situation=_situation(tickets),
    )


@bp.get("/event.ics")
def calendar() -> Response:
    """Give the event's entry for the visitor's calendar."""
    settings = current_settings()
    body = event_calendar(settings.event, public_url=settings.public_url)
    response = Response(body, mimetype="text/calendar")
    response.headers["Content-Disposition"] = 'inline; filename="event.ics"'
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.app_template_test("few_left")
def is_few_left(ticket: TicketOnSale) -> bool:
    """Tell whether so few are left that buyers should know the number."""
    return ticket.available <= max(FEW, ticket.amount // FEW_SHARE)


def _situation(tickets: list[TicketOnSale]) -> str:
    """Return what can be said of the whole sale, for the words above the list."""
    statuses = {ticket.status for ticket in tickets}
    if not statuses:
        return "empty"
    if SaleStatus.ON_SALE in statuses:
        return "open"
    if SaleStatus.UPCOMING in statuses:
        return "upcoming"
    return "sold_out" if SaleStatus.SOLD_OUT in statuses else "ended"

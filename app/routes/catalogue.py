"""The catalogue: what is on sale, for whom to choose from."""

from datetime import datetime, timedelta

from babel.dates import format_timedelta
from flask import Blueprint, Response, request
from flask_babel import get_locale

from app.clock import utcnow
from app.forms.checkout import CheckoutForm
from app.gateways import current_settings
from app.integrations.calendar import event_calendar
from app.models import SaleStatus
from app.routes import assets, event_files, voucher_codes
from app.routes.drawings import Drawing, draw, drawn
from app.routes.htmx import render, wants_fragment
from app.routes.language import current_language
from app.services.selling.catalogue import TicketOnSale
from app.services.selling.shop_window import has_vouchers, look_at_tickets
from app.services.selling.voucher_look import VoucherLook

# "Few left" is said from here on: this many, or this share of the whole.
FEW = 10
FEW_SHARE = 10
# From here on buyers are told when the sale of a ticket ends.
NEAR_END = timedelta(days=3)
# How often an open page asks for news, in seconds; oftener when something is about to change.
PACE = 20
FAST_PACE = 5
SOON = timedelta(minutes=1)

bp = Blueprint("catalogue", __name__)
bp.register_blueprint(assets.bp)
bp.register_blueprint(event_files.bp)


@bp.get("/")
def index() -> Response:
    """Show every ticket with its state; quantities in the address are kept chosen.

    With a `voucher` in it, what this code opens and its prices. Answers 304 to who has the same
    already.
    """
    drawing = _drawing(utcnow())
    response = Response(drawing.body)
    # Weak: proxies may compress it. The whole page is hashed, so language and looks are in it.
    response.set_etag(drawing.etag, weak=True)
    # Keep it, but ask each time whether it changed; what a code opens is nobody else's.
    is_own = voucher_codes.is_in_address()
    response.headers["Cache-Control"] = "private, no-cache" if is_own else "no-cache"
    return response.make_conditional(request)  # type: ignore[return-value]


def _drawing(now: datetime) -> Drawing:
    """Return what to send; one that names no quantities is everybody's, and drawn once a second.

    A second, because it also says how long it is until something opens or ends.
    """
    if request.args:
        chosen = CheckoutForm.from_values(request.args)
        return draw(_render(chosen, voucher_codes.look_for(chosen, now), now))
    look = VoucherLook(look_at_tickets(now))
    kind = (current_language(), wants_fragment())
    source = (int(now.timestamp()), look.tickets, has_vouchers(now))
    return drawn(kind, source, lambda: _render(CheckoutForm({}), look, now))


def _render(chosen: CheckoutForm, look: VoucherLook, now: datetime) -> str:
    tickets = look.tickets
    upcoming = (t.valid_from for t in tickets if t.status is SaleStatus.UPCOMING)
    return render(
        "catalogue/index.html",
        "catalogue/_tickets.html",
        lines=chosen.lines(tickets),
        situation=_situation(tickets),
        pace=_pace(tickets, now),
        opens_at=min(upcoming, default=None),
        look=look,
        code=chosen.voucher_typed,
        takes_codes=bool(chosen.voucher_typed) or has_vouchers(now),
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


@bp.app_template_test("ending")
def is_ending(ticket: TicketOnSale) -> bool:
    """Tell whether the sale of a ticket ends so soon that buyers should know when."""
    return ticket.status is SaleStatus.ON_SALE and ticket.valid_until - utcnow() <= NEAR_END


@bp.app_template_filter()
def from_now(when: datetime) -> str:
    """Return `in 3 hours` or `dalam 3 jam`, to the minute."""
    return format_timedelta(
        when - utcnow(), granularity="minute", add_direction=True, locale=get_locale()
    )


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


def _pace(tickets: list[TicketOnSale], now: datetime) -> int | None:
    """Return after how many seconds to ask again; None when nothing will be sold any more."""
    changes = [moment for t in tickets for moment in (t.valid_from, t.valid_until) if moment > now]
    if not changes:
        return None
    return FAST_PACE if min(changes) - now <= SOON else PACE

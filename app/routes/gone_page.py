"""The page for who opens the checkout for tickets that are all gone: the same for everybody."""

from flask import Response, render_template, request

from app.clock import utcnow
from app.forms.checkout import CheckoutForm
from app.models import SaleStatus
from app.routes.blank_checkout import is_blank
from app.routes.htmx import wants_fragment
from app.services.selling.shop_window import look_at_tickets
from app.services.selling.sold_out import are_gone


def is_too_late() -> bool:
    """Tell whether this request opens the form for tickets that are all gone."""
    if request.method != "GET" or wants_fragment() or not (request.args and is_blank()):
        return False
    return are_gone(look_at_tickets(utcnow()), _wanted())


def gone_page() -> Response:
    """Return the page, without anything of one visitor's: `shop_front` repeats it to all."""
    tickets, wanted = look_at_tickets(utcnow()), _wanted()
    page = render_template(
        "checkout/gone.html",
        gone=[ticket for ticket in tickets if ticket.id in wanted],
        has_others=any(ticket.status is SaleStatus.ON_SALE for ticket in tickets),
    )
    response = Response(page, headers={"Cache-Control": "no-cache"})
    response.add_etag(weak=True)
    return response.make_conditional(request)  # type: ignore[return-value]


def _wanted() -> dict[int, int]:
    return CheckoutForm.from_values(request.args).quantities

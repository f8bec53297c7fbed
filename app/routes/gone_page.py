"""The page for who opens the checkout for tickets that are all gone: the same for everybody."""

import secrets
from collections.abc import Collection

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.errors import SoldOut
from app.forms.checkout import CheckoutForm
from app.models import SaleStatus
from app.routes.blank_checkout import is_blank
from app.routes.drawings import drawn
from app.routes.htmx import wants_fragment
from app.routes.language import current_language
from app.routes.refusals import FIELD
from app.services.selling.shop_window import look_at_tickets
from app.services.selling.sold_out import are_gone

# Stands for one visitor's own fields in a drawing; nobody can type it.
TYPED = secrets.token_urlsafe(24)
PRESSED = ("intent", "language")  # buttons, which the way back has its own of


def is_too_late() -> bool:
    """Tell whether this request opens the form for tickets that are all gone."""
    if request.method != "GET" or wants_fragment() or not (request.args and is_blank()):
        return False
    return are_gone(look_at_tickets(utcnow()), _wanted())


def gone_page() -> Response:
    """Return the page, without anything of one visitor's: `shop_front` repeats it to all."""
    response = Response(_draw(_wanted(), ""), headers={"Cache-Control": "no-cache"})
    response.add_etag(weak=True)
    return response.make_conditional(request)  # type: ignore[return-value]


def gone_answer(wanted: Collection[int]) -> ResponseReturnValue:
    """Answer a form that asked for these tickets alone; the way back to it keeps what was typed."""
    fields = [pair for pair in request.form.items(multi=True) if pair[0] not in PRESSED]
    page = _draw(wanted, TYPED).replace(TYPED, "".join(FIELD.format(*pair) for pair in fields))
    return page, SoldOut.status, {"Cache-Control": "private, no-cache"}


def _draw(wanted: Collection[int], typed: str) -> str:
    """Return the page as it was drawn for all who chose the same and know the same of the stock."""
    tickets = look_at_tickets(utcnow())
    gone = [ticket for ticket in tickets if ticket.id in wanted]
    others = [ticket for ticket in tickets if ticket.id not in wanted]
    has_others = any(ticket.status is SaleStatus.ON_SALE for ticket in others)

    def render() -> str:
        return render_template("checkout/gone.html", gone=gone, has_others=has_others, typed=typed)

    kind = ("gone", current_language(), request.full_path, typed, tuple(sorted(wanted)))
    source = [(ticket.id, ticket.type) for ticket in gone], has_others
    return drawn(kind, source, render).body


def _wanted() -> dict[int, int]:
    return CheckoutForm.from_values(request.args).quantities

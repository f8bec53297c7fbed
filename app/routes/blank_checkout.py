"""The checkout's form before anything is typed: drawn once a second for all who want the same.

In a rush thousands open it in a minute, and drawing it costs more than placing the order. What is
each visitor's own, the two tokens, is put into the drawing in place of a mark.
"""

import secrets
from collections.abc import Callable
from datetime import datetime

from flask import request
from flask_wtf.csrf import generate_csrf

from app.forms.checkout import CheckoutForm
from app.routes.drawings import drawn
from app.routes.htmx import wants_fragment
from app.routes.language import current_language
from app.routes.late_comers import asks_for_quantities
from app.services.selling.shop_window import has_vouchers, look_at_tickets

KIND = "checkout"
# Of the process alone: nobody can type them.
CSRF_MARK, ORDER_MARK = secrets.token_urlsafe(24), secrets.token_urlsafe(24)

Draw = Callable[[CheckoutForm], str]


def is_blank() -> bool:
    """Tell whether the address asks for quantities and nothing else, so that many ask the same."""
    query = request.query_string.decode("utf-8", "replace")
    return asks_for_quantities(query.removesuffix("&voucher="))  # the catalogue's field, left empty


def blank_form(draw: Draw, now: datetime) -> str:
    """Return the form for the quantities in the address, with tokens nobody else has.

    `draw` is called when there is no drawing of this second; it has to use CSRF_MARK.
    """
    kind = (KIND, current_language(), wants_fragment(), request.full_path)
    source = (int(now.timestamp()), look_at_tickets(now), has_vouchers(now))
    form = CheckoutForm.from_values({**request.args, "order_token": ORDER_MARK})
    page = drawn(kind, source, lambda: draw(form)).body
    fresh = form.with_token(fresh=True).order_token
    return page.replace(CSRF_MARK, generate_csrf()).replace(ORDER_MARK, fresh)

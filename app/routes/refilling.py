"""Trying again: what was typed for an order that ended fills the checkout once more.

The browser's session carries only the order's token, for the one visit to the checkout that
follows: no name or address stands in an address bar, a log or a cookie.
"""

from flask import session

from app.forms.checkout import as_fields
from app.forms.fields import show_phone
from app.models import Order, OrderItem
from app.services.selling.ordering import find_order_by_token

KEY = "again"


def remember(order: Order) -> None:
    """Have the next visit to the checkout begin with what was typed for this order."""
    session[KEY] = order.token


def take_typed() -> dict[str, str]:
    """Return the checkout's fields as they were typed for the remembered order, and forget it."""
    token = session.pop(KEY, None)
    order = find_order_by_token(token) if token else None
    if order is None:
        return {}
    buyer = order.user
    typed = {"full_name": buyer.full_name, "email": buyer.email, "no_hp": show_phone(buyer.no_hp)}
    seats = {name: who for item in order.items for name, who in _seats(item).items()}
    codes = [item.voucher.code for item in order.items if item.voucher is not None]
    voucher = {"voucher": codes[0]} if codes else {}
    chosen = {**as_fields(order.quantities), **voucher}
    return {**chosen, **typed, **seats, "prefilled": buyer.full_name}


def _seats(item: OrderItem) -> dict[str, str]:
    names = enumerate(item.attendees, start=1)
    return {f"a{item.ticket_id}_{number}": name for number, name in names}

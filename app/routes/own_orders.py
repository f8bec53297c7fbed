"""The orders a browser placed itself: only to it may the checkout speak of them.

Kept in the session's signed cookie, which ends with the browser's session. Another browser that
types the same address gets the very answer it would get for one that never bought anything. Two
forms sent in the same moment may both pass: what is not paid of them expires by itself.
"""

from flask import session

from app.clock import utcnow
from app.services.selling.recent_orders import RecentOrder, list_recent_orders

KEY = "orders"
MOST = 8  # a cookie holds 4 kB; each takes about 70 bytes


def remember(form_token: str, order_token: str) -> None:
    """Note that this browser's form made this order; the oldest ones make room."""
    made = {key: token for key, token in _made().items() if key != form_token}
    session[KEY] = dict([*made.items(), (form_token, order_token)][-MOST:])


def has_made(form_token: str) -> bool:
    """Tell whether this very form was sent before: what it leads to is no second order."""
    return form_token in _made()


def list_own_orders(email: str) -> list[RecentOrder]:
    """Return this browser's orders of this address that are open or fresh. Raises Busy."""
    tokens = list(_made().values())
    return list_recent_orders(tokens, email, utcnow()) if tokens else []


def _made() -> dict[str, str]:
    return dict(session.get(KEY) or {})

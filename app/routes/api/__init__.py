"""The JSON API, with the OpenAPI description it is built from."""

from typing import Any

from flask import Flask
from flask_smorest import Api

from app.extensions import csrf
from app.routes.api import check_ins, door_search, door_sync, orders, tickets
from app.routes.credentials import DEVICE_COOKIE

DOOR_CALLERS = {
    "doorDevice": {
        "type": "apiKey",
        "in": "cookie",
        "name": DEVICE_COOKIE,
        "description": "A paired phone.",
    },
    "staffSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "Staff with role door or admin.",
    },
}


class ProblemApi(Api):
    """flask-smorest without its own error answers: ours are problem+json everywhere."""

    def _register_error_handlers(self) -> None:
        """Leave errors to `app.routes.error_handlers`."""


def init_app(app: Flask) -> None:
    """Register the API's blueprints.

    None needs a CSRF token: orders have no cookie, and `requires_door` looks at the origin.
    """
    api: Any = ProblemApi(
        app,
        spec_kwargs={
            "info": {
                "description": "Sell tickets from another system: list them, order, follow the "
                "order. Refusals are RFC 9457 problem documents with a stable `code`."
            }
        },
    )
    api.spec.components.security_scheme(
        "apiKey", {"type": "http", "scheme": "bearer", "description": "`flask api-keys add NAME`"}
    )
    for name, scheme in DOOR_CALLERS.items():
        api.spec.components.security_scheme(name, scheme)
    for module in (tickets, orders, check_ins):
        csrf.exempt(module.bp)
        api.register_blueprint(module.bp)
    for page in (door_sync, door_search):  # the scanner page's own: not in the description
        csrf.exempt(page.bp)  # `requires_door` sees to it
        app.register_blueprint(page.bp)

"""The JSON API, with the OpenAPI description it is built from."""

from typing import Any

from flask import Flask
from flask_smorest import Api

from app.extensions import csrf
from app.routes.api import door_sync, orders, tickets


class ProblemApi(Api):
    """flask-smorest without its own error answers: ours are problem+json everywhere."""

    def _register_error_handlers(self) -> None:
        """Leave errors to `app.routes.error_handlers`."""


def init_app(app: Flask) -> None:
    """Register the API's blueprints; they need no CSRF token, having no cookie."""
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
    for module in (tickets, orders):
        csrf.exempt(module.bp)
        api.register_blueprint(module.bp)
    csrf.exempt(door_sync.bp)  # `requires_door` sees to it
    app.register_blueprint(door_sync.bp)  # the scanner page's own: not in the description

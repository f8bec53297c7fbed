"""The application with nobody in a hurry: what is full stays full for as long as a test looks."""

from app import database, lanes

database.LOCK_WAIT_SECONDS = database.STATEMENT_SECONDS = 300
lanes.PATIENCE = 300.0

from app.services.money import invoicing  # noqa: E402

invoicing.INLINE = (60.0, 300.0)  # type: ignore[attr-defined]

from wsgi import app  # noqa: E402 (the lines above have to come first)

__all__ = ["app"]

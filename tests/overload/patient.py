"""The application with nobody in a hurry: what is full stays full for as long as a test looks."""

from datetime import timedelta

from app import lanes
from tests.harness.patience import wait_for_the_database

wait_for_the_database(300)
lanes.PATIENCE = 300.0

from app.services.money import invoicing  # noqa: E402
from app.services.selling import order_writing  # noqa: E402

invoicing.INLINE = (60.0, 300.0)  # type: ignore[attr-defined]
order_writing.INLINE_HEAD_START = timedelta(minutes=10)

from wsgi import app  # noqa: E402 (the lines above have to come first)

__all__ = ["app"]

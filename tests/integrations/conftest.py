"""A Flask application with only what integrations need: templates, languages, mail."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from flask import Flask
from flask_babel import Babel
from flask_mail import Mail

from app.formatting import event_datetime, event_time, rupiah
from app.integrations.pdf import TicketRenderer
from tests.integrations.pdf_reading import close_pdfs

APP = Path(__file__).resolve().parents[2] / "app"


class MakesApps(Protocol):
    """Makes an application from settings."""

    def __call__(self, **config: Any) -> Flask:
        """Return a new application."""
        ...


def make_bare_app(**config: Any) -> Flask:
    """Return an application with our templates and formats and no database, pages or settings."""
    app = Flask("tests.integrations", template_folder=str(APP / "templates"))
    app.config.update(BABEL_TRANSLATION_DIRECTORIES=str(APP / "translations"), **config)
    app.jinja_env.globals.update(
        rupiah=rupiah, event_datetime=event_datetime, event_time=event_time
    )
    Babel(app)
    Mail(app)
    return app


@pytest.fixture
def bare_app() -> MakesApps:
    """The way to make an application from settings."""
    return make_bare_app


@pytest.fixture
def in_a_bare_app() -> Iterator[None]:
    """The context of an application, for what renders templates; PDFs are closed at the end."""
    with make_bare_app().app_context():
        yield
    close_pdfs()


@pytest.fixture(scope="session")
def renderer() -> TicketRenderer:
    """One renderer for all tests: the first PDF costs a second."""
    return TicketRenderer()

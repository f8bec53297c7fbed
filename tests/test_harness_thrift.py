"""What applications of the tests share is compiled, never what happened in one of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, render_template

from app.extensions import db
from app.models import Ticket
from tests.app_factory import make_settings, running_app
from tests.harness.database import fresh_sqlite
from tests.pages.shop import Shop


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[tuple[Shop, Shop]]:
    """Two applications, each with a database of its own."""
    chosen = [make_settings(fresh_sqlite(tmp_path)) for _ in range(2)]
    with running_app(chosen[0]) as one, running_app(chosen[1]) as other:
        yield Shop(one, chosen[0]), Shop(other, chosen[1])


def test_two_applications_share_statements_and_no_row(shops: tuple[Shop, Shop]) -> None:
    one, other = shops
    one.add_ticket("Balkon")

    with other.app.app_context():
        assert db.session.query(Ticket).count() == 0
    assert "Balkon" in one.client.get("/").text
    assert "Balkon" not in other.client.get("/").text


def test_a_template_that_changed_is_compiled_again(tmp_path: Path) -> None:
    for words in ("first", "second"):
        (tmp_path / "page.html").write_text(words, encoding="utf-8")
        app = Flask(__name__, template_folder=str(tmp_path))
        with app.app_context():
            assert render_template("page.html") == words


def test_an_address_is_built_by_the_rule_of_its_own_application() -> None:
    for prefix in ("/a", "/b"):
        app = Flask(__name__)
        app.add_url_rule(f"{prefix}/<int:number>", "page", view_func=lambda number: "")
        with app.test_request_context():
            assert app.url_for("page", number=7, more="x") == f"{prefix}/7?more=x"


def test_the_description_of_the_api_is_there_when_asked_for(sqlite_app: Flask) -> None:
    for _ in range(2):
        described = sqlite_app.test_client().get("/api/openapi.json").json
        assert described is not None
        assert "/api/orders" in described["paths"]

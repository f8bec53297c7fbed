"""What holds for every page: security, weight, structure, and refusals in words."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, open_form
from tests.pages.soundness import (
    check_names,
    check_nothing_inline,
    check_references,
    check_structure,
)

LIMIT = 100_000
STATIC = Path(__file__).parents[2] / "app/static"
LANGUAGES = ["id", "en"]


def every_page(shop: Shop, language: str) -> Iterator[tuple[str, Page]]:
    """Visit each page of the buyer, some of them refused."""
    ticket = shop.add_ticket()
    shop.add_ticket("Gone", amount=0)
    order, paid, late = (shop.order(ticket) for _ in range(3))
    shop.pay(paid)
    refund = shop.come_too_late(late)
    client = shop.client
    headers = {"Accept-Language": language}
    for path in ("/", f"/checkout?t{ticket}=2", f"/orders/{order}", f"/orders/{paid}", "/nowhere"):
        yield path, Page(client.get(path, headers=headers))
    for path in ("/terms", "/privacy"):
        yield path, Page(client.get(path, headers=headers))
    for path in (f"{order}/cancel", late, f"{late}/bank-details?refund={refund}"):
        yield path, Page(client.get(f"/orders/{path}", headers=headers))
    sent = open_form(client, **{f"t{ticket}": 2}).fields | {"intent": "pay", "email": "x"}
    yield "refused", Page(client.post("/checkout", data=sent, headers=headers))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_well_built_and_all_ours(shop: Shop, language: str) -> None:
    for path, page in every_page(shop, language):
        check_structure(path, page, language)
        check_references(path, page)
        check_nothing_inline(path, page)
        check_names(path, page)


def test_every_answer_varies_by_htmx(shop: Shop) -> None:
    for path, page in every_page(shop, "id"):
        parts = {part.strip() for part in page.headers["Vary"].split(",")}
        assert {"HX-Request", "Accept-Language", "Cookie"} <= parts, path


def test_no_page_weighs_over_100_kilobytes(shop: Shop) -> None:
    client = shop.client
    for path, page in every_page(shop, "id"):
        files = {e.attributes["src"] for e in page.all("script")}
        files |= {e.attributes["href"] for e in page.all("link", rel="stylesheet")}
        weights = [weigh(client, file) for file in files]
        assert len(weights) >= 3
        assert len(page.source.encode()) + sum(weights) < LIMIT, path


def weigh(client: FlaskClient, address: str) -> int:
    """Return how many bytes a file has."""
    with client.get(address) as response:
        assert response.status_code == 200
        return len(response.data)


def test_static_files_are_kept_until_they_change(shop: Shop) -> None:
    client = shop.client
    page = Page(client.get("/"))
    for element in page.all("script"):
        address = element.attributes["src"]
        assert re.search(r"\?v=[0-9a-f]{12}$", address)
        with client.get(address) as response:
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    with client.get("/static/css/site.css") as unversioned:
        assert "immutable" not in unversioned.headers["Cache-Control"]


def test_each_font_of_the_stylesheet_is_there() -> None:
    stylesheet = (STATIC / "css/site.css").read_text()
    addresses = re.findall(r'url\("\.\./([^"]+)"\)', stylesheet)
    assert [a for a in addresses if a.endswith(".woff2")]
    for address in addresses:
        assert (STATIC / address).is_file(), address


def test_vendored_htmx_is_pinned_and_licensed() -> None:
    folder = STATIC / "vendor/htmx"
    assert 'version:"2.0.11"' in (folder / "htmx-2.0.11.min.js").read_text()
    assert "BSD" in (folder / "LICENSE").read_text()
    assert len(gzip.compress((folder / "htmx-2.0.11.min.js").read_bytes())) < 18_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_page_has_the_request_id_and_a_way_on(shop: Shop, language: str) -> None:
    headers = {"Accept-Language": language, "X-Request-ID": "the-request-id"}
    page = Page(shop.client.get("/nowhere", headers=headers))
    assert page.status == 404
    assert "the-request-id" in page.text
    assert [e for e in page.all("a", class_="button") if e.attributes["href"] == "/"]


def test_an_error_for_htmx_is_one_element(shop: Shop) -> None:
    page = Page(shop.client.get("/orders/nothing", headers={"HX-Request": "true"}))
    assert page.status == 404
    assert [e.attributes["id"] for e in page.root.children if not isinstance(e, str)] == ["problem"]


@pytest.mark.parametrize("name", ["full_name", "email", "no_hp"])
def test_nothing_typed_runs_as_html(shop: Shop, name: str) -> None:
    client = shop.client
    evil = "<img src=x onerror=alert(1)>\"'"
    sent = open_form(client, **{f"t{shop.add_ticket()}": 1}).fields | BUYER | {name: evil}
    page = Page(client.post("/checkout", data=sent | {"intent": "update"}))
    assert not page.all("img")
    assert page.fields[name] == evil

"""Error pages: what went wrong in both languages, a number, and a way on that fits."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from jinja2 import DictLoader

from app import create_app
from app.extensions import db
from app.models import Role
from tests.app_factory import CLOSED_PORT, logging_restored, make_settings
from tests.pages.html import Page
from tests.pages.shop import Shop
from tests.staff.office import Office

ID = "the-request-id"
MAIL = f"mailto:halo@tedxsenja.example?subject={ID}"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/checkout?t1=2"}


@pytest.fixture
def broken(shop: Shop) -> Shop:
    """A shop with a fault nobody foresaw: a table is missing."""
    shop.app.config["PROPAGATE_EXCEPTIONS"] = False  # as in production
    with shop.working():
        db.session.execute(sa.text("ALTER TABLE tickets RENAME TO misplaced"))
    return shop


@pytest.fixture
def without_database() -> Iterator[Flask]:
    """The application while nobody listens at the address of its database."""
    url = f"mysql+pymysql://nobody:x@127.0.0.1:{CLOSED_PORT}/tickets"
    with logging_restored():
        app = create_app(make_settings(url))
        app.config["PROPAGATE_EXCEPTIONS"] = False
        yield app


def visit(app: Flask, path: str, language: str = "en", method: str = "GET", **headers: str) -> Page:
    sent = {"Accept-Language": language, "X-Request-ID": ID, **headers}
    return Page(app.test_client().open(path, method=method, headers=sent))


def ways(page: Page) -> list[str]:
    """Return where the page's buttons lead, the main one first."""
    return [
        a.attributes["href"] for a in page.all("a") if "button" in a.attributes.get("class", "")
    ]


def expect_page(page: Page, status: int, heading: str, *addresses: str) -> None:
    assert page.status == status
    assert [h.text for h in page.all("h1")] == [heading]
    assert ID in page.text
    assert ways(page) == list(addresses)
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("language", "heading"), [("id", "Halaman tidak ditemukan"), ("en", "Page not found")]
)
def test_an_unknown_address_leads_to_the_tickets(shop: Shop, language: str, heading: str) -> None:
    expect_page(visit(shop.app, "/nowhere", language), 404, heading, "/")


def test_an_unknown_order_leads_to_a_person_too(shop: Shop) -> None:
    page = visit(shop.app, "/orders/nothing")
    expect_page(page, 404, "There is no such order", "/", MAIL)


@pytest.mark.parametrize(
    ("language", "heading"),
    [
        ("id", "Ini tidak dapat dilakukan di alamat ini"),
        ("en", "This cannot be done at this address"),
    ],
)
def test_an_address_only_for_sending_leads_to_its_page(
    shop: Shop, language: str, heading: str
) -> None:
    token = shop.order(shop.add_ticket())
    page = visit(shop.app, f"/orders/{token}/resend", language)
    expect_page(page, 405, heading, f"/orders/{token}", "/")
    assert page.headers["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize(
    ("language", "heading"), [("id", "Kiriman terlalu besar"), ("en", "Too much was sent")]
)
def test_a_form_that_is_too_large_leads_back_to_it(shop: Shop, language: str, heading: str) -> None:
    headers = {"Accept-Language": language, "X-Request-ID": ID}
    headers["Referer"] = "http://localhost/checkout?t1=2"
    answer = shop.client.post("/checkout", data={"full_name": "y" * 70_000}, headers=headers)
    expect_page(Page(answer), 413, heading, "/checkout?t1=2", "/")


def test_no_foreign_page_is_taken_for_the_forms_own(shop: Shop) -> None:
    for foreign in ("https://elsewhere.example/checkout", "http://localhost//elsewhere.example"):
        answer = shop.client.post(
            "/checkout", data={"x": "y" * 70_000}, headers={"Referer": foreign}
        )
        assert ways(Page(answer)) == ["/checkout", "/"]


def test_too_many_requests_are_told_how_long_to_wait(limited_shop: Shop) -> None:
    token = limited_shop.order(limited_shop.add_ticket())
    client, path = limited_shop.client, f"/orders/{token}/extend"
    form = Page(client.get(f"/orders/{token}/cancel")).fields
    for _ in range(120):
        client.post(path, data=form)
    for language, heading, wait in (
        ("id", "Terlalu banyak permintaan", "Anda dapat mencoba lagi dalam"),
        ("en", "Too many requests", "You can try again in"),
    ):
        headers = {"Accept-Language": language, "X-Request-ID": ID}
        page = Page(client.post(path, data=form, headers=headers))
        expect_page(page, 429, heading, f"/orders/{token}", "/")
        assert 0 < int(page.headers["Retry-After"]) <= 60
        assert wait in page.text


@pytest.mark.parametrize(
    ("language", "heading"),
    [("id", "Ada masalah di pihak kami"), ("en", "Something went wrong on our side")],
)
def test_a_fault_of_ours_offers_another_try_and_a_person(
    broken: Shop, language: str, heading: str
) -> None:
    expect_page(visit(broken.app, "/?t1=2", language), 500, heading, "/?t1=2", "/", MAIL)


@pytest.mark.parametrize(
    ("language", "heading"),
    [("id", "Kami sedang sangat sibuk"), ("en", "We are very busy right now")],
)
def test_every_page_says_that_the_database_is_away_without_asking_it(
    without_database: Flask, language: str, heading: str
) -> None:
    page = visit(without_database, "/", language)
    expect_page(page, 503, heading, "/", MAIL)
    assert page.headers["Retry-After"] == "2"
    assert visit(without_database, "/nowhere").status == 404
    assert visit(without_database, "/checkout", method="POST").status == 503


def test_a_member_of_staff_sees_it_too(without_database: Flask) -> None:
    client = without_database.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = "1:key", True
    for path in ("/", "/staff/door", "/staff/nowhere", "/door"):
        page = Page(client.get(path, headers={"Accept-Language": "en", "X-Request-ID": ID}))
        assert page.all("h1")[0].text in ("We are very busy right now", "Page not found"), path
        assert ID in page.text


def test_staff_without_the_role_are_led_to_their_own_pages(shop: Shop) -> None:
    client = Office(shop.app).log_in(Role.FINANCE)
    page = Page(client.get("/staff/door", headers={"X-Request-ID": ID}))
    expect_page(page, 403, "Your account may not do this", "/staff")


def test_a_form_that_is_too_old_leads_to_a_new_one(shop: Shop) -> None:
    client = Office(shop.app).log_in(Role.ADMIN)
    page = Page(client.post("/staff/log-out", headers={"X-Request-ID": ID}))
    expect_page(page, 400, "This form is too old", "/staff")


def test_an_order_that_never_was_is_no_fault_of_ours_even_without_a_token(shop: Shop) -> None:
    for path in ("/orders/nothing/extend", "/orders/nothing/bank-details"):
        assert visit(shop.app, path, method="POST").status == 404


@pytest.mark.parametrize(("path", "status"), [("/orders/nothing", 404), ("/", 500)])
def test_htmx_gets_one_element_with_a_link_to_the_whole_page(
    broken: Shop, path: str, status: int
) -> None:
    page = visit(broken.app, path, **HTMX)
    assert page.status == status
    [problem] = [e for e in page.root.children if not isinstance(e, str)]
    assert problem.attributes["id"] == "problem"
    assert ID in problem.text
    assert [a.attributes["href"] for a in page.all("a")] == ["/checkout?t1=2"]


def test_htmx_is_told_of_a_lost_database_too(without_database: Flask) -> None:
    page = visit(without_database, "/", **HTMX)
    assert page.status == 503
    assert page.all("div")[0].attributes["id"] == "problem"


def test_words_are_left_when_the_error_page_itself_fails(shop: Shop) -> None:
    shop.app.jinja_env.loader = DictLoader({"errors/problem.html": "{{ 1 / 0 }}"})
    page = visit(shop.app, "/nowhere")
    assert page.status == 404
    assert ID in page.text
    assert "Something went wrong on our side" in page.text
    assert "Ada masalah di pihak kami" in page.text
    assert [a.attributes["href"] for a in page.all("a")] == ["/", MAIL]
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    fragment = visit(shop.app, "/nowhere", **HTMX)
    assert fragment.all("main")[0].attributes["id"] == "problem", "what htmx looks for"


def test_a_page_whose_template_fails_is_a_fault_of_ours(shop: Shop) -> None:
    shop.app.config["PROPAGATE_EXCEPTIONS"] = False
    loader = shop.app.jinja_env.loader
    shop.app.jinja_env.loader = DictLoader({})
    page = visit(shop.app, "/terms")
    shop.app.jinja_env.loader = loader
    assert page.status == 500
    assert ID in page.text

"""Who comes too late is told at once, also while the shop is full; and nobody who has a seat is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, template_rendered
from jinja2 import Template
from werkzeug.test import EnvironBuilder

from app.lanes import Lane
from app.models import SaleStatus, TicketStock
from app.routes import catalogue, gone_page, late_comers, shop_front
from app.routes.late_comers import comes_too_late, wanted_in
from app.services.office import partners
from app.services.selling import shop_window
from app.services.selling.catalogue import TicketOnSale
from app.services.selling.shop_window import ShopWindow
from tests.harness.waiting import eventually
from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, open_form

BODY = {"user": {"full_name": "Sari Dewi", "email": "sari@example.com", "no_hp": "+6281234567890"}}


@pytest.fixture(autouse=True)
def much_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what was gone be told so for as long as a slow machine takes for a test."""
    monkeypatch.setattr(shop_window, "GONE_FOR", timedelta(hours=1))


def order_of(ticket: int, quantity: Any = 1) -> dict[str, Any]:
    return {**BODY, "items": [{"ticketId": ticket, "quantity": quantity}]}


def fill_up(shop: Shop) -> None:
    """Let the shop's lane take nobody any more."""
    gate = shop.app.extensions["lanes"][Lane.SHOP]
    gate.limits = replace(gate.limits, in_all=0)


def change_elsewhere(shop: Shop, ticket: int, **values: int) -> None:
    """Change the stock as another process does: this one hears nothing of it."""
    engine = sa.create_engine(shop.settings.database_url)
    with engine.begin() as connection:
        mine = sa.update(TicketStock).where(TicketStock.ticket_id == ticket)
        connection.execute(mine.values(**values))
    engine.dispose()


def test_who_opens_the_form_for_what_is_gone_reads_so_in_a_full_shop(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    for module in (catalogue, gone_page, late_comers, shop_front):
        monkeypatch.setattr(module, "utcnow", lambda: now)
    drawn: list[str] = []

    def draw(_app: Flask, template: Template, **_: Any) -> None:
        drawn.append(template.name or "")

    ticket = shop.add_ticket(amount=0)
    shop.client.get("/")  # somebody looks at the shop
    fill_up(shop)

    with template_rendered.connected_to(draw, shop.app):
        pages = [Page(shop.client.get(f"/checkout?t{ticket}=2")) for _ in range(8)]

    assert {page.status for page in pages} == {200}
    assert all("Reguler" in page.by_id("gone").text for page in pages)
    assert not any(page.all("form") for page in pages)
    assert drawn.count("checkout/gone.html") == 1
    assert shop.client.get("/checkout").status_code == 503


@pytest.mark.parametrize(("language", "words"), [("id", "Habis terjual"), ("en", "Sold out")])
def test_it_says_whether_there_is_another_type(shop: Shop, language: str, words: str) -> None:
    gone = shop.add_ticket("Presale", amount=0)
    headers = {"Accept-Language": language}

    alone = Page(shop.client.get(f"/checkout?t{gone}=2", headers=headers))
    shop.add_ticket("Reguler")
    beside = Page(shop.client.get(f"/checkout?t{gone}=2", headers=headers))

    assert [h.text for h in alone.all("h1")] == [words]
    assert len(beside.all("p")) == len(alone.all("p")) + 1


def test_the_form_is_there_while_any_of_the_choice_is_left(shop: Shop) -> None:
    gone, left = shop.add_ticket("Presale", amount=0), shop.add_ticket("Reguler", amount=1)

    for query in (f"t{gone}=1&t{left}=1", f"t{left}=3", f"t{gone}=0", f"t{gone}=1&full_name=Sari"):
        assert Page(shop.client.get(f"/checkout?{query}")).has_id("checkout-form"), query


def test_seats_that_come_back_are_offered_again(shop: Shop) -> None:
    ticket = shop.add_ticket(amount=0)
    path = f"/checkout?t{ticket}=1"
    assert Page(shop.client.get(path)).has_id("gone")

    change_elsewhere(shop, ticket, amount=5)

    eventually(lambda: Page(shop.client.get(path)).has_id("checkout-form"))


def test_an_order_for_what_is_gone_is_refused_in_a_full_shop(shop: Shop) -> None:
    ticket = shop.add_ticket(amount=5)
    with shop.working():
        key = "Bearer " + partners.add_key("Mitra", ("orders:write",), by="x", now=NOW)
    client = shop.client
    form = open_form(client, **{f"t{ticket}": 2}).fields | BUYER | {"intent": "pay"}
    change_elsewhere(shop, ticket, held=5)
    eventually(lambda: "Habis" in client.get("/").text)
    fill_up(shop)

    page = Page(client.post("/checkout", data=form))
    answer = client.post("/api/orders", json=order_of(ticket, 2), headers={"Authorization": key})

    assert page.status == 409
    assert page.fields["email"] == BUYER["email"]  # all that was typed is kept
    assert answer.status_code == 409
    assert answer.get_json()["code"] == "sold_out"
    assert answer.get_json()["available"] == [{"ticketId": ticket, "available": 0}]
    assert shop.count_orders() == 0


def test_the_way_back_to_the_form_keeps_all_that_was_typed(shop: Shop) -> None:
    ticket = shop.add_ticket(amount=5)
    client = shop.client
    typed = {"full_name": 'Sari "<Dewi>"', f"a{ticket}_1": "Budi & Ayu"}
    opened = open_form(client, **{f"t{ticket}": 2}).fields
    change_elsewhere(shop, ticket, held=5)

    gone = Page(client.post("/checkout", data=opened | BUYER | typed | {"intent": "pay"}))
    back = Page(client.post("/checkout", data=gone.fields | {"intent": "update"}))

    assert (gone.status, gone.has_id("gone")) == (409, True)
    assert back.has_id("checkout-form")
    for name, value in (BUYER | typed | {f"t{ticket}": "2"}).items():
        assert back.fields[name] == value, name


def test_a_form_that_has_its_order_leads_to_it_though_the_rest_is_gone(shop: Shop) -> None:
    ticket = shop.add_ticket(amount=2)
    client, other_tab = shop.client, shop.client
    form = open_form(client, **{f"t{ticket}": 2}).fields | BUYER | {"intent": "pay"}
    session = client.get_cookie("session")
    assert session is not None
    other_tab.set_cookie("session", session.value)
    first = client.post("/checkout", data=form)
    eventually(lambda: "Habis" in client.get("/").text)

    second = other_tab.post("/checkout", data=form)

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]


def test_the_counter_refuses_what_the_last_look_still_showed(shop: Shop) -> None:
    ticket = shop.add_ticket(amount=5)
    client = shop.client
    form = open_form(client, **{f"t{ticket}": 2}).fields | BUYER | {"intent": "pay"}
    change_elsewhere(shop, ticket, held=5)

    assert client.post("/checkout", data=form).status_code == 409
    assert shop.count_orders() == 0


NOW = datetime.now(UTC)


def seen(*, available: int, status: str = "sold_out") -> ShopWindow:
    """Return a window that has just seen a ticket with id 1, of which one may have up to 5."""
    window = TicketOnSale(
        1, "R", "", 1, 100, available, 5, NOW, NOW + timedelta(days=9), SaleStatus(status)
    )
    shown = ShopWindow(lambda _now: [window])
    shown.tickets(datetime.now(UTC))
    return shown


def asked(method: str, path: str, query: str = "", **options: Any) -> Any:
    return EnvironBuilder(path, method=method, query_string=query, **options).get_environ()


LATE = [
    asked("GET", "/checkout", "t1=2"),
    asked("POST", "/checkout", data={"t1": "2", "intent": "pay", "full_name": "Sari"}),
    asked("POST", "/checkout", data={"t1": "2", "intent": "pay_suggested"}),
    asked("POST", "/api/orders", json=order_of(1, 2)),
]
NOT_LATE = [
    asked("GET", "/checkout"),
    asked("GET", "/checkout", "t1=0"),
    asked("GET", "/checkout", "t1=6"),
    asked("GET", "/checkout", "t1=1&t2=1"),
    asked("GET", "/", "t1=2"),
    asked("POST", "/checkout", data={"t1": "2", "intent": "update"}),
    asked("POST", "/checkout", data=b"t1=2&intent=pay"),
    asked("POST", "/api/orders", data=b"{", content_type="application/json"),
    asked("POST", "/api/orders", json=[]),
    asked("POST", "/api/orders", json={"items": [1]}),
    asked("POST", "/api/orders", json=order_of(1, True)),
    asked("POST", "/api/orders", json=order_of(1, "2")),
    asked("POST", "/api/orders", json=order_of(1, -2)),
    asked("POST", "/api/orders", data=b"[" * 60_000, content_type="application/json"),
]


@pytest.mark.parametrize("environ", LATE)
def test_what_asks_for_gone_tickets_alone_is_too_late(environ: Any) -> None:
    assert comes_too_late(environ, seen(available=0))
    assert not comes_too_late(environ, seen(available=1, status="on_sale"))
    assert not comes_too_late(environ, ShopWindow(lambda _now: []))


@pytest.mark.parametrize("environ", NOT_LATE)
def test_all_else_goes_the_usual_way(environ: Any) -> None:
    assert not comes_too_late(environ, seen(available=0))


def test_a_body_that_was_looked_at_can_be_read_again() -> None:
    environ = asked("POST", "/api/orders", json=order_of(1, 2))

    assert wanted_in(environ) == {1: 2}
    assert wanted_in(environ) == {1: 2}


def test_the_front_is_drawn_anew_in_a_full_shop(shop: Shop) -> None:
    ticket = shop.add_ticket(amount=5)
    client = shop.client
    client.get("/")
    fill_up(shop)

    change_elsewhere(shop, ticket, held=5)

    eventually(lambda: "Habis" in client.get("/").text)
    assert client.get("/api/tickets").get_json()["tickets"][0]["status"] == "sold_out"
    assert client.get("/?t1=1").status_code == 503


def test_what_was_gone_a_moment_ago_is_told_whoever_sells_something_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window = seen(available=0)
    began_at = window.look(datetime.now(UTC)).began_at
    shop_window._commits.note(None)  # a commit of this process

    def is_told(after: timedelta) -> bool:
        monkeypatch.setattr(late_comers, "utcnow", lambda: began_at + after)
        return comes_too_late(LATE[0], window)

    assert window.seen(began_at) is None
    assert is_told(shop_window.GONE_FOR - timedelta(milliseconds=1))
    assert not is_told(shop_window.GONE_FOR)

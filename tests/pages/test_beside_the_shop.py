"""Who only looks, or only has to be told no, waits for nobody who orders."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.extensions import db
from app.lanes import Lane
from app.routes import catalogue, checkout, gone_page, late_comers, shop_front
from app.routes.late_comers import lane_beside
from app.services.selling.shop_window import Look, window_of
from tests.harness.statements import listening
from tests.harness.waiting import eventually
from tests.pages.html import Page
from tests.pages.shop import BUYER, Shop, open_form
from tests.pages.test_late_comers import LATE, NOT_LATE, asked, change_elsewhere, seen

FRONT = [asked("GET", "/"), asked("GET", "/api/tickets")]
NO_FRONT = [
    asked("GET", "/", "t1=2"),
    asked("GET", "/api/tickets", "status=all"),
    asked("POST", "/"),
]


@pytest.mark.parametrize("environ", FRONT)
def test_who_looks_at_what_all_see_is_in_the_lane_that_draws_it(environ: Any) -> None:
    assert lane_beside(environ, seen(available=5, status="on_sale")) is Lane.FRONT


@pytest.mark.parametrize("environ", LATE)
def test_who_comes_too_late_reads_it_there_or_is_refused_in_another(environ: Any) -> None:
    lane = Lane.FRONT if environ["REQUEST_METHOD"] == "GET" else Lane.LATE

    assert lane_beside(environ, seen(available=0)) is lane
    assert lane_beside(environ, seen(available=1, status="on_sale")) is None


@pytest.mark.parametrize("environ", NO_FRONT + NOT_LATE)
def test_everybody_else_is_in_the_shop(environ: Any) -> None:
    assert lane_beside(environ, seen(available=0)) is None


def test_a_late_form_asks_the_database_only_whether_it_has_its_order(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket, client = shop.add_ticket(amount=5), shop.client
    form = open_form(client, **{f"t{ticket}": 2}).fields | BUYER | {"intent": "pay"}
    change_elsewhere(shop, ticket, held=5)
    eventually(lambda: "Habis" in shop.client.get("/").text)
    now = window(shop).began_at
    for module in (checkout, gone_page, late_comers):
        monkeypatch.setattr(module, "utcnow", lambda: now)

    with shop.app.app_context(), listening(db.engine) as spoken:
        answer = client.post("/checkout", data=form)

    assert answer.status_code == 409
    assert spoken.statements == 1, f"\n{spoken}"


def window(shop: Shop) -> Look:
    """Return the last look of the shop's process at its stock."""
    with shop.app.app_context():
        look = window_of(db.engine)._look
    assert look is not None
    return look


def test_a_crowd_of_late_orders_keeps_nobody_from_looking(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    for module in (catalogue, checkout, gone_page, late_comers, shop_front):
        monkeypatch.setattr(module, "utcnow", lambda: now)
    ticket = shop.add_ticket(amount=0)
    gates = shop.app.extensions["lanes"]
    for lane in (Lane.SHOP, Lane.LATE):
        gates[lane].limits = replace(gates[lane].limits, in_all=0)

    front = shop.client.get("/")
    late = Page(shop.client.get(f"/checkout?t{ticket}=1"))

    assert "Habis" in front.text
    assert late.has_id("gone")
    assert (
        shop.client.post("/checkout", data={f"t{ticket}": "1", "intent": "pay"}).status_code == 503
    )

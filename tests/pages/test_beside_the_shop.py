"""Who only looks, or only has to be told no, waits for nobody who orders."""

from dataclasses import replace
from typing import Any

import pytest

from app.lanes import Lane
from app.routes.late_comers import lane_beside
from tests.pages.html import Page
from tests.pages.shop import Shop
from tests.pages.test_late_comers import LATE, NOT_LATE, asked, seen

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


def test_a_crowd_of_late_orders_keeps_nobody_from_looking(shop: Shop) -> None:
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

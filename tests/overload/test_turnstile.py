"""A request has its place from its beginning to the end of its work, whatever becomes of it."""

from collections.abc import Iterator

import pytest
from flask import Flask, Response, stream_with_context

from app.lanes import Gate, Lane
from app.routes.lane_hooks import lane_of


@pytest.fixture
def shop(sqlite_app: Flask) -> Gate:
    """The gate of the shop, in an application with two more addresses."""
    gate: Gate = sqlite_app.extensions["lanes"][Lane.SHOP]

    def parts() -> Iterator[str]:
        for _ in range(3):
            yield f"{gate.figures().at_work};"

    sqlite_app.add_url_rule("/parts", view_func=lambda: Response(stream_with_context(parts())))

    def fail() -> str:
        raise ZeroDivisionError

    sqlite_app.add_url_rule("/fault", view_func=fail)
    return gate


def test_an_answer_made_while_it_is_sent_keeps_its_place(sqlite_app: Flask, shop: Gate) -> None:
    answer = sqlite_app.test_client().get("/parts", buffered=True)

    assert answer.text == "1;1;1;"
    assert shop.figures().at_work == 0


@pytest.mark.parametrize("path", ["/", "/nowhere", "/terms"])
def test_an_answered_request_has_left(sqlite_app: Flask, shop: Gate, path: str) -> None:
    sqlite_app.test_client().get(path, buffered=False)

    assert shop.figures().at_work == 0


def test_a_request_that_fails_has_left(sqlite_app: Flask, shop: Gate) -> None:
    with pytest.raises(ZeroDivisionError):
        sqlite_app.test_client().get("/fault")

    assert shop.figures().at_work == 0


def test_a_request_that_flask_never_began_has_left(sqlite_app: Flask, shop: Gate) -> None:
    sqlite_app.extensions["turnstile"]._app = lambda *_: 1 / 0

    with pytest.raises(ZeroDivisionError):
        sqlite_app.test_client().get("/terms")

    assert shop.figures().at_work == 0


@pytest.mark.parametrize(
    ("path", "lane"),
    [
        ("/api/payment-callback", Lane.PAYMENTS),
        ("/api/refund-callback", Lane.PAYMENTS),
        ("/orders/some-token/cancel", Lane.PAYMENTS),
        ("/door", Lane.PAYMENTS),
        ("/api/check-ins/undo", Lane.PAYMENTS),
        ("/api/door/sync", Lane.PAYMENTS),
        ("/", Lane.SHOP),
        ("/checkout", Lane.SHOP),
        ("/api/orders", Lane.SHOP),
        ("/api/orders/TX7K2M9QPA", Lane.SHOP),
        ("/doors", Lane.SHOP),
        ("/staff/orders", Lane.SHOP),
        ("/readyz", Lane.HEALTH),
        ("/metrics", Lane.HEALTH),
        ("/healthz", None),
        ("/static/css/base.css", None),
        ("/event.css", None),
    ],
)
def test_the_address_tells_the_lane(path: str, lane: Lane | None) -> None:
    assert lane_of(path) is lane

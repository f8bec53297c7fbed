"""The catalogue for a crowd: repeated byte for byte, and never beyond what the view would say."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import TicketStock
from app.routes import catalogue, shop_front
from app.routes.api import tickets as api_tickets
from tests.app_factory import make_settings, running_app
from tests.running.sales import add_ticket

NOW = datetime(2029, 11, 1, 12, tzinfo=UTC)


class Shop:
    """The application at a moment that stands still, counting how often its view is asked."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.now = NOW
        self.drawn = 0
        for module in (catalogue, shop_front, api_tickets):
            monkeypatch.setattr(module, "utcnow", lambda: self.now)
        view = app.view_functions["catalogue.index"]
        app.view_functions["catalogue.index"] = lambda: self._count(view)

    def _count(self, view: Any) -> Any:
        self.drawn += 1
        return view()

    def get(self, path: str = "/", **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client = self.app.test_client()
        if cookie := named.pop("Cookie", None):
            client.set_cookie(*cookie.split("="))
        return client.get(path, headers=named)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    with running_app(make_settings(f"sqlite:///{tmp_path}/front.db")) as app:
        with app.app_context():
            add_ticket("Reguler", now=NOW)
        yield Shop(app, monkeypatch)


def test_a_crowd_gets_one_drawing_with_ids_of_their_own(shop: Shop) -> None:
    first, *others = [shop.get() for _ in range(5)]

    assert shop.drawn == 1
    for each in others:
        assert each.data == first.data
        own = {"X-Request-ID", "Date"}
        assert {k: v for k, v in each.headers if k not in own} == {
            k: v for k, v in first.headers if k not in own
        }
    assert len({each.headers["X-Request-ID"] for each in (first, *others)}) == 5
    assert shop.get(X_Request_ID="partner-0001").headers["X-Request-ID"] == "partner-0001"


def test_partners_in_a_hurry_get_one_drawing_too(shop: Shop) -> None:
    first, second = shop.get("/api/tickets"), shop.get("/api/tickets", X_Request_ID="a-longer-id-1")

    assert (second.status_code, _json(second)["requestId"]) == (200, "a-longer-id-1")
    assert _json(second)["tickets"] == _json(first)["tickets"]
    assert _json(first)["requestId"] == first.headers["X-Request-ID"]
    assert int(second.headers["Content-Length"]) == len(second.data)
    assert second.headers["ETag"] == first.headers["ETag"]
    assert shop.get("/api/tickets", If_None_Match=first.headers["ETag"]).status_code == 304
    assert _json(shop.get("/api/tickets?status=all"))["tickets"] == _json(first)["tickets"]
    with shop.app.app_context():
        db.session.execute(sa.update(TicketStock).values(held=TicketStock.amount))
        db.session.commit()
    assert _json(shop.get("/api/tickets"))["tickets"][0]["available"] == 0


def test_a_repeat_tells_nobody_of_anothers_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(f"sqlite:///{tmp_path}/front.db", rate_limit_enabled=True)
    with running_app(settings) as app:
        shop = Shop(app, monkeypatch)
        first, second = shop.get("/api/tickets"), shop.get("/api/tickets")
    assert "X-RateLimit-Remaining" in first.headers
    assert "X-RateLimit-Remaining" not in second.headers


def _json(response: TestResponse) -> Any:
    return response.get_json()


def test_who_has_it_already_is_told_so(shop: Shop) -> None:
    mark = shop.get().headers["ETag"]

    again = shop.get(If_None_Match=mark)

    assert (again.status_code, again.data, shop.drawn) == (304, b"", 1)
    assert "Content-Length" not in again.headers
    assert shop.get(If_None_Match='W/"other"').status_code == 200
    assert shop.get(If_None_Match=f'W/"other", {mark}').status_code == 304


def test_those_who_only_ask_whether_it_changed_are_a_crowd_too(shop: Shop) -> None:
    mark = shop.get().headers["ETag"]
    for _ in range(3):
        shop.now += timedelta(seconds=1)  # it is drawn anew, and looks the same
        answers = [shop.get(If_None_Match=mark) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [304] * 4
        assert all(answer.headers["X-Request-ID"] for answer in answers)
        assert not any("Content-Length" in answer.headers for answer in answers)
    assert shop.drawn == 4, "once at first, and once each second"


def test_each_language_and_each_part_is_drawn_by_itself(shop: Shop) -> None:
    asked: tuple[dict[str, str], ...] = (
        {},
        {"Accept_Language": "en"},
        {"Cookie": "language=en"},
        {"HX_Request": "true"},
        {"HX_Request": "true", "HX_History_Restore_Request": "true"},
    )
    first = [shop.get(**headers).data for headers in asked]

    assert [shop.get(**headers).data for headers in asked] == first
    assert shop.drawn == len(asked) - 1, "English is drawn once, however it was asked for"
    assert first[1] == first[2] != first[0]
    assert b"<html" not in first[3]


def test_a_page_with_quantities_or_a_new_cookie_is_nobody_elses(shop: Shop) -> None:
    chosen = shop.get("/?t1=2")
    assert shop.get().data != chosen.data
    assert shop.get("/?t1=2").data == chosen.data
    assert shop.drawn == 3


def test_what_this_process_sells_is_seen_at_once(shop: Shop) -> None:
    shop.get()
    with shop.app.app_context():
        db.session.execute(sa.update(TicketStock).values(held=TicketStock.amount))
        db.session.commit()

    assert "Habis" in shop.get().text


def test_it_is_drawn_again_in_the_next_second(shop: Shop) -> None:
    shop.get()
    shop.now += timedelta(seconds=1)
    shop.get()
    assert shop.drawn == 2


def test_invented_languages_are_one_drawing(shop: Shop) -> None:
    for number in range(8):
        shop.get(Accept_Language=f"x-{number}", Cookie=f"language=x-{number}")

    assert shop.drawn == 1


def test_while_one_draws_the_others_get_the_last_one(shop: Shop) -> None:
    shop.get()
    shop.now += timedelta(seconds=1)
    view = shop.app.view_functions["catalogue.index"]
    seen: list[int] = []

    def slow() -> Any:
        if not seen:
            seen.append(0)
            seen.append(shop.get().status_code)  # another visitor meanwhile
        return view()

    shop.app.view_functions["catalogue.index"] = slow
    shop.get()

    assert seen == [0, 200]
    assert shop.drawn == 2

"""Refusals before Flask: word for word those of the usual renderer, and nobody else is asked."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask, request_started
from werkzeug.test import EnvironBuilder, TestResponse

from app import tracing
from app.crowd import Crowded
from app.lanes import Lane
from app.routes import refusals
from app.routes.error_handlers import render_refusal

ID = "the-request-id"
HOST = "http://localhost"
FORM = {"full_name": 'Sari "<Dewi>"', "email": "sari@example.com", "t1": "2"}


@dataclass(frozen=True)
class Asked:
    """A request, as a client of the tests sends it."""

    path: str
    method: str = "GET"
    language: str = "id"
    form: Mapping[str, str] | None = None
    came_from: str = ""
    is_part: bool = False

    @property
    def options(self) -> dict[str, Any]:
        headers = {"X-Request-ID": ID, "Cookie": f"language={self.language}"}
        if self.came_from:
            headers["Referer"] = headers["HX-Current-URL"] = self.came_from
        if self.is_part:
            headers["HX-Request"] = "true"
        return {"method": self.method, "headers": headers, "data": self.form}


ASKED = [
    Asked("/"),
    Asked("/", language="en"),
    Asked("/?t1=2&t2=3"),
    Asked("/checkout?t1=2"),
    Asked('/checkout?t1=<script>&"quoted"'),
    Asked("/nowhere/é//x"),
    Asked("//elsewhere.example/x"),
    Asked("/", is_part=True),
    Asked("/checkout", is_part=True, came_from=f"{HOST}/checkout?t1=2"),
    Asked("/checkout", "POST", form=FORM, is_part=True, came_from=f"{HOST}/checkout?t1=2"),
    Asked("/checkout", "POST", form=FORM, came_from=f"{HOST}/checkout?t1=2&x=<b>"),
    Asked("/checkout", "POST", form=FORM, came_from=f"{HOST}/", language="en"),
    Asked("/checkout", "POST", form=FORM, came_from="https://elsewhere.example/checkout"),
    Asked("/checkout", "POST", form={}, came_from=f"{HOST}/checkout"),
    Asked("/checkout", "POST", form=FORM),
    Asked("/waiting", "POST", form=FORM, came_from=f"{HOST}/waiting"),
    Asked("/api/tickets"),
    Asked("/api/orders", "POST", form=FORM, language="en"),
    Asked("/orders/some-token/cancel", "POST", form=FORM),
    Asked("/staff/orders"),
    Asked("/staff/log-in", "POST", form={"password": "a-secret-word"}),
    Asked("/door"),
]


@pytest.fixture
def full(sqlite_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An application whose lanes take nobody any more, and refuse for as long each time."""
    for gate in sqlite_app.extensions["lanes"].values():
        gate.limits = replace(gate.limits, in_all=0)
    monkeypatch.setattr("app.crowd.random.randint", lambda least, _most: least)
    return sqlite_app


def send(app: Flask, asked: Asked) -> TestResponse:
    return app.test_client(use_cookies=False).open(asked.path, base_url=HOST, **asked.options)


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_it_reads_as_if_drawn_for_this_reader_alone(full: Flask, asked: Asked) -> None:
    environ = EnvironBuilder(asked.path, HOST, **asked.options).get_environ()
    with full.request_context(environ), tracing.request_id(ID):
        alone = render_refusal(Crowded())

    first, repeated = send(full, asked), send(full, asked)

    for answer in (first, repeated):
        assert answer.status_code == 503
        assert answer.get_data(as_text=True) == alone.get_data(as_text=True)
        for name in ("Content-Type", "Cache-Control", "Retry-After", "Refresh", "Content-Length"):
            assert answer.headers.get(name) == alone.headers.get(name), name


def test_it_carries_what_every_answer_carries(full: Flask) -> None:
    page, problem = send(full, Asked("/")), send(full, Asked("/api/tickets"))

    for answer in (page, problem):
        assert answer.headers["X-Request-ID"] == ID
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert len(answer.headers.get_all("Vary")) == 1
    assert {"Accept-Language", "Cookie", "HX-Request"} <= set(page.vary)
    assert page.headers["Content-Language"] == "id"
    assert "Set-Cookie" not in page.headers
    assert send(full, Asked("/", "HEAD")).data == b""


def test_nobody_behind_it_is_asked_and_each_kind_is_drawn_once(
    full: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def draw(error: Crowded) -> Any:
        drawn.append(error.code)
        return render_refusal(error)

    monkeypatch.setattr(refusals, "render_refusal", draw)
    with _counting_requests(full) as begun:
        for number in range(5):
            for language in ("id", "en"):
                send(full, Asked(f"/checkout?t1={number}", language=language))

    assert begun == []
    assert len(drawn) == 2


@contextmanager
def _counting_requests(app: Flask) -> Iterator[list[str]]:
    """Give a list that grows with each request Flask begins."""
    begun: list[str] = []

    def begin(_app: Flask) -> None:
        begun.append("one")

    with request_started.connected_to(begin, app):
        yield begun


def test_words_are_left_when_a_refusal_cannot_be_drawn(
    full: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_error: Crowded) -> Any:
        raise RuntimeError("no template")

    monkeypatch.setattr(refusals, "render_refusal", fail)
    answer = send(full, Asked("/checkout?t1=2"))

    assert answer.status_code == 503
    assert ID in answer.text
    assert "Please try again in a moment" in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_invented_addresses_do_not_fill_the_memory(full: Flask) -> None:
    turnstile = full.extensions["turnstile"]
    for number in range(20):
        send(full, Asked(f"/nowhere-{number}"))

    assert len(turnstile._refusals._kept) == 1


def test_it_has_its_line_in_the_log_and_its_place_in_the_numbers(
    full: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="app.request"):
        send(full, Asked("/orders/a-secret-token"))

    [line] = [record.__dict__ for record in caplog.records if record.message == "request"]
    assert (line["method"], line["status"], line["lane"]) == ("GET", 503, "payments")
    assert "a-secret-token" not in str(line)
    assert full.extensions["lanes"][Lane.PAYMENTS].figures().refused == 1


def test_who_shows_how_busy_it_is_hears_of_all_but_those_who_only_watch(full: Flask) -> None:
    heard: list[str] = []
    full.extensions["turnstile"].when_refused.append(lambda: heard.append("busy"))

    send(full, Asked("/readyz"))
    assert heard == []
    send(full, Asked("/"))
    assert heard == ["busy"]

"""The catalogue asked again: 304 to who has it already, for page and part, each by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, template_rendered
from flask.testing import FlaskClient
from jinja2 import Template
from werkzeug.test import TestResponse

from tests.pages.shop import Shop

PAGE = {"Accept-Language": "en"}
PART = {**PAGE, "HX-Request": "true"}
INDONESIAN = {"Accept-Language": "id"}
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def ask(client: FlaskClient, headers: dict[str, str], etag: str | None = None) -> TestResponse:
    known = {"If-None-Match": etag} if etag else {}
    return client.get("/", headers={**headers, **known})


@pytest.mark.parametrize("headers", [PAGE, PART, INDONESIAN])
def test_who_has_it_already_is_told_so_in_few_bytes(shop: Shop, headers: dict[str, str]) -> None:
    shop.add_ticket()
    first = ask(shop.client, headers)
    assert first.headers["ETag"].startswith('W/"')
    for known in (
        first.headers["ETag"],
        first.headers["ETag"][2:],
        f'"x", {first.headers["ETag"]}',
    ):
        again = ask(shop.client, headers, known)
        assert (again.status_code, again.data) == (304, b""), known
        assert again.headers["ETag"] == first.headers["ETag"]
        assert {"HX-Request", "Accept-Language", "Cookie"} <= set(again.vary)
        assert again.headers["Cache-Control"] == "no-cache"


def test_page_and_part_and_languages_are_never_taken_for_each_other(shop: Shop) -> None:
    shop.add_ticket()
    kinds = [PAGE, PART, INDONESIAN, {**INDONESIAN, "HX-Request": "true"}]
    tags = [ask(shop.client, headers).headers["ETag"] for headers in kinds]
    for headers, own in zip(kinds, tags, strict=True):
        answers = {tag: ask(shop.client, headers, tag).status_code for tag in tags}
        assert answers == {tag: 304 if tag == own else 200 for tag in tags}


def test_what_was_sold_meanwhile_is_told(shop: Shop) -> None:
    ticket = shop.add_ticket(amount=8)
    first = ask(shop.client, PART)
    shop.change(ticket, held=3)
    second = ask(shop.client, PART, first.headers["ETag"])
    assert second.status_code == 200
    assert b"Only 5 tickets left" in second.data


def test_a_language_once_chosen_changes_the_answer_at_once(shop: Shop) -> None:
    shop.add_ticket()
    client = shop.client
    first = ask(client, PAGE)
    client.get("/language/id")
    second = ask(client, PAGE, first.headers["ETag"])
    assert second.status_code == 200
    assert b'<html lang="id">' in second.data


@pytest.fixture
def drawn(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Stop the shop's clock, and return a list that grows with each template of it drawn."""
    monkeypatch.setattr("app.routes.catalogue.utcnow", lambda: NOON)
    names: list[str] = []

    def note(_app: Flask, template: Template, **_context: object) -> None:
        names.append(template.name or "")

    with template_rendered.connected_to(note, shop.app):
        yield names


@pytest.mark.parametrize("headers", [PAGE, PART])
def test_who_asks_for_the_same_within_a_second_gets_it_without_drawing(
    shop: Shop, drawn: list[str], headers: dict[str, str]
) -> None:
    ticket = shop.add_ticket(amount=8)
    first = ask(shop.client, headers)
    again = ask(shop.client, headers)
    assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])
    assert ask(shop.client, headers, first.headers["ETag"]).status_code == 304
    assert len(drawn) == 1
    shop.change(ticket, held=3)
    assert b"Only 5 tickets left" in ask(shop.client, headers).data
    assert len(drawn) == 2


def test_words_about_time_are_drawn_again(
    shop: Shop, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.add_ticket()
    ask(shop.client, PART)
    monkeypatch.setattr("app.routes.catalogue.utcnow", lambda: NOON + timedelta(seconds=1))
    ask(shop.client, PART)
    assert len(drawn) == 2


def test_a_page_with_quantities_of_somebody_is_nobody_elses(shop: Shop) -> None:
    ticket = shop.add_ticket()
    plain = ask(shop.client, PAGE).data
    chosen = shop.client.get(f"/?t{ticket}=3", headers=PAGE).data
    assert b'value="3"' in chosen
    assert ask(shop.client, PAGE).data == plain
    assert b'value="3"' not in plain

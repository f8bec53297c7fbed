"""The catalogue asked again: 304 to who has it already, for page and part, each by itself."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.pages.shop import Shop

PAGE = {"Accept-Language": "en"}
PART = {**PAGE, "HX-Request": "true"}
INDONESIAN = {"Accept-Language": "id"}


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

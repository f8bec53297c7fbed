"""The page for people whom a full shop refuses: it reloads itself, and nothing typed is lost."""

from dataclasses import replace

import pytest
from flask import Flask

from app.lanes import Lane
from tests.pages.html import Page

FORM = {"full_name": 'Sari "<Dewi>"', "email": "sari@example.com", "intent": "pay", "t1": "2"}


@pytest.fixture
def full(sqlite_app: Flask) -> Flask:
    """An application whose shop takes nobody any more."""
    gate = sqlite_app.extensions["lanes"][Lane.SHOP]
    gate.limits = replace(gate.limits, in_all=0)
    return sqlite_app


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "This page tries again by itself"), ("id", "Halaman ini mencoba lagi sendiri")],
)
def test_a_page_reloads_itself_and_says_so(full: Flask, language: str, words: str) -> None:
    page = Page(full.test_client().get("/checkout", headers={"Accept-Language": language}))

    assert page.status == 503
    assert page.headers["Refresh"] == page.headers["Retry-After"]
    assert words in page.text


def test_what_was_typed_is_sent_again_with_one_press(full: Flask) -> None:
    page = Page(full.test_client().post("/checkout", data=FORM))

    assert page.status == 503
    assert FORM.items() <= page.fields.items()
    assert "Refresh" not in page.headers


def test_a_part_of_a_page_and_an_answer_to_a_program_do_not_reload(full: Flask) -> None:
    client = full.test_client()

    answers = [
        client.get("/checkout", headers={"HX-Request": "true"}),
        client.get("/api/tickets?status=all"),
    ]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert all("Refresh" not in answer.headers for answer in answers)


def test_passwords_of_staff_are_not_repeated(full: Flask) -> None:
    answer = full.test_client().post("/staff/log-in", data={"password": "a-secret-word"})

    assert answer.status_code == 503
    assert "a-secret-word" not in answer.text

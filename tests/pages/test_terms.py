"""The pages about terms and privacy say what holds here, in both languages, and are found."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.fair_door_settings import FairDoorSettings
from tests.pages.html import Element, Page
from tests.pages.shop import Shop, open_form

LANGUAGES = ["id", "en"]
PAGES = ["/terms", "/privacy"]


def read(shop: Shop, path: str, language: str = "en") -> Page:
    return Page(shop.client.get(path, headers={"Accept-Language": language}))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_they_name_the_event_and_who_to_write_to(shop: Shop, path: str, language: str) -> None:
    page = read(shop, path, language)
    assert page.status == 200
    assert page.all("html")[0].attributes["lang"] == language
    assert shop.settings.event.name in page.by_id("main").text
    (link,) = [e for e in page.by_id("main").walk() if e.tag == "a"]
    assert link.attributes["href"] == f"mailto:{shop.settings.event.contact_email}"


@pytest.mark.parametrize("path", PAGES)
def test_they_are_well_built(shop: Shop, path: str) -> None:
    page = read(shop, path)
    assert len(page.all("h1")) == 1
    levels = [e.tag for e in page.elements if e.tag in ("h1", "h2", "h3")]
    assert levels == ["h1"] + ["h2"] * (len(levels) - 1)
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))


def test_the_terms_have_the_times_that_are_set(shop: Shop) -> None:
    text = read(shop, "/terms").text
    assert "held for you for 30 minutes" in text
    assert "up to 10 times" in text
    assert "after 3 days" in text


def test_another_hold_is_another_promise(shop: Shop) -> None:
    shop.app.extensions["settings"] = replace(shop.settings, order_hold=timedelta(minutes=1))
    assert "held for you for 1 minute." in read(shop, "/terms").text


def test_privacy_says_how_long_logs_are_kept(shop: Shop) -> None:
    assert "removed after 30 days" in read(shop, "/privacy").text


def test_privacy_names_what_the_office_keeps_and_who_sees_it(shop: Shop) -> None:
    page = read(shop, "/privacy")
    kept = {element.text for element in page.all("dt")}
    assert {"Messages about the event", "Receipts", "What the organiser did"} <= kept
    assert {"How many look", "Scans at the door"} <= kept
    seen_by = page.by_id("main").text.partition("Who sees them at the organiser's")[2]
    assert "Who is at the door sees the name" in seen_by
    assert "erases the file after 24 hours" in seen_by


def test_privacy_names_the_cookies_of_the_fair_door_where_there_is_one(shop: Shop) -> None:
    words = "two more keep your place in the line"
    assert words not in read(shop, "/privacy").text
    door = FairDoorSettings(None, 600, timedelta(minutes=10), 8)
    shop.app.extensions["settings"] = replace(shop.settings, fair_door=door)
    assert words in read(shop, "/privacy").text


def links_of(page: Page, part: str) -> dict[str, Element]:
    inside = next(e for e in page.elements if e.attributes.get("class", "").startswith(part))
    return {e.attributes["href"]: e for e in inside.walk() if e.tag == "a"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_they_are_linked_beside_the_button_and_lose_nothing_typed(
    shop: Shop, language: str
) -> None:
    ticket = shop.add_ticket()
    page = read(shop, f"/checkout?t{ticket}=1", language)
    links = links_of(page, "summary")
    assert links.keys() == {"/terms", "/privacy"}
    for link in links.values():
        assert link.attributes["target"] == "_blank"
        assert {"id": "tab baru", "en": "new tab"}[language] in link.text


def test_nothing_is_ticked_for_the_buyer(shop: Shop) -> None:
    page = open_form(shop.client, **{f"t{shop.add_ticket()}": 1})
    assert not page.all("input", type="checkbox")


def test_every_page_leads_to_them(shop: Shop) -> None:
    assert links_of(read(shop, "/"), "bottom").keys() >= {"/terms", "/privacy"}

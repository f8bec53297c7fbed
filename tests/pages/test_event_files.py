"""Files made from the event's settings: calendar, colours, pictures, and how pages use them."""

from collections.abc import Iterator
from dataclasses import replace

import icalendar
import pytest
from flask.testing import FlaskClient

from app.config import Event
from app.pictures import Picture
from tests.app_factory import running_app
from tests.pages.html import Page
from tests.pages.shop import Shop

FOR_GOOD = "public, max-age=31536000, immutable"
EVIL = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
LOGO = Picture(EVIL, "image/svg+xml")
HERO = Picture(b"\xff\xd8\xff", "image/jpeg")


@pytest.fixture
def branded(shop: Shop) -> Iterator[FlaskClient]:
    """A browser at the same shop with colour, logo, hero and tagline set."""
    looks: dict[str, object] = {
        "accent": "#ffd400",
        "logo": LOGO,
        "hero": HERO,
        "tagline": "Senja <3",
    }
    event: Event = replace(shop.settings.event, **looks)  # type: ignore[arg-type]
    with running_app(replace(shop.settings, event=event)) as app:
        yield app.test_client()


def test_the_event_goes_into_a_calendar(shop: Shop) -> None:
    response = shop.client.get("/event.ics")
    assert response.content_type == "text/calendar; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'inline; filename="event.ics"'
    [event] = icalendar.Calendar.from_ical(response.data).events
    assert event["SUMMARY"] == "TEDxSenja Jakarta"
    assert event["URL"] == "http://localhost/"


def test_the_catalogue_leads_to_calendar_and_map(shop: Shop) -> None:
    page = Page(shop.client.get("/"))
    assert page.all("a", href="/event.ics")
    [link] = page.all("a", href=shop.settings.event.map_url)
    assert link.attributes["rel"] == "noopener noreferrer"


def test_every_page_leads_to_terms_and_privacy(shop: Shop) -> None:
    for path in ("/", "/checkout", "/nowhere"):
        page = Page(shop.client.get(path))
        assert page.all("a", href="/terms"), path
        assert page.all("a", href="/privacy"), path


def test_without_settings_nothing_more_is_asked_for(shop: Shop) -> None:
    page = Page(shop.client.get("/"))
    assert not page.all("img")
    assert not [e for e in page.all("link") if e.attributes["href"].startswith("/event")]
    assert shop.client.get("/event/logo").status_code == 404
    assert shop.client.get("/event/hero").status_code == 404


def test_the_accent_comes_as_a_stylesheet_after_ours(branded: FlaskClient) -> None:
    sheets = [e.attributes["href"] for e in Page(branded.get("/")).all("link", rel="stylesheet")]
    assert [sheet.split("?")[0] for sheet in sheets] == ["/static/css/site.css", "/event.css"]
    response = branded.get(sheets[1])
    assert response.content_type == "text/css; charset=utf-8"
    assert response.headers["Cache-Control"] == FOR_GOOD
    tokens = (
        ":root { --accent: #ffd400; --action: #8a7200; --button: #ffd400; "
        "--button-strong: #ccaa00; --on-button: #000000; }\n"
    )
    assert response.get_data(as_text=True) == tokens


def test_pictures_are_kept_for_good_under_an_address_of_their_content(branded: FlaskClient) -> None:
    sources = [e.attributes["src"] for e in Page(branded.get("/")).all("img")]
    assert [source.split("?")[0] for source in sources] == ["/event/logo", "/event/hero"]
    for source, picture in zip(sources, (LOGO, HERO), strict=True):
        assert source.endswith(f"?v={picture.version}")
        response = branded.get(source)
        assert (response.data, response.mimetype) == (picture.content, picture.mimetype)
        assert response.headers["Cache-Control"] == FOR_GOOD
        unversioned = branded.get(source.split("?")[0])
        assert "immutable" not in unversioned.headers.get("Cache-Control", "")


def test_a_picture_opened_by_itself_runs_nothing(branded: FlaskClient) -> None:
    headers = branded.get("/event/logo").headers
    policy = [part.strip() for part in headers["Content-Security-Policy"].split(";")]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert not [part for part in policy if "script" in part]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_logo_stands_for_the_name_and_the_name_is_still_read(branded: FlaskClient) -> None:
    page = Page(branded.get("/checkout"))
    [brand] = page.all("a", class_="top__name top__name--logo")
    assert brand.text == "TEDxSenja Jakarta"
    assert [e.attributes["alt"] for e in brand.walk() if e.tag == "img"] == [""]


def test_the_tagline_is_shown_as_text(branded: FlaskClient) -> None:
    assert "Senja <3" in Page(branded.get("/")).text


def test_a_shared_link_shows_event_date_place_and_picture(branded: FlaskClient) -> None:
    page = Page(branded.get("/", headers={"Accept-Language": "en"}))
    shown = {
        e.attributes.get("property"): e.attributes["content"]
        for e in page.all("meta")
        if "property" in e.attributes
    }
    assert shown["og:title"] == "TEDxSenja Jakarta"
    assert shown["og:image"] == f"http://localhost/event/hero?v={HERO.version}"
    assert "January" in shown["og:description"]
    assert "Gedung Kesenian Senja" in shown["og:description"]

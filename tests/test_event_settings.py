"""Settings of the event's looks: defaults, pictures by what they hold, a readable colour."""

from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from app.colours import BLACK, button_colours, contrast, mix, readable_with_white
from app.config import DEFAULT_ACCENT, LARGEST_LOGO, Event, Settings
from app.routes.event_files import HOVER_SHARE
from tests.test_settings import MINIMUM, problems_with

STYLESHEET = Path(__file__).parents[1] / "app/static/css/site.css"
DARKEST_PAGE = "#0c0c0d"
PICTURES = {
    "image/png": b"\x89PNG\r\n\x1a\n....",
    "image/jpeg": b"\xff\xd8\xff\xe0....",
    "image/webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "image/svg+xml": b'<?xml version="1.0"?>\n<!-- ours -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
}


def event_with(**changes: str) -> Event:
    return Settings.from_env(MINIMUM | changes).event


def test_what_is_not_set_has_a_sensible_value() -> None:
    event = event_with()

    assert event.ends_at == datetime(2030, 1, 26, 10, tzinfo=UTC)
    assert event.map_url == "https://www.openstreetmap.org/search?query=Gedung+Kesenian+Senja"
    assert (event.tagline, event.logo, event.hero) == (None, None, None)
    assert event.accent == DEFAULT_ACCENT


def test_what_is_set_is_taken() -> None:
    event = event_with(
        EVENT_ENDS_AT="2030-01-26T12:00:00+07:00",
        EVENT_MAP_URL="https://maps.example/?q=senja&z=3",
        EVENT_TAGLINE="Gagasan yang layak disebarkan",
        EVENT_ACCENT="#0050FF",
    )

    assert event.ends_at == datetime(2030, 1, 26, 5, tzinfo=UTC)
    assert event.map_url == "https://maps.example/?q=senja&z=3"
    assert event.tagline == "Gagasan yang layak disebarkan"
    assert event.accent == "#0050ff"


def test_a_venue_is_searched_for_whatever_letters_it_has() -> None:
    event = event_with(EVENT_VENUE='Aula "Senja" & Fajar, Jl. Café 1#2')

    assert event.map_url.endswith("?query=Aula+%22Senja%22+%26+Fajar%2C+Jl.+Caf%C3%A9+1%232")


@pytest.mark.parametrize("mimetype", PICTURES)
@pytest.mark.parametrize("name", ["EVENT_LOGO", "EVENT_HERO"])
def test_a_picture_is_known_by_what_it_holds(tmp_path: Path, name: str, mimetype: str) -> None:
    path = tmp_path / "picture.bin"
    path.write_bytes(PICTURES[mimetype])

    event = event_with(**{name: str(path)})

    picture = event.logo if name == "EVENT_LOGO" else event.hero
    assert picture is not None
    assert (picture.mimetype, picture.content) == (mimetype, PICTURES[mimetype])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<html><svg></svg></html>",
        b"<svgx>",
        PICTURES["image/png"].ljust(LARGEST_LOGO + 1, b"."),
    ],
)
def test_anything_else_is_refused_at_the_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(content)

    [problem] = problems_with(EVENT_LOGO=str(path))

    assert problem.startswith("EVENT_LOGO is ")
    assert "SVG, PNG, JPEG or WebP file of at most 100 kB" in problem


def test_a_picture_of_just_the_size_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(PICTURES["image/png"].ljust(LARGEST_LOGO, b"."))

    assert problems_with(EVENT_LOGO=str(path)) == []


def test_all_problems_of_the_looks_are_told_together() -> None:
    wrong = {
        "EVENT_ENDS_AT": "2020-01-01T00:00:00Z",
        "EVENT_MAP_URL": "maps",
        "EVENT_ACCENT": "red",
        "EVENT_LOGO": "/nowhere",
        "EVENT_HERO": "/nowhere",
        "EVENT_TAGLINE": "a\nb",
    }

    problems = problems_with(**wrong)

    assert sorted(problem.split()[0] for problem in problems) == sorted(wrong)


def test_any_accent_gives_buttons_that_read_and_stand_out() -> None:
    channels = ("00", "01", "33", "80", "c0", "ff")
    for parts in product(channels, repeat=3):
        accent = "#" + "".join(parts)
        action = readable_with_white(accent)
        assert contrast(action, "#ffffff") >= 4.5, accent
        assert contrast(action, DARKEST_PAGE) >= 3, accent
        button, words = button_colours(accent)
        assert contrast(button, words) >= 4.5, accent
        assert contrast(mix(button, BLACK, HOVER_SHARE), words) >= 4.5, accent


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert contrast("#ffffff", "#e62b1e") == pytest.approx(4.44, abs=0.005)


def test_a_bright_colour_stays_and_takes_black_words() -> None:
    assert button_colours("#ffd400") == ("#ffd400", "#000000")
    assert button_colours("#e62b1e") == (readable_with_white("#e62b1e"), "#ffffff")


def test_a_colour_that_reads_is_left_as_it_is() -> None:
    assert readable_with_white("#c8102e") == "#c8102e"


def test_the_stylesheet_s_own_colours_are_those_of_the_default_accent() -> None:
    action = event_with().action
    strong = mix(action, BLACK, HOVER_SHARE)
    tokens = {"accent": DEFAULT_ACCENT, "action": action, "button": action, "button-strong": strong}

    stylesheet = STYLESHEET.read_text()

    for name, value in tokens.items():
        assert f"--{name}: {value};" in stylesheet
    assert f"--paper: {DARKEST_PAGE};" in stylesheet

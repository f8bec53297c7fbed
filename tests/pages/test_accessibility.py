"""WCAG 2.2 AA on every page in every state: axe-core, narrow screens, wide text, both schemes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from playwright.sync_api import Browser, ViewportSize
from playwright.sync_api import Page as BrowserPage
from werkzeug.wrappers import Response

from tests.door.web import web_server
from tests.harness.browser import DESKTOP, browsing
from tests.pages import order_states
from tests.pages.axe import COLOURS, violations
from tests.pages.every_state import PARTS, Part
from tests.pages.shop import Shop

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NARROW = (320, 640)  # what is left of 1280 pixels at 400 % zoom: WCAG 1.4.10
WIDE: ViewportSize = {"width": DESKTOP[0], "height": DESKTOP[1]}
TABLET: ViewportSize = {"width": 768, "height": 1024}
SHOWN = "/shown"
# WCAG 1.4.12: whoever reads better like this must not lose a word.
TEXT_SPACING = """
*{line-height:1.5 !important;letter-spacing:.12em !important;word-spacing:.16em !important}
p{margin-bottom:2em !important}
"""
SPREAD_TEXT = """
(rules) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
"""
CLIPPED = """
() => [...document.querySelectorAll("body *")].filter((element) => {
  const style = getComputedStyle(element);
  const hides = [style.overflowX, style.overflowY].some((value) => /hidden|clip/.test(value));
  const isText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const isSeen = element.checkVisibility() && !element.closest(".visually-hidden");
  if (element.closest(".bar__where")) return false; // the drawer it opens says it in full
  return hides && isText && isSeen && (element.scrollWidth > element.clientWidth + 1
    || element.scrollHeight > element.clientHeight + 1);
}).map((element) => element.outerHTML.slice(0, 120))
"""
TOO_WIDE = """
() => document.documentElement.scrollWidth <= innerWidth ? []
  : [...document.querySelectorAll("body *")].filter((element) => !element.firstElementChild
      && element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 4).map((element) => element.outerHTML.slice(0, 120))
"""
MOTIONS = """
() => document.getAnimations().filter((each) => each.effect.getComputedTiming().duration > 0)
  .map((each) => each.effect.target.outerHTML.slice(0, 80))
"""


class Screen:
    """A browser that shows answers of the application, whatever request they were made for.

    They come from the application's own server: what the answers share, the browser keeps.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._answer = Response()
        self.page: BrowserPage
        self.address = ""

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Serve the answer to be shown at its address, and all else as ever."""
        shown = self._answer if environ["PATH_INFO"] == SHOWN else self._app
        return shown(environ, start_response)

    def show(self, answer: Response) -> None:
        """Load the answer with its headers, at an address of the same server as its files."""
        # Of a copy: what is sent is gone, and whoever asked may want to read it.
        self._answer = Response(answer.data, answer.status, answer.headers)
        self.page.goto(f"{self.address}{SHOWN}", wait_until="load")


@contextmanager
def screen(browser: Browser, shop: Shop, size: tuple[int, int], locale: str) -> Iterator[Screen]:
    """Give a screen of one who asked for less motion."""
    shown = Screen(shop.app)
    with (
        web_server(shown) as shown.address,
        browsing(browser, size=size, locale=locale, reduced_motion="reduce") as shown.page,
    ):
        yield shown


@pytest.mark.parametrize("part", PARTS)
def test_every_state_is_accessible_in_indonesian_on_a_narrow_screen_in_light(
    shop: Shop, browser: Browser, part: Part
) -> None:
    faults: list[str] = []
    with screen(browser, shop, NARROW, "id-ID") as shown:
        page = shown.page
        for name, answer in part(shop, "id"):
            shown.show(answer)
            found = violations(page)
            found += [f"wider than the screen: {each}" for each in page.evaluate(TOO_WIDE)]
            page.evaluate(SPREAD_TEXT, TEXT_SPACING)
            found += [f"moves: {each}" for each in page.evaluate(MOTIONS)]
            found += [f"spread, too wide: {each}" for each in page.evaluate(TOO_WIDE)]
            found += [f"spread, clipped: {each}" for each in page.evaluate(CLIPPED)]
            faults += [f"{name}: {fault}" for fault in found]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("part", PARTS)
def test_every_state_is_accessible_in_english_on_a_wide_screen_in_the_dark(
    shop: Shop, browser: Browser, part: Part
) -> None:
    faults: list[str] = []
    sizes = [WIDE, TABLET]
    with screen(browser, shop, DESKTOP, "en-US") as shown:
        shown.page.emulate_media(color_scheme="dark")
        for name, answer in part(shop, "en"):
            shown.show(answer)
            found = look(shown.page, sizes[0])
            shown.page.set_viewport_size(sizes[1])
            found += look(shown.page, sizes[1])
            sizes.reverse()  # the next state begins as this one ends: changing takes its time
            faults += [f"{name}: {fault}" for fault in found]
    assert not faults, "\n".join(faults)


def look(page: BrowserPage, size: ViewportSize) -> list[str]:
    """Ask axe on the wide screen, and whether everything fits on the other."""
    if size == WIDE:
        return violations(page)
    return [f"wider than the screen: {each}" for each in page.evaluate(TOO_WIDE)]


def test_axe_would_tell(shop: Shop, browser: Browser) -> None:
    poor = """<!doctype html><html lang="id"><title>Uji</title>
        <link rel="stylesheet" href="/poor.css">
        <main><h1>Uji</h1><p id="grey">Teks</p><input id="nameless">
        <button>a</button><button>b</button></main></html>"""
    rules = """#grey { color: #999 }
        @media (prefers-color-scheme: dark) { #grey { color: #767676 } }
        button { width: 12px; height: 12px; padding: 0; border: 0; font-size: 4px }"""
    with screen(browser, shop, NARROW, "id-ID") as shown:
        shown.page.route("**/poor.css", lambda r: r.fulfill(body=rules, content_type="text/css"))
        shown.show(Response(poor, mimetype="text/html"))
        found = violations(shown.page)
        assert {fault.split()[0] for fault in found} == {"color-contrast", "label", "target-size"}
        shown.page.emulate_media(color_scheme="dark")
        assert violations(shown.page, rules=COLOURS) == []
        shown.show(Response(poor.replace("<p", '<p style="width: 900px"'), mimetype="text/html"))
        assert shown.page.evaluate(TOO_WIDE)


def test_only_what_waits_moves_and_not_for_whom_that_is_too_much(
    shop: Shop, browser: Browser
) -> None:
    token = order_states.preparing(shop)
    with screen(browser, shop, NARROW, "id-ID") as shown:
        shown.show(shop.client.get(f"/orders/{token}"))
        assert shown.page.evaluate(MOTIONS) == []
        shown.page.emulate_media(reduced_motion="no-preference")
        assert len(shown.page.evaluate(MOTIONS)) == 1

"""A paired phone at the door, as tests use it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.harness.browser import PATIENCE_MS, PHONE, Watch

SCRIPTS = Path(__file__).parents[2] / "app/static/js/door"
# How long a verdict stays, and a guest waits for the server: on a busy machine too short to be
# looked at in time, and to be answered in time.
HURRIES = re.compile(r"^(?:export )?const (?:LONG_PATIENCE|PATIENCE|STAYS)_MS = ([^;]+);", re.M)
UNHURRIED = """
  const wait = window.setTimeout;
  window.setTimeout = (work, ms, ...more) => wait(work, %s.includes(ms) ? 600_000 : ms, ...more);
"""
# A scanner that types is faster than any test that presses key after key.
TYPE = """(keys) => {
  for (const key of keys) {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(event);
  }
}"""
NO_NETWORK = "net::ERR_INTERNET_DISCONNECTED"  # what we cut ourselves is no mistake of the page


@contextmanager
def phone_at_the_door(
    browser: Browser, url: str, token: str, *, has_camera: bool = True, **options: Any
) -> Iterator[Page]:
    """Open a paired phone's page, on which nothing is hurried; what it does unseen fails the test.

    A verdict stays until somebody closes it, and the server is waited for: else it would depend
    on the machine's speed what is seen, and who decides.
    """
    width, height = PHONE
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="id-ID",
        permissions=["camera"] if has_camera else [],
        **options,
    )
    context.add_cookies([{"name": "door_device", "value": token, "url": url}])
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(UNHURRIED % json.dumps(hurries()))
    watch = Watch()
    watch.context(context)
    try:
        yield context.new_page()
    finally:
        context.close()
    assert not [problem for problem in watch.problems if NO_NETWORK not in problem]


def hurries() -> list[int]:
    """Return the times (ms) of the scanner's scripts after which it does not wait any more."""
    names = ("verdict", "sync-link", "checkins")
    texts = [(SCRIPTS / f"{name}.js").read_text(encoding="utf-8") for name in names]
    found = [HURRIES.findall(text) for text in texts]
    assert [len(each) for each in found] == [1, 1, 1], "the scripts name their times otherwise"
    numbers = [re.findall(r"\d[\d_]*", times) for [times] in found]
    return [int(number) for each in numbers for number in each]


def scan_by_keys(page: Page, text: str) -> None:
    """Send a code as a hand-held scanner does, which is a fast keyboard to the phone."""
    page.evaluate(TYPE, [*text, "Enter"])


def expect_verdict(page: Page, result: str, *words: str) -> None:
    """Wait for the big screen, and for what it says."""
    verdict = page.locator("#verdict")
    expect(verdict).to_be_visible()
    expect(verdict).to_have_attribute("data-result", result)
    for word in words:
        expect(verdict).to_contain_text(word)


def make_ready(page: Page) -> None:
    """Load all tickets, and wait until the page itself is kept too."""
    page.locator("[data-opens=phone]").click()
    page.get_by_role("button", name="Muat tiket untuk offline").click()
    expect(page.locator("#prepare-note")).to_have_text("Siap untuk pintu tanpa jaringan")
    page.keyboard.press("Escape")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def cut_network(page: Page) -> None:
    """Take the network from the page, and wait until it knows."""
    page.context.set_offline(True)
    expect(page.locator("#network")).to_have_attribute("data-state", "offline")

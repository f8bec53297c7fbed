"""A paired phone at the door, as tests use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.harness.browser import PATIENCE_MS, PHONE, Watch

NO_NETWORK = "net::ERR_INTERNET_DISCONNECTED"  # what we cut ourselves is no mistake of the page


@contextmanager
def phone_at_the_door(
    browser: Browser, url: str, token: str, *, has_camera: bool = True, **options: Any
) -> Iterator[Page]:
    """Open a paired phone's page; what it does unseen fails the test."""
    width, height = PHONE
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="id-ID",
        permissions=["camera"] if has_camera else [],
        **options,
    )
    context.add_cookies([{"name": "door_device", "value": token, "url": url}])
    context.set_default_timeout(PATIENCE_MS)
    watch = Watch()
    watch.context(context)
    try:
        yield context.new_page()
    finally:
        context.close()
    assert not [problem for problem in watch.problems if NO_NETWORK not in problem]


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

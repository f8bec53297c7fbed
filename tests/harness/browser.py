"""Chromium for tests, and a watch over everything a page does wrong unseen."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    expect,
)
from playwright.sync_api import Error as PlaywrightError

EXECUTABLE = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = (360, 740)
DESKTOP = (1280, 800)
# What must come is waited for as long as a busy machine takes; waiting costs nothing when it comes.
PATIENCE_MS = 60_000
LOCAL_HOSTS = ("127.0.0.1", "localhost")
# Chromium reports every answer of 400 and above on the console; a form that comes back with its
# fields marked (422) is no mistake of the page. A missing file of the page is: see _on_response.
FILES = ("stylesheet", "script", "image", "font", "manifest")
EXPECTED_NOTICES = (
    "Failed to load resource: the server responded with a status of",
    # htmx says so of a request that a newer one replaced, as `hx-sync` asks it to.
    "htmx:sendAbort,",
    "htmx:afterRequest,",
)


@contextmanager
def chromium(playwright: Playwright, *flags: str) -> Iterator[Browser]:
    """Start the system's Chromium, with flags above the usual ones, and stop it at the end.

    There can only be one Playwright a thread, but any number of browsers: use the fixture's.
    """
    expect.set_options(timeout=PATIENCE_MS)
    browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=[*FLAGS, *flags])
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class Watch:
    """Collects what a browser context must not do: script errors, CSP violations, other hosts."""

    problems: list[str] = field(default_factory=list)

    def context(self, context: BrowserContext) -> None:
        """Watch every page of a context."""
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self._note("script error", str(error.error)))
        context.on("request", self._on_request)
        context.on("response", self._on_response)

    def _note(self, kind: str, text: str) -> None:
        self.problems.append(f"{kind}: {text}")

    def _on_console(self, message: ConsoleMessage) -> None:
        # A violation of the content security policy is reported as a console error too.
        if message.type == "error" and not message.text.startswith(EXPECTED_NOTICES):
            self._note("console", message.text)

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in LOCAL_HOSTS:
            self._note("request to another host", request.url)

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type in FILES:
            self._note(f"file answered {response.status}", response.url)


@contextmanager
def browsing(
    browser: Browser,
    *,
    size: tuple[int, int] = PHONE,
    java_script_enabled: bool = True,
    locale: str = "id-ID",
    **options: Any,
) -> Iterator[Page]:
    """Open a page in a context of its own (CSS pixels); fail at the end on anything unseen."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        java_script_enabled=java_script_enabled,
        locale=locale,
        **options,
    )
    context.set_default_timeout(PATIENCE_MS)
    watch = Watch()
    watch.context(context)
    try:
        yield context.new_page()
    finally:
        with suppress(PlaywrightError):  # the browser died; the test's own failure tells more
            context.close()
    assert not watch.problems, "\n".join(watch.problems)

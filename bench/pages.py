"""What a buyer on a cheap phone waits for: the pages in a browser slowed down to one.

Chromium's own metrics, after https://web.dev/articles/vitals: LCP, when the largest part is there;
CLS, how much moves meanwhile; and what comes over the line, uncompressed as the service sends it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.figures import Sheet
from tests.harness.browser import browsing, chromium

# A middling phone on a slow mobile line, as Lighthouse emulates one.
SLOWER_CPU = 4
SLOW_LINE = {
    "offline": False,
    "latency": 150,  # ms there and back
    "downloadThroughput": 1.6 * 1024 * 1024 / 8,  # bytes a second
    "uploadThroughput": 750 * 1024 / 8,
}
OBSERVE = """
window.vitals = {lcp: 0, cls: 0};
new PerformanceObserver((list) => {
  for (const {startTime} of list.getEntries()) vitals.lcp = startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) vitals.cls += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""
READ = """
() => {
  const files = [...performance.getEntriesByType("navigation"),
    ...performance.getEntriesByType("resource")];
  return {...window.vitals, bytes: files.reduce((sum, {transferSize}) => sum + transferSize, 0)};
}
"""


def measure_in_browser(sheet: Sheet, pages: dict[str, str]) -> None:
    """Note LCP in seconds, CLS and the bytes of a first visit to each page, address by name."""
    with sync_playwright() as playwright, chromium(playwright) as browser:
        for name, address in pages.items():
            with _slow_phone(browser) as page:
                page.goto(address, wait_until="networkidle")
                seen: dict[str, float] = page.evaluate(READ)
            sheet.note(f"{name} page", "LCP s, slow phone", seen["lcp"] / 1000)
            sheet.note(f"{name} page", "CLS", seen["cls"])
            sheet.note(f"{name} page", "bytes of a first visit", seen["bytes"])


@contextmanager
def _slow_phone(browser: Browser) -> Iterator[Page]:
    with browsing(browser) as page:
        page.add_init_script(OBSERVE)
        debugger = page.context.new_cdp_session(page)
        conditions: dict[str, Any] = dict(SLOW_LINE)
        debugger.send("Network.emulateNetworkConditions", conditions)
        debugger.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_CPU})
        yield page

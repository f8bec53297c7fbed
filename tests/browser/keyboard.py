"""A buyer without a mouse: every stop of the focus is seen, in order, and leads on."""

from dataclasses import dataclass

from playwright.sync_api import Page

# No way through a page may be longer.
PATIENCE = 60
STOP = """
() => {
  const element = document.activeElement;
  if (!element || element === document.body || element === document.documentElement) {
    window.lastStop = null;
    return null;
  }
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const top = document.elementFromPoint(x, y);
  const last = window.lastStop;
  window.lastStop = element;
  return {
    what: element.outerHTML.slice(0, 100),
    is_marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    is_on_screen: box.width > 0 && y >= 0 && y <= innerHeight && x >= 0 && x <= innerWidth,
    is_on_top: !!top && (element.contains(top) || top.contains(element)),
    is_in_order: !last || !last.isConnected
      || !!(last.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING),
  };
}
"""


@dataclass(frozen=True)
class Stop:
    """Where the focus is; None of its faults may be false."""

    what: str
    is_marked: bool
    is_on_screen: bool
    is_on_top: bool
    is_in_order: bool


def next_stop(page: Page) -> Stop | None:
    """Press Tab and return where the focus went; None is the end of the page."""
    page.keyboard.press("Tab")
    found = page.evaluate(STOP)
    if found is None:
        return None
    stop = Stop(**found)
    assert all((stop.is_marked, stop.is_on_screen, stop.is_on_top, stop.is_in_order)), stop
    return stop


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on the element, looking at each stop on the way."""
    for _ in range(PATIENCE):
        stop = next_stop(page)
        assert stop is not None, f"the page ended before {selector}"
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"no way to {selector} in {PATIENCE} steps")


def tour(page: Page) -> list[str]:
    """Go through the whole page by Tab from where the focus is; a trap is a failure."""
    seen: list[str] = []
    for _ in range(PATIENCE):
        stop = next_stop(page)
        if stop is None:
            return seen
        seen.append(stop.what)
    raise AssertionError(f"trapped after {seen[-3:]}")

"""Ask axe-core what is wrong with a page (tests/vendor/axe)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "vendor/axe/axe-4.14.1.min.js"
# WCAG 2.2 AA, and what axe's makers hold to be good practice besides.
STANDARDS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast",)
RUN = """
async ([rules, switches]) => {
  const only = rules.length
    ? {type: "rule", values: rules} : {type: "tag", values: %s};
  const found = await axe.run(document, {
    runOnly: only, rules: switches, resultTypes: ["violations"], elementRef: false});
  return found.violations.flatMap(({id, help, nodes}) => nodes.map((node) =>
    `${id} (${help}): ${node.target.join(" ")} ${node.html.slice(0, 200)} ` +
    node.any.concat(node.all).map((check) => check.message).join("; ").slice(0, 300)));
}
""" % list(STANDARDS)  # noqa: UP031  # the script is full of braces


def violations(
    page: Page, *, rules: Sequence[str] = (), switches: dict[str, Any] | None = None
) -> list[str]:
    """Return a line for each fault axe finds, by all standards or by `rules` alone.

    The script comes in through the debugger: the page's own policy lets nothing of the kind in.
    Later pages of the same context find it there: it is long, and would be sent again for each.
    `switches` turns single rules on or off: `{"target-size": {"enabled": True}}`.
    """
    page.wait_for_load_state()  # a page that has only just begun has no faults yet, or others
    if not page.evaluate("'axe' in window"):
        page.context.add_init_script(path=AXE)
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(RUN, [list(rules), switches or {}])
    return found


def check_page(page: Page) -> None:
    """Ask axe by all standards, and whether the page fits its window."""
    assert violations(page) == [], page.url
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wider), page.url

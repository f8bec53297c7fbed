"""Phones at the door: Chromium with the scanner's own modules, and without its camera."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol

from playwright.sync_api import Browser, BrowserContext, Page, Route
from playwright.sync_api import Error as PlaywrightError

from app.models import DeviceRole
from tests.harness.waiting import eventually

LOAD = """async () => {
  const load = (name) => import(`/static/js/door/${name}.js`);
  const names = ["checkins", "decide", "preflight", "store", "sync", "sync-upload", "undo"];
  const modules = await Promise.all(names.map(load));
  window.door = Object.assign({}, ...modules);
}"""
PREPARE = """async () => {
  const told = [];
  await door.prepare((progress) => told.push(progress));
  return told;
}"""
# Everything there is in the database, as text.
DUMP = """async () => {
  const names = ["seats", "refused", "standing", "queue", "meta"];
  const read = (...stores) => Promise.all(stores.map(async (store) =>
    [store.name, await door.result(store.getAllKeys()), await door.result(store.getAll())]));
  return JSON.stringify(await door.transact("readonly", names, read));
}"""
# Both tabs begin at the same moment; the answers wait to be fetched.
DECIDE_AT = """({ moment, codes }) => {
  const begin = new Promise((resolve) => setTimeout(resolve, moment - Date.now()));
  const decide = (code) => door.decideOffline(code, "in");
  window.decided = begin.then(() => Promise.all(codes.map(decide)));
}"""
# The browser tells its pages of a network that goes or comes a moment after it went or came.
LISTEN = """(event) => {
  const isSo = navigator.onLine === (event === "online");
  const hear = (done) => addEventListener(event, () => done(), { once: true });
  window.heard = isSo ? null : new Promise(hear);
}"""
# The phone's clock is off by `clockOff` ms, which the test may change.
WRONG_CLOCK = """
  window.clockOff = %d;
  const Right = Date;
  window.Date = class extends Right {
    constructor(...parts) { parts.length ? super(...parts) : super(Right.now() + window.clockOff); }
    static now() { return Right.now() + window.clockOff; }
  };
"""

# How long a phone waits for the server before it decides alone: on a busy machine, much longer.
PATIENCE = re.compile(r"PATIENCE_MS = [\d_]+;")
LINK_OR_SCAN = re.compile(r"/static/js/door/(sync-link|checkins)\.js$")
LONG = "PATIENCE_MS = 90_000;"

Verdict = dict[str, Any]


class Phone:
    """One tab with the modules loaded, and nothing started by itself."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.problems: list[str] = []
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        self.page = context.new_page()
        self.load()

    def load(self) -> None:
        """Open a page of ours, as after a reload."""
        self.page.goto(f"{self.url}/healthz")
        self.page.evaluate(LOAD)

    def prepare(self) -> list[dict[str, int]]:
        """Load all tickets; return the progress that was told."""
        told: list[dict[str, int]] = self.page.evaluate(PREPARE)
        return told

    def sync(self) -> bool:
        """Bring both sides in step once; tell whether it worked."""
        worked: bool = self.page.evaluate("() => door.syncNow()")
        return worked

    def start(self) -> None:
        """Let it keep in step by itself, as the scanner's page does."""
        self.page.evaluate("() => door.start()")

    def submit(self, code: str, direction: Literal["in", "out"] = "in") -> Verdict:
        """Scan a code and return the verdict."""
        scan = {"code": code, "direction": direction}
        verdict: Verdict = self.page.evaluate("(scan) => door.submit(scan)", scan)
        return verdict

    def status(self) -> dict[str, Any]:
        """Return what the phone says of itself."""
        status: dict[str, Any] = self.page.evaluate("() => door.currentStatus()")
        return status

    def queued(self) -> int:
        return int(self.status()["queued"])

    def dump(self) -> str:
        """Return the whole database of the phone as text."""
        text: str = self.page.evaluate(DUMP)
        return text

    def write_meta(self, name: str, changes: dict[str, Any]) -> None:
        """Change members of a value in the phone's database."""
        self.page.evaluate(
            """async ([name, changes]) => {
              const [value] = await door.readMeta(name);
              await door.writeMeta(name, { ...value, ...changes });
            }""",
            [name, changes],
        )

    def go_offline(self) -> None:
        """Take the network away, and wait until the page has heard of it."""
        self._hear("offline", lambda: self.context.set_offline(True))

    def go_online(self) -> None:
        """Give the network back, and wait until the page has heard of it."""
        self._hear("online", lambda: self.context.set_offline(False))

    def _hear(self, event: str, change: Callable[[], None]) -> None:
        self.page.evaluate(LISTEN, event)
        change()
        self.page.evaluate("() => window.heard")

    def set_clock(self, off_by: int) -> None:
        """Set the clock of a phone that was opened with `clock_off` (milliseconds)."""
        self.page.evaluate("(off) => { window.clockOff = off; }", off_by)


class OpenPhone(Protocol):
    """Open a newly paired phone that has heard of the server once.

    It waits for a slow answer as long as it takes, unless the test is about its impatience.
    """

    def __call__(
        self,
        *,
        lanes: str = "",
        role: DeviceRole = DeviceRole.SCANNER,
        clock_off: int | None = None,
        is_patient: bool = True,
    ) -> Phone: ...


class Holding:
    """Keeps requests on their way until they are let go."""

    def __init__(self, page: Page, pattern: re.Pattern[str]) -> None:
        self._routes: list[Route] = []
        self._is_open = False
        page.route(pattern, self._hold)

    def _hold(self, route: Route) -> None:
        if self._is_open:
            route.continue_()
        else:
            self._routes.append(route)

    def let_go(self) -> None:
        """Let them all reach the server now, and later ones at once."""
        self._is_open = True
        for route in self._routes:
            route.continue_()


def lose_answer(page: Page, pattern: re.Pattern[str]) -> None:
    """Let the next request reach the server, and its answer nobody."""

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()
        page.unroute(pattern)

    page.route(pattern, lose)


@contextmanager
def open_phone(
    browser: Browser,
    url: str,
    token: str,
    *,
    clock_off: int | None = None,
    is_patient: bool = True,
) -> Iterator[Phone]:
    """Open a paired phone; errors in its scripts fail the test at the end."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    if is_patient:
        context.route(LINK_OR_SCAN, _make_patient)
    try:
        phone = _paired(context, url, token, clock_off)
        yield phone
    finally:
        close(context)
    assert not phone.problems, phone.problems


def _make_patient(route: Route) -> None:
    """Send the module with another patience."""
    answer = route.fetch()
    text, found = PATIENCE.subn(LONG, answer.text())
    assert found, f"{route.request.url} has no patience any more"
    route.fulfill(response=answer, body=text)


def _paired(context: BrowserContext, url: str, token: str, clock_off: int | None) -> Phone:
    context.set_default_timeout(60_000)
    context.add_cookies([{"name": "door_device", "value": token, "url": url}])
    if clock_off is not None:
        context.add_init_script(WRONG_CLOCK % clock_off)
    return Phone(context, url)


def close(context: BrowserContext) -> None:
    """Close a context whose browser may be gone."""
    try:
        context.close()
    except PlaywrightError:
        return


def wait_until_sent(phone: Phone) -> None:
    """Wait until nothing waits on the phone."""
    eventually(lambda: phone.queued() == 0, what="the queue is empty")

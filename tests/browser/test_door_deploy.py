"""A deploy in the middle of the evening: open pages go on, the next opening is all new."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from app.routes.door_shell import VERSION
from tests.app_factory import make_settings, running_app
from tests.browser.door_phone import cut_network, phone_at_the_door
from tests.door.seeding import seeded_door
from tests.door.web import web_server
from tests.harness.database import fresh_sqlite
from tests.harness.waiting import eventually

NEW = "0123456789ab"
KEPT = """async () => {
  const { installing, waiting } = await navigator.serviceWorker.ready;
  return installing || waiting ? [] : caches.keys();
}"""
# What an installation leaves on the phone that broke off before the deploy that worked.
BROKEN_OFF = "caches.open('door-abcdefabcdef').then(() => true)"
STATUS = "address => fetch(address).then(({ status }) => status)"


def kept_versions(page: Page) -> list[str]:
    """Return the versions of the page on the phone, once none is on its way."""
    names: list[str] = page.evaluate(KEPT)
    return [name.removeprefix("door-") for name in names if name.startswith("door-")]


def version_of(page: Page) -> str:
    """Return which version the open page is of."""
    source = page.locator("script[type=module]").get_attribute("src") or ""
    return source.split("/")[3]


def test_an_open_page_keeps_its_files_and_the_next_one_is_new(
    browser: Browser, tmp_path: Path
) -> None:
    database_url = fresh_sqlite(tmp_path)
    with (
        running_app(make_settings(database_url)) as app,
        web_server(app) as url,
        seeded_door(database_url) as door,
        phone_at_the_door(browser, url, door.pair("Ponsel"), has_camera=False) as page,
    ):
        page.goto(f"{url}/door")
        old = version_of(page)
        eventually(lambda: old in kept_versions(page))
        page.evaluate(BROKEN_OFF)
        app.extensions[VERSION] = NEW
        page.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update())")
        eventually(lambda: NEW in kept_versions(page))
        eventually(lambda: "abcdefabcdef" not in kept_versions(page))
        assert old in kept_versions(page)
        assert page.evaluate(STATUS, f"/door/shell/{old}/js/door/decoder.js") == 200

        page.reload()
        assert version_of(page) == NEW
        cut_network(page)
        page.reload()
        expect(page.locator("#door")).to_be_visible()
        assert version_of(page) == NEW
        page.goto(f"{url}/door?language=en")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        page.goto(f"{url}/door")
        expect(page.get_by_role("button", name="Last scans")).to_be_visible()

"""E-tickets on a phone: large codes, kept when asked for, gone when asked for, sent one by one."""

from functools import partial
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, expect
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page as BrowserPage

from app.models import OrderStatus
from tests.harness.browser import browsing
from tests.harness.waiting import eventually
from tests.pages.order_states import mailed
from tests.pages.shop import Shop

KEPT = "Tersimpan di ponsel ini"
LOOSE = "Belum tersimpan"


@pytest.fixture
def token(shop: Shop) -> str:
    return mailed(shop)


def codes_of(shop: Shop, token: str) -> list[str]:
    with shop.changing(token) as order:
        return [e_ticket.qr_text for e_ticket in order.e_tickets]


def read_screen(page: BrowserPage, *, whole: bool = True) -> list[str]:
    """Return what a scanner reads from the whole page as it looks, or from the screen alone."""
    picture = Image.open(BytesIO(page.screenshot(full_page=whole))).convert("L")
    found = zxingcpp.read_barcodes(picture)
    return [code.text for code in sorted(found, key=lambda code: code.position.top_left.y)]


def shows_only(page: BrowserPage, code: str) -> bool:
    return read_screen(page, whole=False) == [code]


def keep(page: BrowserPage) -> None:
    page.locator("[data-do=keep]").click()
    expect(page.locator("#kept-state")).to_contain_text(KEPT)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_codes_are_large_and_can_be_read_in_light_and_dark_without_scripts(
    shop: Shop, address: str, browser: Browser, token: str, scheme: str
) -> None:
    with browsing(browser, java_script_enabled=False, color_scheme=scheme) as phone:
        phone.goto(f"{address}/orders/{token}/tickets")
        box = phone.locator(".pass__code img").first.bounding_box()
        assert box
        assert box["width"] >= 0.6 * 360
        assert box["width"] == box["height"]
        assert box["y"] + box["height"] < 740, "the code is not on the first screen"
        assert read_screen(phone) == codes_of(shop, token)


def test_a_screen_never_shows_two_codes(
    shop: Shop, address: str, phone: BrowserPage, token: str
) -> None:
    url = f"{address}/orders/{token}/tickets"
    phone.emulate_media(reduced_motion="reduce")
    phone.set_viewport_size({"width": 360, "height": 915})
    phone.goto(url)
    for number, code in enumerate(codes_of(shop, token), start=1):
        phone.goto(f"{url}#ticket-{number}")
        shown = partial(shows_only, phone, code)
        eventually(shown, what=f"code {number} alone")


def test_a_kept_page_opens_without_a_network(
    shop: Shop, address: str, phone: BrowserPage, token: str
) -> None:
    phone.goto(f"{address}/orders/{token}/tickets")
    expect(phone.locator("#kept-state")).to_contain_text(LOOSE)
    keep(phone)
    phone.context.set_offline(True)
    phone.reload()
    expect(phone.locator("#kept-state")).to_contain_text(KEPT)
    expect(phone.locator("[data-do=keep]")).to_be_hidden()
    assert phone.evaluate("getComputedStyle(document.querySelector('.pass')).display") == "grid"
    assert phone.evaluate(
        "document.fonts.load('700 16px \"Plus Jakarta Sans\"').then(all => all.length)"
    )
    assert read_screen(phone) == codes_of(shop, token)


def test_nothing_else_of_the_order_is_kept(address: str, phone: BrowserPage, token: str) -> None:
    phone.goto(f"{address}/orders/{token}/tickets")
    keep(phone)
    kept = phone.evaluate(
        "caches.keys().then((all) => Promise.all(all.map((name) => caches.open(name))))"
        ".then((all) => Promise.all(all.map((cache) => cache.keys())))"
        ".then((all) => all.flat().map((request) => new URL(request.url).pathname))"
    )
    assert [path for path in kept if not path.startswith("/static/")] == [
        f"/orders/{token}/tickets"
    ]
    scopes = phone.evaluate(
        "navigator.serviceWorker.getRegistrations().then((all) => all.map((one) => one.scope))"
    )
    assert scopes == [f"{address}/orders/{token}/tickets"]


def test_a_removed_page_is_gone_from_the_phone(address: str, browser: Browser, token: str) -> None:
    with browsing(browser) as phone:
        phone.goto(f"{address}/orders/{token}/tickets")
        keep(phone)
        phone.locator("[data-do=remove]").click()
        expect(phone.locator("#kept-state")).to_contain_text(LOOSE)
        assert phone.evaluate("caches.keys()") == []
        phone.reload()
        expect(phone.locator("#kept-state")).to_contain_text(LOOSE)
        phone.context.set_offline(True)
        with pytest.raises(PlaywrightError):
            phone.reload()


def test_a_kept_page_of_a_cancelled_order_forgets_its_codes(
    shop: Shop, address: str, phone: BrowserPage, token: str
) -> None:
    url = f"{address}/orders/{token}/tickets"
    phone.goto(url)
    keep(phone)
    with shop.changing(token) as order:
        order.move_to(OrderStatus.CANCELLED)
    eventually(partial(leads_to, phone, url, f"{address}/orders/{token}"), what="the order's page")
    assert phone.evaluate("caches.keys()") == []


def test_a_kept_page_is_renewed_whenever_there_is_a_network(
    shop: Shop, address: str, phone: BrowserPage, token: str
) -> None:
    phone.goto(f"{address}/orders/{token}/tickets")
    keep(phone)
    with shop.changing(token) as order:
        order.e_tickets[1].attendee = "Made Wirawan"
    eventually(partial(shows_name, phone, "Made Wirawan"), what="the page is renewed")
    phone.context.set_offline(True)
    phone.reload()
    expect(phone.locator("#name-2")).to_have_text("Made Wirawan")


def leads_to(page: BrowserPage, url: str, end: str) -> bool:
    """Tell whether one who opens an address comes to another; a slow answer is not waited for."""
    page.goto(url)
    return page.url == end


def shows_name(page: BrowserPage, name: str) -> bool:
    """Tell whether the second ticket has this name, on a page loaded anew."""
    page.reload()
    return page.locator("#name-2").inner_text() == name


NO_STORAGE = "delete Navigator.prototype.serviceWorker"
SHARING = """
window.shared = [];
navigator.canShare = () => true;
navigator.share = async ({files, text}) => {
  const image = await createImageBitmap(files[0]);
  window.shared.push({name: files[0].name, type: files[0].type, width: image.width, text});
};
"""
WAKING = """
window.locks = [];
Object.defineProperty(navigator, "wakeLock", {value: {request: async (kind) => {
  window.locks.push(kind);
  return Object.assign(new EventTarget(), {release: async () => window.locks.push("released")});
}}});
"""


def test_a_browser_that_cannot_keep_pages_is_offered_the_pdf(
    address: str, phone: BrowserPage, token: str
) -> None:
    phone.add_init_script(NO_STORAGE)
    phone.goto(f"{address}/orders/{token}/tickets")
    expect(phone.locator("#download")).to_be_visible()
    expect(phone.locator("[data-do=keep]")).to_be_hidden()


def test_one_ticket_is_sent_as_a_picture_without_the_orders_address(
    address: str, phone: BrowserPage, token: str
) -> None:
    phone.add_init_script(SHARING)
    phone.goto(f"{address}/orders/{token}/tickets")
    phone.locator("#ticket-2 [data-do=send]").click()
    eventually(lambda: phone.evaluate("window.shared.length") == 1, what="sharing")
    (shared,) = phone.evaluate("window.shared")
    assert shared["type"] == "image/png"
    assert shared["width"] >= 400
    assert token not in shared["text"]
    assert "TEDxSenja" in shared["text"]


def test_the_screen_stays_on_while_a_code_is_on_it(
    address: str, phone: BrowserPage, token: str
) -> None:
    phone.add_init_script(WAKING)
    phone.goto(f"{address}/orders/{token}/tickets")
    eventually(lambda: phone.evaluate("window.locks") == ["screen"], what="a lock")
    phone.emulate_media(reduced_motion="reduce")
    phone.evaluate("scrollTo(0, document.body.scrollHeight)")
    eventually(lambda: "released" in phone.evaluate("window.locks"), what="no lock")

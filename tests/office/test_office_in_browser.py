"""The inbox and the messages in a browser, from one end to the other and without faults."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect

from app.models import Role
from app.services.office.demo.making import plan_demo, write_demo
from tests.browser.log_in import log_in
from tests.door.web import web_server
from tests.office.post_office import PostOffice
from tests.pages.axe import violations
from tests.staff.office import fresh_code

WIDE = {"width": 1100, "height": 800}


@pytest.fixture
def address(post: PostOffice) -> Iterator[str]:
    """The address of an office with a made-up sale, as a small real web server."""
    with post.working():
        settings, now = post.app.extensions["settings"], datetime.now(UTC)
        demo = plan_demo(60, seed=3, is_added=False, now=now, settings=settings)
        assert sum(write_demo(demo)) == 60
    with web_server(post.app) as address:
        yield address


def look(page: BrowserPage) -> None:
    """Ask axe on the phone and on the wide screen, in both schemes, and whether it all fits."""
    phone = page.viewport_size
    assert phone
    for scheme, size in (("light", phone), ("dark", WIDE)):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size(size)  # type: ignore[arg-type]  # as `viewport_size` gave it
        assert violations(page) == [], page.url
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], page.url
    page.set_viewport_size(phone)


def test_a_case_is_taken_and_a_message_sent(
    post: PostOffice, address: str, phone: BrowserPage
) -> None:
    page = phone
    admin = post.hire(Role.ADMIN)
    log_in(page, f"{address}/staff/cases", admin, lambda: fresh_code(post.app))
    expect(page.locator("h1")).to_have_text("Perlu ditangani")
    look(page)
    page.locator(".waiting-list a").first.click()
    page.get_by_role("button", name="Saya urus").click()
    expect(page.locator(".done")).to_have_text("Sekarang ini tugas Anda.")
    look(page)

    page.goto(f"{address}/staff/messages/new")
    look(page)
    page.get_by_role("button", name="Lihat hasilnya").click()
    expect(page.get_by_role("alert")).to_contain_text("Mohon tulis judulnya.")
    look(page)
    page.get_by_label("Early Bird").check()
    page.fill("#subject", "Pintu pindah")
    page.fill("#body", "Pintu masuk pindah ke timur.")
    page.get_by_role("button", name="Lihat hasilnya").click()
    expect(page.locator("pre.letter")).to_contain_text("Pintu masuk pindah ke timur.")
    look(page)
    draft = page.url
    page.get_by_role("button", name="Kirim ke saya").click()
    post.work()
    page.goto(draft)
    page.get_by_role("link", name="Kirim kepada").click()
    look(page)
    page.get_by_role("button", name="Kirim kepada").click()
    expect(page.locator("#progress")).to_have_text("Sedang dikirim")
    look(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#progress")).to_have_text("Dihentikan")
    page.get_by_role("button", name="Lanjutkan").click()
    post.work()
    expect(page.locator("#progress")).to_have_text("Terkirim")  # by itself
    look(page)

"""The scanner with its scripts: axe-core on every drawer and every verdict."""

from datetime import UTC, datetime

from flask import Flask
from playwright.sync_api import Browser, Page, expect

from app.models import DeviceRole
from app.services.door import devices
from app.services.door.devices import DeviceWish
from tests.browser.door_phone import expect_verdict, phone_at_the_door, scan_by_keys
from tests.door.web import web_server
from tests.door.world import DoorWorld
from tests.pages.axe import violations


def test_the_scanner_is_accessible_in_every_state(sqlite_app: Flask, browser: Browser) -> None:
    world = DoorWorld(sqlite_app, now=datetime.now(UTC))
    guest = world.guest()
    with sqlite_app.app_context():
        wish = DeviceWish("Ayu", DeviceRole.SUPERVISOR, None, "")
        token = devices.adopt(wish, by="admin@example.com", now=world.now)
    with (
        web_server(sqlite_app) as address,
        phone_at_the_door(browser, address, token, has_camera=False) as page,
    ):
        page.goto(f"{address}/door")
        expect(page.locator("#camera-notice")).to_be_visible()
        expect_accessible(page, "no camera yet")
        for drawer in ("phone", "typing", "search", "history"):
            page.locator(f"[data-opens={drawer}]").click()
            expect(page.locator(f"#{drawer}")).to_be_visible()
            expect_accessible(page, drawer)
            page.keyboard.press("Escape")
            expect(page.locator(f"[data-opens={drawer}]")).to_be_focused()
        for result in ("admitted", "refused"):
            scan_by_keys(page, guest.qr_text)
            expect_verdict(page, result)
            expect_accessible(page, result)
            page.keyboard.press("Escape")
        page.locator("[data-opens=history]").click()
        expect(page.locator("#scans li")).to_have_count(2)
        expect_accessible(page, "scans made")


def expect_accessible(page: Page, state: str) -> None:
    assert violations(page) == [], state

"""One evening in two browsers: an admin adds a gate and a phone, sees it live, cuts it off."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as BrowserPage

from app.models import Role
from tests.browser.log_in import log_in
from tests.door.web import web_server
from tests.door.world import DoorWorld, Guest
from tests.harness.browser import PHONE, browsing
from tests.staff.office import PASSWORD, Office, fresh_code

SCAN = """
async ([code, scanId]) => {
  const body = {code, scanId, scannedAt: new Date().toISOString(), gate: "Utara"};
  const answer = await fetch("/api/check-ins", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
  const told = await answer.json();
  return told.result ?? told.code;
}
"""
SCAN_ID = "0b8e9a52-6f1e-4c55-9d53-0d1a4a5b7c1"


@pytest.fixture
def address(sqlite_app: Flask) -> Iterator[str]:
    """The address of the application as a small real web server."""
    with web_server(sqlite_app) as address:
        yield address


@pytest.fixture
def guest(sqlite_app: Flask) -> Guest:
    """A seat that was sold."""
    return DoorWorld(sqlite_app, now=datetime.now(UTC)).guest()


def test_an_evening_at_the_door(
    small_office: Office, address: str, guest: Guest, desktop: BrowserPage, browser: Browser
) -> None:
    admin = small_office.hire(Role.ADMIN)
    log_in(desktop, f"{address}/staff/door/gates", admin, lambda: fresh_code(small_office.app))
    expect(desktop.locator("h1")).to_have_text("Gerbang")
    desktop.get_by_role("link", name="Tambah gerbang").click()
    desktop.fill("#name", "Utara")
    desktop.get_by_role("button", name="Tambahkan gerbang").click()
    desktop.get_by_role("link", name="Ponsel", exact=True).click()
    desktop.get_by_role("link", name="Tambah ponsel").click()
    desktop.fill("#name", "Ayu")
    desktop.get_by_role("button", name="Tambah dan tampilkan kodenya").click()
    code = desktop.locator(".big-code").inner_text()
    with browsing(browser, size=PHONE) as phone:
        phone.goto(f"{address}/door/pair#{code}")
        expect(phone.locator("#code")).to_have_value(code)
        expect(phone).to_have_url(f"{address}/door/pair")  # the code does not stay in it
        with phone.expect_response(lambda answer: answer.url.endswith("/door/pair")) as paired:
            phone.keyboard.press("Enter")
        assert paired.value.status == 303
        expect(desktop.locator("#pairing")).to_contain_text("Ayu sudah dipasangkan")
        phone.goto(f"{address}/door/pair")
        assert phone.evaluate(SCAN, [guest.qr_text, f"{SCAN_ID}1"]) == "admitted"
        desktop.get_by_role("link", name="Angka langsung").click()
        expect(desktop.locator("#entered")).to_have_text("1")
        expect(desktop.locator(".plot")).to_contain_text("Utara")
        desktop.get_by_role("link", name="Ponsel", exact=True).click()
        desktop.get_by_role("link", name="Ayu").click()
        desktop.get_by_role("button", name="Putuskan Ayu").click()
        expect(desktop.locator("#gone")).to_be_visible()
        assert phone.evaluate(SCAN, [guest.qr_text, f"{SCAN_ID}2"]) == "device_cut_off"
        assert not [c for c in phone.context.cookies() if c.get("name") == "door_device"]


def test_live_numbers_follow_by_themselves(
    small_office: Office, address: str, guest: Guest, phone: BrowserPage
) -> None:
    small_office.hire(Role.DOOR)
    phone.goto(f"{address}/staff/log-in?next=/staff/door")
    phone.fill("#email", "door@tedxsenja.example")
    phone.fill("#password", PASSWORD)
    phone.press("#password", "Enter")
    expect(phone.locator("#entered")).to_have_text("0")
    assert phone.evaluate(SCAN, [guest.qr_text, f"{SCAN_ID}1"]) == "admitted"
    expect(phone.locator("#entered")).to_have_text("1", timeout=60_000)


def test_a_phone_is_paired_by_typing_without_any_script(
    small_office: Office, address: str, phone_without_javascript: BrowserPage
) -> None:
    code, page = small_office.add_phone().code, phone_without_javascript
    page.goto(f"{address}/door/pair")
    page.fill("#code", code.lower().replace("-", ""))
    page.click("#pair")
    cookies = {c.get("name"): c for c in page.context.cookies()}
    assert cookies["door_device"].get("httpOnly") is True

"""The door without a camera: scanners that type, fingers, the search; undo; and no scripts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.app_factory import make_settings, running_app
from tests.browser.door_phone import expect_verdict, phone_at_the_door, scan_by_keys
from tests.door.seeding import SeededDoor, SoldSeat, seeded_door
from tests.door.web import web_server
from tests.harness.database import fresh_sqlite


@dataclass(frozen=True)
class Venue:
    """The application's address, and what it has sold."""

    url: str
    door: SeededDoor

    def sell(self, name: str) -> SoldSeat:
        [seat] = self.door.sell(self.door.add_ticket(), names=iter([name]))
        return seat


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """The application on an SQLite file, shared by the tests of this file."""
    database_url = fresh_sqlite(tmp_path_factory.mktemp("door"))
    with (
        running_app(make_settings(database_url)) as app,
        web_server(app) as url,
        seeded_door(database_url) as door,
    ):
        yield Venue(url, door)


@pytest.fixture
def page(browser: Browser, venue: Venue) -> Iterator[Page]:
    """The scanner on a phone without a camera."""
    token = venue.door.pair("Ponsel")
    with phone_at_the_door(browser, venue.url, token, has_camera=False) as opened:
        opened.goto(f"{venue.url}/door")
        expect(opened.locator("#door")).to_be_visible()
        yield opened


def test_a_scanner_that_types_presses_no_button(page: Page, venue: Venue) -> None:
    seat = venue.sell("Wayan")
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))  # all keys at one moment
    page.locator("[data-opens=search]").focus()
    page.keyboard.type(seat.qr_text.lower())
    page.keyboard.press("Enter")
    expect_verdict(page, "admitted", "Wayan")
    expect(page.locator("#search")).to_be_hidden()
    page.clock.run_for(3_000)  # milliseconds
    expect(page.locator("#verdict")).to_be_hidden()


def test_typing_in_a_field_is_no_scan(page: Page, venue: Venue) -> None:
    seat = venue.sell("Putu")
    page.locator("[data-opens=search]").click()
    page.keyboard.type(seat.qr_text[:30])
    page.keyboard.press("Enter")
    expect(page.locator("#search-note")).to_have_text("Tidak ada yang cocok. Coba ejaan lain.")
    expect(page.locator("#verdict")).to_be_hidden()
    assert not venue.door.scans_of(seat)


def test_a_slip_of_the_finger_is_told_before_anything_is_sent(page: Page, venue: Venue) -> None:
    seat = venue.sell("Ketut")
    wrong = seat.short_code[:-1] + ("2" if seat.short_code[-1] != "2" else "3")
    page.locator("[data-opens=typing]").click()
    page.keyboard.type(wrong.lower().replace("-", ""))
    expect(page.locator("#typed")).to_have_value(wrong)
    expect(page.locator("#typing-help")).to_contain_text("Mungkin ada satu karakter yang salah")
    page.keyboard.press("Enter")
    expect(page.locator("#typing-help")).to_contain_text("Masih meragukan")
    page.locator("#typed").fill(seat.short_code)
    page.keyboard.press("Enter")
    expect_verdict(page, "admitted", "Ketut", seat.short_code)


def test_a_guest_is_found_by_name_admitted_and_undone(page: Page, venue: Venue) -> None:
    seat = venue.sell("Ni Luh Sekar")
    page.locator("[data-opens=search]").click()
    page.locator("#search-text").fill("sek")
    page.get_by_role("button", name="Izinkan masuk: Ni Luh Sekar").click()
    expect_verdict(page, "admitted", "Ni Luh Sekar")
    page.locator("#verdict").click()
    page.locator("[data-opens=history]").click()
    page.get_by_role("button", name="Batalkan").click()
    expect(page.locator("#scans li")).to_have_attribute("data-result", "undone")
    assert [scan.undone_at is not None for scan in venue.door.scans_of(seat)] == [True]
    page.keyboard.press("Escape")
    scan_by_keys(page, seat.qr_text)
    expect_verdict(page, "admitted", "Ni Luh Sekar")


def test_a_code_that_gets_no_answer_holds_nobody_up(page: Page, venue: Venue) -> None:
    seat = venue.sell("Komang")
    held_back: list[Route] = []

    def hold_back(route: Route) -> None:
        if seat.qr_text in (route.request.post_data or ""):
            route.continue_()
        else:
            held_back.append(route)

    page.route("**/api/check-ins", hold_back)
    scan_by_keys(page, "WHATEVERTHISIS")
    scan_by_keys(page, seat.qr_text)
    expect_verdict(page, "admitted", "Komang")
    assert len(held_back) == 1
    page.keyboard.press("Escape")
    held_back[0].continue_()
    expect_verdict(page, "refused", "Ini bukan tiket kami")


def test_no_name_is_left_on_the_phone(page: Page, venue: Venue) -> None:
    scan_by_keys(page, venue.sell("Nyoman Rahasia").qr_text)
    expect_verdict(page, "admitted", "Nyoman Rahasia")
    kept = page.evaluate("JSON.stringify([{ ...sessionStorage }, { ...localStorage }])")
    assert "admitted" in kept
    assert "Rahasia" not in kept


def test_a_phone_without_a_camera_is_told_what_else_there_is(page: Page) -> None:
    page.get_by_role("button", name="Mulai memindai").click()
    expect(page.locator("#camera-notice")).to_contain_text("Kamera tidak ditemukan")
    expect(page.get_by_role("button", name="Coba lagi")).to_be_visible()


def test_a_phone_that_was_cut_off_shuts_itself(browser: Browser, venue: Venue) -> None:
    token = venue.door.pair("Hilang")
    with phone_at_the_door(browser, venue.url, token, has_camera=False) as page:
        page.goto(f"{venue.url}/door")
        expect(page.locator("#door")).to_be_visible()
        venue.door.cut_off("Hilang")
        scan_by_keys(page, "WHATEVERTHISIS")
        expect(page.locator("#locked")).to_contain_text("Ponsel ini diputus")
        page.keyboard.press("Escape")
        expect(page.locator("#locked")).to_be_visible()


def test_without_scripts_the_door_is_a_form(browser: Browser, venue: Venue) -> None:
    seat = venue.sell("Gede")
    token = venue.door.pair("Lama")
    with phone_at_the_door(browser, venue.url, token, java_script_enabled=False) as page:
        page.goto(f"{venue.url}/door")
        expect(page.locator("#door")).to_be_hidden()
        page.get_by_role("textbox", name="Kode pendek").fill(seat.short_code)
        page.get_by_role("button", name="Periksa kode").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Silakan masuk")
        expect(page.locator(".verdict")).to_contain_text("Gede")
        page.get_by_role("link", name="Tiket berikutnya").click()
        expect(page.get_by_role("textbox", name="Kode pendek")).to_be_visible()

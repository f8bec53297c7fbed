"""The door with a camera: tickets of a real purchase, the network going and coming back."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, expect

from app.models import CheckIn, ScanReason, ScanResult
from tests.browser.door_camera import Film, Scene, code_before_camera, page_before_camera
from tests.browser.door_limits import count_read, decoding, read, signed_codes, white_on_black
from tests.browser.door_phone import (
    cut_network,
    expect_verdict,
    make_ready,
    phone_at_the_door,
    scan_by_keys,
)
from tests.browser.purchase import choose, expect_paid, fill_in, go_to_pay, pay
from tests.door.seeding import SeededDoor, seeded_door
from tests.harness.browser import browsing, chromium
from tests.harness.database import fresh_sqlite
from tests.harness.service import Service


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """What the phone's camera sees."""
    return Film(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def filming(playwright: Playwright, film: Film) -> Iterator[Browser]:
    """A browser with that camera."""
    with chromium(playwright, *film.flags) as browser:
        yield browser


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The whole service on SQLite, which starts sooner."""
    folder = tmp_path_factory.mktemp("service")
    running = Service(fresh_sqlite(folder), folder)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def door(service: Service) -> Iterator[SeededDoor]:
    """The door of the service."""
    with seeded_door(service.database_url) as seeded:
        yield seeded


@pytest.fixture(scope="module")
def pdf(service: Service, browser: Browser) -> bytes:
    """The e-tickets of two people, bought and mailed as always."""
    with browsing(browser) as page:
        choose(page, service, "Reguler", 2)
        fill_in(page, email="door@example.com", name="Dewi Ayu")
        page.get_by_label("Reguler, tiket 2").fill("Made Wirawan")
        go_to_pay(page, service)
        pay(page, service)
        expect_paid(page)
    return service.mailbox.attachment(service.mailbox.wait_for_mail("door@example.com"))


def look_at(page: Page, film: Film, frame: Image.Image, url: str) -> None:
    """Let the camera see another frame: it is read when the page starts it."""
    film.show(frame)
    page.goto(f"{url}/door")


def test_two_guests_enter_once_each_while_the_network_goes_and_comes_back(
    service: Service, door: SeededDoor, pdf: bytes, film: Film, filming: Browser
) -> None:
    token = door.pair("Ponsel 1", gate_id=door.add_gate("A"))
    first, second = (page_before_camera(pdf, number) for number in range(2))
    with phone_at_the_door(filming, service.url, token) as page:
        look_at(page, film, first, service.url)
        expect_verdict(page, "admitted", "Silakan masuk", "Dewi Ayu", "Reguler")
        page.keyboard.press("Escape")
        expect(page.locator("#hint")).to_have_text("Kode ini baru saja dibaca")
        page.reload()
        expect_verdict(page, "refused", "Stop", "Sudah masuk di gerbang A", "Dewi Ayu")
        page.keyboard.press("Escape")
        make_ready(page)

        cut_network(page)
        look_at(page, film, second, service.url)
        expect_verdict(page, "admitted", "Made Wirawan", "Diputuskan di ponsel ini")
        expect(page.locator("#queue")).to_have_text("1 belum terkirim")
        page.reload()
        expect_verdict(page, "refused", "Sudah masuk di gerbang A")

        page.context.set_offline(False)
        expect(page.locator("#queue")).to_be_hidden()
        page.reload()
        expect_verdict(page, "refused", "Sudah masuk di gerbang A", "Made Wirawan")

    assert entries(door) == [(False, None), (True, None)]


def test_a_tampered_code_is_refused_and_holds_nobody_up(
    service: Service, door: SeededDoor, film: Film, filming: Browser
) -> None:
    [seat] = door.sell(door.add_ticket())
    forged = seat.qr_text[:-5] + ("AAAAA" if seat.qr_text[-5:-1] != "AAAA" else "BBBBB")
    with phone_at_the_door(filming, service.url, door.pair("Ponsel 2")) as page:
        look_at(page, film, code_before_camera(forged), service.url)
        expect_verdict(page, "refused", "Ini bukan tiket kami")
        scan_by_keys(page, seat.qr_text)
        expect_verdict(page, "admitted", seat.attendee)
    assert len(door.scans_of(seat)) == 1


def test_a_camera_that_is_not_allowed_is_explained(
    service: Service, door: SeededDoor, filming: Browser
) -> None:
    token = door.pair("Ponsel 3")
    with phone_at_the_door(filming, service.url, token, has_camera=False) as page:
        page.goto(f"{service.url}/door")
        page.get_by_role("button", name="Mulai memindai").click()
        expect(page.locator("#camera-notice")).to_contain_text("Kamera tidak diizinkan")
        expect(page.get_by_role("button", name="Coba lagi")).to_be_visible()


def test_the_decoder_reads_what_people_hold_badly(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    texts = signed_codes(2)
    limits = (
        Scene(size=80),
        Scene(blur=3),
        Scene(light=0.1, noise=4),
        Scene(size=110, light=0.2, noise=4),
        Scene(tilt=0.5),
        Scene(turn=45),
    )
    with decoding(browser, tmp_path_factory.mktemp("decoder")) as page:
        for scene in limits:
            assert count_read(page, texts, scene) == len(texts), scene
        assert count_read(page, texts, Scene(size=20)) == 0
        [inverted] = read(page, [white_on_black(texts[0])])
        assert inverted["texts"] == texts[:1]


def entries(door: SeededDoor) -> list[tuple[bool, ScanReason | None]]:
    """Return of each admission whether the phone decided it alone, and what we say against it."""
    told: Any = sa.select(CheckIn.is_offline, CheckIn.objection)
    wanted = told.where(CheckIn.result == ScanResult.ADMITTED).order_by(CheckIn.happened_at)
    return [(row.is_offline, row.objection) for row in door.rows(wanted)]

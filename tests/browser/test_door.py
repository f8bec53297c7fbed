"""The door with a camera: tickets of a real purchase, the network going and coming back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from app.models import CheckIn, ScanReason, ScanResult
from tests.browser.door_camera import Film, page_before_camera
from tests.browser.purchase import choose, expect_paid, fill_in, go_to_pay, pay
from tests.door.seeding import SeededDoor, seeded_door
from tests.harness.browser import PHONE, Watch, browsing, chromium
from tests.harness.database import fresh_sqlite
from tests.harness.service import Service

NO_NETWORK = "net::ERR_INTERNET_DISCONNECTED"  # what we cut ourselves is no mistake of the page
STAYS_MS = 10_000


@pytest.fixture
def film(tmp_path: Path) -> Film:
    """What the phone's camera sees."""
    return Film(tmp_path)


@pytest.fixture
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


@contextmanager
def phone_at_the_door(browser: Browser, url: str, token: str) -> Iterator[Page]:
    """Open a paired phone's page; what it does unseen fails the test."""
    width, height = PHONE
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="id-ID", permissions=["camera"]
    )
    context.add_cookies([{"name": "door_device", "value": token, "url": url}])
    context.set_default_timeout(15_000)
    watch = Watch()
    watch.context(context)
    try:
        yield context.new_page()
    finally:
        context.close()
    assert not [problem for problem in watch.problems if NO_NETWORK not in problem]


def expect_verdict(page: Page, result: str, *words: str) -> None:
    """Wait for the big screen, and for what it says."""
    verdict = page.locator("#verdict")
    expect(verdict).to_be_visible(timeout=STAYS_MS)
    expect(verdict).to_have_attribute("data-result", result)
    for word in words:
        expect(verdict).to_contain_text(word)


def look_at(page: Page, film: Film, frame: Image.Image, url: str) -> None:
    """Let the camera see another frame: it is read when the page starts it."""
    film.show(frame)
    page.goto(f"{url}/door")


def make_ready(page: Page) -> None:
    """Load all tickets, and wait until the page itself is kept too."""
    page.locator("[data-opens=phone]").click()
    page.get_by_role("button", name="Muat tiket untuk offline").click()
    expect(page.locator("#prepare-note")).to_have_text("Siap untuk pintu tanpa jaringan")
    page.keyboard.press("Escape")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def cut_network(context: BrowserContext, page: Page) -> None:
    context.set_offline(True)
    expect(page.locator("#network")).to_have_attribute("data-state", "offline")


def test_two_guests_enter_once_each_while_the_network_goes_and_comes_back(
    service: Service, door: SeededDoor, pdf: bytes, film: Film, filming: Browser
) -> None:
    token = door.pair("Ponsel 1", gate_id=door.add_gate("A"))
    first, second = (page_before_camera(pdf, number) for number in range(2))
    with phone_at_the_door(filming, service.url, token) as page:
        look_at(page, film, first, service.url)
        expect_verdict(page, "admitted", "Silakan masuk", "Dewi Ayu", "Reguler")
        page.reload()
        expect_verdict(page, "refused", "Stop", "Sudah masuk di gerbang A", "Dewi Ayu")
        page.keyboard.press("Escape")
        make_ready(page)

        cut_network(page.context, page)
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


def entries(door: SeededDoor) -> list[tuple[bool, ScanReason | None]]:
    """Return of each admission whether the phone decided it alone, and what we say against it."""
    told: Any = sa.select(CheckIn.is_offline, CheckIn.objection)
    wanted = told.where(CheckIn.result == ScanResult.ADMITTED).order_by(CheckIn.happened_at)
    return [(row.is_offline, row.objection) for row in door.rows(wanted)]

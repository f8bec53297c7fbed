"""Draw the pictures of docs/door.md: a phone at the door, told by the real service."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.camera import SHARPNESS, Album
from tests.browser.door_camera import Film, Scene, code_before_camera
from tests.browser.door_phone import cut_network, expect_verdict, make_ready, phone_at_the_door
from tests.door.seeding import SeededDoor, seeded_door
from tests.harness.browser import EXECUTABLE, FLAGS
from tests.harness.service import Service

GUESTS = ("Sari Dewi", "Made Wirawan", "Wayan Lestari", "Budi Santoso")
HELD = Scene(size=330, turn=5, tilt=0.08, noise=3)


def draw_door(service: Service, browser: Browser, album: Album) -> None:
    """Draw what a phone at the door shows: a strip for volunteers, and one for organisers.

    The service runs on this machine; gate, phones and guests are written into its database.
    """
    with tempfile.TemporaryDirectory() as folder, seeded_door(service.database_url) as door:
        film = Film(Path(folder))
        token = door.pair("Ponsel 3", gate_id=door.add_gate("A"), lanes="ABCDEF")
        with _filming(browser, film, service.url, token) as page:
            scanner = _Scanner(page, film, door, f"{service.url}/door")
            for name, frames, shows in (
                ("door-volunteer", scanner.volunteer, "the scanner, let in, and three refusals"),
                ("door-organiser", scanner.organiser, "readiness, search, scans, no network"),
            ):
                strip = Album(album.folder, frames=list(frames()))
                strip.save_strip(name, shows)
                album.lines += strip.lines


@contextmanager
def _filming(browser: Browser, film: Film, url: str, token: str) -> Iterator[Page]:
    """Open the scanner in a browser of its own, whose camera sees the film."""
    flags = [*FLAGS, *film.flags]
    other = browser.browser_type.launch(executable_path=EXECUTABLE, args=flags)
    with phone_at_the_door(other, url, token, device_scale_factor=SHARPNESS) as page:
        yield page
    other.close()


class _Scanner:
    """A phone at gate A, and the guests who come by."""

    def __init__(self, page: Page, film: Film, door: SeededDoor, address: str) -> None:
        self.page, self.film, self.door, self.address = page, film, door, address
        lanes_of_this_phone = iter(range(0, 12 * len(GUESTS), 12))
        ticket = door.add_ticket(type="Undangan")
        self.seats = door.sell(
            ticket, len(GUESTS), names=iter(GUESTS), seat_ids=lanes_of_this_phone
        )
        [self.of_lane_k] = door.sell(ticket, names=iter(["Putu Ayu"]), seat_ids=iter([10]))

    def volunteer(self) -> Iterator[Image.Image]:
        """Aim, let in, entered already, none of ours, another lane."""
        self._look_at(self.seats[0].qr_text, blur=6)
        expect(self.page.locator("#view")).to_have_attribute("data-state", "on")
        yield self._look()
        yield self._scan(self.seats[0].qr_text, "admitted", GUESTS[0])
        yield self._scan(self.seats[0].qr_text, "refused", "Sudah masuk")
        yield self._scan("HTTPS://EXAMPLE.COM/MENU", "refused", "Ini bukan tiket kami")
        self.door.set_lane_mode(True)
        yield self._scan(self.of_lane_k.qr_text, "refused", "Jalur K")
        self.door.set_lane_mode(False)

    def organiser(self) -> Iterator[Image.Image]:
        """Ready for the evening, a search, the last scans, and a guest without a network."""
        self._look_at(self.seats[1].qr_text, blur=6)
        make_ready(self.page)
        yield self._drawer("phone")
        self.page.locator("[data-opens=search]").click()
        self.page.locator("#search-text").fill("sari")
        expect(self.page.locator(".hit").first).to_be_visible()
        yield self._look()
        self.page.keyboard.press("Escape")
        cut_network(self.page)
        yield self._scan(self.seats[1].qr_text, "admitted", "Diputuskan di ponsel ini")
        self.page.keyboard.press("Escape")
        yield self._drawer("history")

    def _look_at(self, text: str, *, blur: float = 0) -> None:
        self.film.show(code_before_camera(text, replace(HELD, blur=blur)))
        self.page.goto(self.address)

    def _scan(self, text: str, result: str, words: str) -> Image.Image:
        self._look_at(text)
        expect_verdict(self.page, result, words)
        return self._look()

    def _drawer(self, name: str) -> Image.Image:
        self.page.locator(f"[data-opens={name}]").click()
        picture = self._look()
        self.page.keyboard.press("Escape")
        return picture

    def _look(self) -> Image.Image:
        """Take the screen at once: a verdict does not wait for the network to fall silent."""
        taken = self.page.screenshot(animations="disabled", caret="hide")
        return Image.open(io.BytesIO(taken)).convert("RGB")

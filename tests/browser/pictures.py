"""Draw the pictures of the documentation: `python -m tests.browser.pictures`.

A buyer's story, told once by the real service in a real browser. Everything is invented: event,
people, money. Dates are those of the day it is run.
"""

import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.camera import SHARPNESS, Album
from tests.browser.door_pictures import draw_door
from tests.browser.office_pictures import draw_office, draw_sale
from tests.browser.purchase import (
    ORDER_PAGE,
    choose,
    expect_paid,
    fill_in,
    go_to_pay,
    pay,
)
from tests.harness.browser import browsing, chromium
from tests.harness.database import fresh_sqlite
from tests.harness.processes import ROOT
from tests.harness.service import EVENT, Service
from tests.harness.waiting import eventually

FOLDER = ROOT / "docs" / "img"
README = """\
# Pictures

Drawn by `make pictures` from the running service, with an invented event and invented people: run
it again after a change of pages. Phones are 360 pixels wide, desktops 1280.

{lines}
"""
PATIENCE = 20.0
BUYER = "sari@example.com"
LATE_BUYER = "budi@example.com"
JAKARTA = timezone(timedelta(hours=7))


@dataclass
class Studio:
    """What a chapter of the story needs."""

    service: Service
    browser: Browser
    album: Album
    page: Page

    def order_page(self, email: str) -> str:
        """Return the address of the order page of this buyer's newest invoice."""
        address: str = self._invoice(email)["failure_redirect_url"]
        return address

    def expire_invoice(self, email: str) -> None:
        """Let the buyer's invoice run out, and tell the service."""
        invoice = self._invoice(email)
        self.service.standin.expire(invoice["id"])
        self.service.standin.callback(invoice["id"], status="EXPIRED")

    def pay_late(self, email: str) -> None:
        """Let the buyer pay an invoice that has run out."""
        self.service.standin.pay(self._invoice(email)["id"], after_expiry=True)

    def shoot_order(self, address: str, heading: str, name: str, shows: str) -> None:
        """Take an order page once its heading says what it should; pages at rest are reloaded."""

        def look() -> bool:
            self.page.goto(address)
            return self.page.get_by_role("heading", level=1).inner_text() == heading

        eventually(look, within=PATIENCE, every=0.5, what=heading)
        self.album.shoot(self.page, name, shows)

    def _invoice(self, email: str) -> dict[str, str]:
        found = self.service.standin.invoices()
        return next(each for each in found if each["customer"]["email"] == email)


def event_start() -> datetime:
    """Return a Saturday in about two months, nine o'clock in Jakarta."""
    day = datetime.now(JAKARTA) + timedelta(days=60)
    saturday = day + timedelta(days=(5 - day.weekday()) % 7)
    return saturday.replace(hour=9, minute=0, second=0, microsecond=0)


def draw_catalogue(studio: Studio) -> None:
    """Draw the catalogue: as it is, in the dark, and in English."""
    url, album = f"{studio.service.url}/", studio.album
    studio.page.goto(url)
    album.add_frame(studio.page)
    album.shoot(studio.page, "catalogue", "the catalogue")
    with browsing(studio.browser, color_scheme="dark", device_scale_factor=SHARPNESS) as dark_page:
        dark_page.goto(url)
        album.shoot(dark_page, "catalogue-dark", "the catalogue where the device asks for dark")
    with browsing(studio.browser, locale="en-US", device_scale_factor=SHARPNESS) as english_page:
        english_page.goto(url)
        album.shoot(english_page, "catalogue-english", "the catalogue in English")


def draw_checkout(studio: Studio) -> None:
    """Draw the checkout: sent with mistakes, then filled in; leave for the payment page."""
    page, album = studio.page, studio.album
    choose(page, studio.service, "Reguler", 2)
    fill_in(page, email="sari@example", name="Sari Dewi", phone="0812")
    page.get_by_role("button", name="Bayar").click()
    expect(page.get_by_role("alert")).to_be_visible()
    album.shoot(page, "checkout-refused", "the checkout, sent with two mistakes")

    choose(page, studio.service, "Reguler", 2)
    fill_in(page, email=BUYER)
    page.get_by_label("Reguler, tiket 2").fill("Made Wirawan")
    album.add_frame(page)
    album.shoot(page, "checkout", "the checkout, filled in")
    go_to_pay(page, studio.service)
    album.add_frame(page)
    album.shoot(page, "payment", "the payment page of the local stand-in for Xendit")


def draw_paid_order(studio: Studio) -> None:
    """Draw the order's way from unpaid to paid, its mail and its e-ticket."""
    page, album, service = studio.page, studio.album, studio.service
    invoice_page, order_page = page.url, studio.order_page(BUYER)
    studio.shoot_order(
        order_page, "Bayar untuk mengamankan kursi Anda", "order-payable", "an order to be paid"
    )
    studio.shoot_order(
        f"{order_page}?from=xendit",
        "Pembayaran Anda sedang kami periksa",
        "order-checking",
        "back from the payment page, before Xendit says that it is paid",
    )
    page.goto(invoice_page)
    pay(page, service)
    expect_paid(page)
    expect(page.get_by_text("sudah dikirim")).to_be_visible(timeout=PATIENCE * 1000)
    studio.shoot_order(order_page, "Sampai jumpa!", "order-paid", "a paid order")
    album.add_frame(page)
    shows = "a paid order where the device asks for dark"
    with browsing(studio.browser, color_scheme="dark", device_scale_factor=SHARPNESS) as dark_page:
        dark_page.goto(order_page)
        album.shoot(dark_page, "order-paid-dark", shows)
    page.goto(f"{order_page}/tickets")
    album.shoot_screen(page, "e-tickets-page", "the e-tickets as a page, a code a screen")

    mail = service.mailbox.wait_for_mail(BUYER)
    page.goto(f"{service.mailbox.base_url}/mails/{mail['id']}/html")
    album.shoot(page, "mail", "the mail with the e-tickets, as the mail catcher shows it")
    pdf = service.mailbox.attachment(mail)
    album.shoot_pdf(pdf, "e-ticket", "the first page of the PDF file with the e-tickets")
    album.add_pdf_frame(pdf)


def draw_last_seats(studio: Studio) -> None:
    """Draw what happens around the last seats: expired, snapped up, and paid for too late."""
    page, service = studio.page, studio.service
    choose(page, service, "Early Bird", 2)
    fill_in(page, email=LATE_BUYER, name="Budi Santoso")
    go_to_pay(page, service)
    address = studio.order_page(LATE_BUYER)
    studio.expire_invoice(LATE_BUYER)
    studio.shoot_order(
        address, "Pesanan ini sudah kedaluwarsa", "order-expired", "an order nobody paid in time"
    )

    choose(page, service, "Early Bird", 2)
    fill_in(page, email="slow@example.com", name="Wayan Lestari")
    with browsing(studio.browser) as faster:
        choose(faster, service, "Early Bird", 2)
        fill_in(faster, email="fast@example.com")
        go_to_pay(faster, service)
    page.get_by_role("button", name="Bayar").click()
    expect(page.get_by_role("alert")).to_be_visible()
    studio.album.shoot(
        page, "checkout-sold-out", "the checkout after somebody else took the last seats"
    )

    studio.pay_late(LATE_BUYER)
    studio.shoot_order(
        address,
        "Pembayaran Anda kami terima, tetapi kursinya sudah habis",
        "order-seats-gone",
        "an order paid after its seats had been sold to another",
    )


def draw_troubles(studio: Studio) -> None:
    """Draw what a buyer sees of an address that leads nowhere, and of Xendit's own troubles."""
    studio.page.goto(f"{studio.service.url}/nowhere")
    studio.album.shoot(studio.page, "not-found", "an address that leads nowhere")

    standin = studio.service.standin
    standin.set_fault("error_without_message", call="create", status=400)
    studio.shoot_order(
        order_without_invoice(studio, "ketut@example.com"),
        "Halaman pembayaran tidak dapat kami siapkan",
        "order-failed",
        "an order that Xendit refuses an invoice for",
    )
    standin.clear_faults()
    standin.set_fault("rate_limited", call="create")
    studio.shoot_order(
        order_without_invoice(studio, "patient@example.com"),
        "Kursi Anda sudah kami simpan",
        "order-preparing",
        "an order whose payment page Xendit has no time to make yet",
    )


def order_without_invoice(studio: Studio, email: str) -> str:
    """Send an order while Xendit is in trouble, and return the address of its page."""
    page, service = studio.page, studio.service
    choose(page, service, "Reguler", 1)
    fill_in(page, email=email, name="Putu Ayu")
    page.get_by_role("button", name="Bayar").click()
    page.wait_for_url(re.compile(re.escape(service.url) + ORDER_PAGE.pattern))
    return page.url


def draw(folder: Path, workplace: Path) -> Album:
    """Start the service, tell the whole story, and return the album kept in `folder`."""
    starts_at = event_start().isoformat()
    script = [sys.executable, "scripts/sample-event", starts_at]
    catalogue = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    service = Service(
        fresh_sqlite(workplace),
        workplace,
        settings={"EVENT_STARTS_AT": starts_at},
        standin_options=["--merchant-name", EVENT["EVENT_NAME"]],
    )
    service.start(catalogue=catalogue)
    with ExitStack() as stack:
        stack.callback(service.stop)
        browser = stack.enter_context(chromium(stack.enter_context(sync_playwright())))
        page = stack.enter_context(browsing(browser, device_scale_factor=SHARPNESS))
        studio = Studio(service, browser, Album(folder), page)
        for chapter in (draw_catalogue, draw_checkout, draw_paid_order, draw_last_seats):
            chapter(studio)
        draw_troubles(studio)
        draw_office(service, page, studio.album)
        draw_door(service, browser, studio.album)
        draw_sale(service, page, studio.album)
        studio.album.save_strip(
            "purchase-strip", "a whole purchase: choose, fill in, pay (local stand-in), done, enter"
        )
    return studio.album


def main() -> None:
    """Draw all pictures anew; the old ones go only when the new ones are all there."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as name:
        drawn, workplace = Path(name, "drawn"), Path(name, "service")
        drawn.mkdir()
        workplace.mkdir()
        album = draw(drawn, workplace)
        for old in FOLDER.glob("*.png"):
            old.unlink()
        FOLDER.mkdir(exist_ok=True)
        for picture in drawn.iterdir():
            (FOLDER / picture.name).write_bytes(picture.read_bytes())
    (FOLDER / "README.md").write_text(README.format(lines="\n".join(album.lines)), encoding="utf-8")
    total = sum(picture.stat().st_size for picture in FOLDER.glob("*.png"))
    sys.stdout.write(f"{len(list(FOLDER.glob('*.png')))} pictures, {total // 1024} KiB\n")


if __name__ == "__main__":
    main()

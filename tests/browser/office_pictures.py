"""Draw what the office sees: the sale and its money, the door while people come in."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from app.models import ETicket
from tests.browser.camera import Album
from tests.browser.log_in import log_in
from tests.door.seeding import SeededDoor, seeded_door
from tests.harness.service import Service
from tests.staff.office import PASSWORD, SECRET, code_at

EMAIL = "admin@tedxsenja.example"
SOLD = 240
BUYER = "sari@example.com"  # of the story that the other pictures tell
ORDERS = 600
PAGES = (
    ("orders", "staff-orders", "orders: search, filters, the newest first"),
    ("tickets", "staff-tickets", "the catalogue: what is sold, held and left"),
    ("cases", "staff-cases", "what waits for a person"),
    ("finance?since=2020-01-01", "staff-finance", "finance: what was sold, and where the money is"),
    ("finance/charts", "staff-charts", "charts, each with its table"),
)
# How many people came in at each gate, by five minutes, the last ones now.
ARRIVALS = {"Utara": (2, 5, 9, 14, 18, 23, 17), "Selatan": (0, 2, 6, 8, 13, 11, 15)}


def draw_office(service: Service, page: Page, album: Album) -> None:
    """Draw the pages of staff; gates, seats and arrivals are written into the database."""
    command = ("staff", "add", EMAIL, "--role", "admin", "--password-stdin")
    service.flask(*command, "--totp-secret", SECRET, stdin=PASSWORD)
    with seeded_door(service.database_url) as door:
        _let_people_in(door)
    live = f"{service.url}/staff/door"
    log_in(page, live, EMAIL, lambda: code_at(SECRET, datetime.now(UTC)))
    expect(page.locator("#entered")).to_have_text(str(sum(map(sum, ARRIVALS.values()))))
    album.shoot(page, "staff-live", "live numbers of the door, for staff")
    page.goto(f"{service.url}/staff/door/devices/new")
    page.fill("#name", "Ayu")
    page.get_by_role("button", name="Tambah dan tampilkan kodenya").click()
    expect(page.locator(".big-code")).to_be_visible()
    album.shoot(page, "staff-pairing", "pairing a volunteer's phone: it scans this, or types it")


def _let_people_in(door: SeededDoor) -> None:
    """Sell seats, and let in as many as came at each gate in each five minutes."""
    seats = iter(door.sell(door.add_ticket(type="Mitra"), SOLD))
    now = datetime.now(UTC)
    for gate, counts in ARRIVALS.items():
        door.add_gate(gate)
        for slot, count in enumerate(reversed(counts)):
            ids = [next(seats).e_ticket_id for _ in range(count)]
            moment = now - timedelta(minutes=5 * slot, seconds=30)
            wanted = sa.update(ETicket).where(ETicket.id.in_(ids))
            door.run(wanted.values(admitted_at=moment, admitted_gate=gate, is_inside=True))


def draw_sale(service: Service, page: Page, album: Album) -> None:
    """Draw the office in the middle of a sale; whoever drew the live numbers is still logged in."""
    service.flask("demo-data", "--orders", str(ORDERS), "--add", "--ledger")
    for address, name, shows in PAGES:
        page.goto(f"{service.url}/staff/{address}")
        album.shoot_screen(page, name, shows)
    page.goto(f"{service.url}/staff/orders?q={BUYER}")
    page.locator("main a", has_text="Sari Dewi").first.click()
    expect(page.locator("h1")).to_contain_text("TX")
    album.shoot(page, "staff-order", "an order: facts, what can be done, its whole story")
    page.goto(f"{service.url}/staff/finance/days")
    page.locator("main .button").first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    album.shoot(page, "staff-day", "a day of the ledger, ready to be closed")

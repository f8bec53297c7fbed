"""The drawer about this phone: a gate that is gone, scans of another log-in, and leaving."""

from pathlib import Path

import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from app.models import Gate
from tests.app_factory import make_settings, running_app
from tests.browser.door_phone import (
    cut_network,
    expect_verdict,
    phone_at_the_door,
    scan_by_keys,
)
from tests.door.seeding import seeded_door
from tests.door.web import web_server
from tests.harness.database import fresh_sqlite


def test_an_evening_of_one_phone(browser: Browser, tmp_path: Path) -> None:
    database_url = fresh_sqlite(tmp_path)
    with (
        running_app(make_settings(database_url)) as app,
        web_server(app) as url,
        seeded_door(database_url) as door,
        phone_at_the_door(browser, url, door.pair("Ponsel"), has_camera=False) as page,
    ):
        ticket = door.add_ticket()
        [first, second] = door.sell(ticket, 2)
        gate_id = door.add_gate("VIP", ticket_ids=[ticket])
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"{url}/door")
        page.locator("[data-opens=phone]").click()
        page.locator("#gates").select_option("VIP")
        expect(page.locator("#gate")).to_have_text("Gerbang VIP")
        door.run(sa.update(Gate).where(Gate.id == gate_id).values(retired_at=door.now))
        page.reload()
        expect(page.locator("#gate")).to_have_text("Pilih gerbang")
        scan_by_keys(page, first.qr_text)
        expect_verdict(page, "unchecked", "Gerbang ponsel ini tidak dipakai lagi")

        page.locator("#verdict").click()
        page.locator("[data-opens=phone]").click()
        page.locator("#gates").select_option("")
        expect(page.locator("#gate")).to_have_text("Semua gerbang")
        page.keyboard.press("Escape")
        cut_network(page)
        scan_by_keys(page, second.qr_text)
        expect_verdict(page, "admitted")

        page.context.clear_cookies()
        token = door.pair("Ponsel lain")
        page.context.add_cookies([{"name": "door_device", "value": token, "url": url}])
        page.context.set_offline(False)
        page.reload()
        page.locator("[data-opens=phone]").click()
        page.locator("#take-over").click()
        expect(page.locator("#queue")).to_be_hidden()
        assert len(door.scans_of(second)) == 1
        page.locator("#sign-out").click()
        expect(page.locator("#locked-title")).to_have_text("Semua data di sini sudah dihapus")
        expect(page.locator("#locked-help")).to_contain_text("tidak boleh memindai")
        assert "Ponsel lain" not in door.names_in_use()
        assert "door_device" not in {cookie["name"] for cookie in page.context.cookies()}

"""Scans that wait on a phone go up once, under whoever made them, with a time the server takes."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Request

from app.models import Device
from tests.door.phones import OpenPhone, Phone
from tests.door.seeding import SeededDoor, SoldSeat

BATCH = re.compile(r"/api/check-ins/batch$")
TEN_YEARS_MS = 10 * 365 * 24 * 3_600_000
# As an older version kept a scan: with its code, and of nobody.
AGE = """(code) => door.transact("readwrite", ["queue"], async (queue) => {
  const [{ owner, keyId, ...scan }] = await door.result(queue.getAll());
  queue.put({ ...scan, code });
})"""


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    return []


def note_batches(phone: Phone, sent: list[dict[str, Any]]) -> None:
    def note(request: Request) -> None:
        if BATCH.search(request.url):
            sent.extend(json.loads(request.post_data or "")["checkIns"])

    phone.page.on("request", note)


def become(phone: Phone, token: str) -> None:
    """Be paired anew, as another phone."""
    cookie = {"name": "door_device", "value": token, "url": phone.url}
    phone.context.add_cookies([cookie])  # type: ignore[list-item]
    phone.load()


def scanned_by(door: SeededDoor, seat: SoldSeat) -> Iterator[str]:
    for scan in door.scans_of(seat):
        yield door.rows(sa.select(Device.name).where(Device.id == scan.device_id))[0].name


@pytest.mark.parametrize("is_logged_out_first", [False, True])
def test_what_another_log_in_decided_stays_until_somebody_takes_it_over(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat, is_logged_out_first: bool
) -> None:
    phone = new_phone()
    [mine] = door.sell(door.add_ticket())
    phone.go_offline()
    phone.submit(seat.qr_text)
    phone.go_online()
    if is_logged_out_first:
        become(phone, "nobody")
        assert not phone.sync()
    name = f"Another {seat.seat_id}"
    become(phone, door.pair(name))

    assert phone.sync()
    phone.go_offline()
    phone.submit(mine.qr_text)
    phone.go_online()
    assert phone.sync()

    status = phone.status()
    assert (status["queued"], status["others"], status["sent"]) == (1, 1, 1)
    assert door.scans_of(seat) == []
    assert list(scanned_by(door, mine)) == [name]
    phone.page.evaluate("() => door.takeOver()")
    assert phone.sync()
    assert (phone.queued(), list(scanned_by(door, seat))) == (0, [name])


def test_a_seat_goes_with_its_key_and_without_its_code(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat, sent: list[dict[str, Any]]
) -> None:
    phone = new_phone()
    note_batches(phone, sent)
    [older] = door.sell(door.add_ticket())
    phone.go_offline()
    phone.submit(older.qr_text)
    phone.page.evaluate(AGE, older.qr_text)
    phone.submit(seat.qr_text)
    phone.go_online()

    assert phone.sync()

    tickets = [(scan.get("seatId"), scan.get("keyId"), scan.get("code")) for scan in sent]
    assert tickets == [(older.seat_id, None, None), (seat.seat_id, door.key_id, None)]
    assert (phone.queued(), phone.status()["held"]) == (0, 0)


@pytest.mark.parametrize("year", ["ten years ago", "1970", "in ten years", "12000"])
def test_a_clock_that_was_reset_without_a_network_loses_no_scan(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat, year: str
) -> None:
    phone = new_phone(clock_off=0)
    phone.go_offline()
    phone.set_clock(
        {
            "ten years ago": -TEN_YEARS_MS,
            "1970": 100 - int(time.time() * 1000),
            "in ten years": TEN_YEARS_MS,
            "12000": 1000 * TEN_YEARS_MS,
        }[year]
    )
    assert phone.submit(seat.qr_text)["result"] == "admitted"
    phone.go_online()

    assert phone.sync()

    assert (phone.queued(), phone.status()["held"]) == (0, 0)
    [scan] = door.scans_of(seat)
    assert abs(scan.happened_at.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=2)


def test_after_a_reload_with_a_reset_clock_no_scan_is_older_than_the_last_contact(
    new_phone: OpenPhone, seat: SoldSeat
) -> None:
    phone = new_phone(clock_off=-TEN_YEARS_MS)
    phone.write_meta("clock", {"offset": 0})  # the phone had the right time at that contact
    phone.load()
    phone.go_offline()

    admitted_at = datetime.fromisoformat(phone.submit(seat.qr_text)["admittedAt"])

    assert abs(admitted_at - datetime.now(UTC)) < timedelta(minutes=2)

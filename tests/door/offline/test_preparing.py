"""Tickets on a phone: all of them, soon, naming nobody; gone when the phone may not scan."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from playwright.sync_api import Route

from app.models import ETicket, ScanResult
from tests.door.phones import (
    OpenPhone,
    Phone,
)
from tests.door.seeding import SeededDoor, SoldSeat
from tests.harness.waiting import eventually

PAGES = re.compile(r"/api/door/tickets")
EVERY_SEAT = 5_000
# Whether one of these texts opens the box of this seat.
OPENS = """async ([box, seatId, texts]) => {
  const { openBox } = await import("/static/js/door/box.js");
  const tried = texts.flatMap((text) => [text, text.toUpperCase()]);
  const found = await Promise.all(tried.map((text) => openBox(box, text, seatId)));
  return found.some(Boolean);
}"""

# What the browser does to a wiping, while it clears everything itself at the server's word.
SPOIL_WIPING = """(how) => {
  const real = IDBDatabase.prototype.transaction;
  const endless = { objectStore: () => ({ clear() {}, put() {} }), abort() {} };
  IDBDatabase.prototype.transaction = function (names, ...more) {
    if (names.length < 5) return real.call(this, names, ...more);
    if (how === "never answered") return endless;
    throw new DOMException(how, "AbortError");
  };
}"""
ENDED_BY = """() => import("/static/js/door/sync-link.js").then(({ endedBy }) => endedBy())"""


@pytest.fixture(scope="module", autouse=True)
def sold_out_hall(door: SeededDoor) -> None:
    """Sell as many seats as a large event has."""
    door.sell(door.add_ticket(), EVERY_SEAT)


def test_a_prepared_phone_works_without_network_and_is_brought_in_step_afterwards(
    new_phone: OpenPhone, door: SeededDoor, record_property: Callable[[str, object], None]
) -> None:
    phone = new_phone()
    seat = door.sell(door.add_ticket(type="Kursi"))[0]
    sizes: list[int] = []
    phone.page.on("response", lambda answer: sizes.append(len(answer.body())))
    began = datetime.now(UTC)

    told = phone.prepare()

    took, loaded = (datetime.now(UTC) - began).total_seconds(), sum(sizes)
    record_property("prepared", f"{told[-1]['total']} seats, {loaded} bytes, {took:.2f} s")
    status = phone.status()
    assert status["seats"] == status["total"] == told[-1]["done"] > EVERY_SEAT
    assert loaded < 5_000_000

    phone.go_offline()
    first = phone.submit(seat.qr_text)
    again = phone.submit(seat.qr_text)

    assert (first["result"], first["source"]) == ("admitted", "device")
    assert (first["attendee"], first["code"]) == (seat.attendee, seat.short_code)
    assert (again["result"], again["reason"]) == ("refused", "already_admitted")
    assert again["admittedAt"] == first["admittedAt"]
    assert phone.queued() == 2

    phone.go_online()
    assert phone.sync()
    assert (phone.queued(), phone.status()["sent"]) == (0, 2)
    scans = door.scans_of(seat)
    assert [scan.scan_id for scan in scans] == [first["scanId"], again["scanId"]]
    assert [scan.result for scan in scans] == [ScanResult.ADMITTED, ScanResult.REFUSED]
    assert all(scan.is_offline for scan in scans)
    assert phone.submit(seat.qr_text)["reason"] == "already_admitted"


def test_a_stolen_phone_names_nobody(new_phone: OpenPhone, door: SeededDoor) -> None:
    phone = new_phone()
    seat = door.sell(door.add_ticket())[0]

    phone.prepare()
    phone.submit(seat.qr_text)  # by the server: the name was on the screen
    dumped = phone.dump()

    assert str(seat.seat_id) in dumped
    for secret in (seat.attendee, seat.short_code, seat.qr_text, "Tamu"):
        assert secret not in dumped


def test_nothing_in_the_queue_of_a_stolen_phone_opens_a_name(
    new_phone: OpenPhone, door: SeededDoor
) -> None:
    phone = new_phone()
    seats = door.sell(door.add_ticket(), 3)
    true, typed, unverified = (seat.qr_text for seat in seats)
    phone.prepare()
    phone.go_offline()

    verdicts = [
        phone.submit(code) for code in (true, typed.lower(), "hello", "k5qwy3dp" * 3 + "eh")
    ]
    phone.write_meta("state", {"keys": []})  # as when a new key has not come here yet
    verdicts.append(phone.submit(unverified))

    assert [each["reason"] for each in verdicts] == [
        None,
        None,
        "unknown_code",
        "needs_network",
        "unknown_code",
    ]
    assert verdicts[1]["attendee"] == seats[1].attendee
    assert phone.queued() == 4
    dumped = phone.dump()
    assert not re.search(r"[A-Z2-7]{122}|K5QWY3DP", dumped, re.IGNORECASE)
    texts = set(re.findall(r'"((?:[^"\\]|\\.)*)"', dumped)) - {
        box for _, box in boxes(phone, seats)
    }
    assert any(text and unverified.startswith(text.removesuffix("…")) for text in texts)
    for seat_id, box in boxes(phone, seats):
        assert not phone.page.evaluate(OPENS, [box, seat_id, sorted(texts)])
        codes = [seat.qr_text for seat in seats if seat.seat_id == seat_id]
        assert phone.page.evaluate(OPENS, [box, seat_id, codes]), "a ticket itself opens it"


def boxes(phone: Phone, seats: list[SoldSeat]) -> list[tuple[int, str]]:
    """Return the seats' boxes on the phone."""
    read = "(seatIds) => Promise.all(seatIds.map(async (id) => [id, await door.readBox(id)]))"
    found = phone.page.evaluate(read, [seat.seat_id for seat in seats])
    return [(seat_id, box) for seat_id, box in found]


def test_a_broken_preparation_goes_on_where_it_broke(new_phone: OpenPhone) -> None:
    phone = new_phone()
    asked: list[str] = []

    def break_off(route: Route) -> None:
        asked.append(route.request.url.rsplit("=")[-1])
        if len(asked) == 3:
            route.abort()
        else:
            route.continue_()

    phone.page.route(PAGES, break_off)
    broken = phone.page.evaluate("() => door.prepare().then(() => null, ({ code }) => code)")
    assert broken == "unreachable"
    told = phone.prepare()

    assert asked.count("0") == 1
    assert asked[2] == asked[3]
    assert phone.status()["seats"] == told[-1]["total"]


def test_seats_sold_since_and_codes_made_anew_come_by_themselves(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    phone.prepare()
    [new] = door.sell(door.add_ticket(), at=datetime.now(UTC))
    phone.sync()
    assert str(new.seat_id) in phone.dump()

    renewed = sa.update(ETicket).where(ETicket.id == seat.e_ticket_id)
    door.run(renewed.values(seat_id=seat.seat_id ^ 1))
    phone.write_meta("preparation", {"wholeAt": 0})  # not loaded as a whole a moment ago
    phone.sync()

    dumped = phone.dump()
    assert str(seat.seat_id ^ 1) in dumped
    assert str(seat.seat_id) not in dumped


def test_a_phone_that_was_cut_off_forgets_everything(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    tab = Phone(phone.context, phone.url)
    phone.prepare()
    phone.go_offline()
    phone.submit(seat.qr_text)
    phone.go_online()
    phone.page.evaluate("() => localStorage.setItem('left', 'what no script of ours wipes')")
    door.cut_off(phone.status()["device"]["name"])

    assert not phone.sync()
    assert not phone.sync()  # its cookie is gone as well by now

    assert phone.status()["locked"] == "device_cut_off"
    assert phone.page.evaluate("() => localStorage.length") == 0
    assert re.sub(r'"[0-9a-f-]{36}"', "", phone.dump()) == (
        '[["seats",[],[]],["refused",[],[]],["standing",[],[]],["queue",[],[]],["meta",["epoch"],[]]]'
    )
    eventually(lambda: tab.status()["locked"] == "device_cut_off", what="the other tab knows")
    tab.go_offline()
    assert tab.submit("hello")["reason"] == "not_prepared"


@pytest.mark.parametrize("how", ["broken into", "never answered"])
def test_a_phone_that_was_cut_off_is_shut_whatever_becomes_of_its_wiping(
    new_phone: OpenPhone, door: SeededDoor, how: str
) -> None:
    phone = new_phone()
    phone.page.evaluate(SPOIL_WIPING, how)
    door.cut_off(phone.status()["device"]["name"])

    phone.page.evaluate("() => { door.syncNow(); }")

    eventually(lambda: phone.page.evaluate(ENDED_BY) == "device_cut_off", what="it is shut")


def test_who_is_logged_out_keeps_only_what_nobody_has_heard_of(
    new_phone: OpenPhone, seat: SoldSeat
) -> None:
    phone = new_phone()
    phone.go_offline()
    phone.submit(seat.qr_text)
    phone.go_online()
    phone.context.clear_cookies()

    assert not phone.sync()

    status = phone.status()
    assert (status["locked"], status["queued"]) == ("door_login_required", 1)
    assert status["device"] is None

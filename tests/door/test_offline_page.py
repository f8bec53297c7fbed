"""A phone at the door whose network comes and goes, in Chromium against the real service."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Playwright, Route

from app.models import (
    DeviceRole,
    ETicket,
    Order,
    OrderStatus,
    ScanReason,
    ScanResult,
)
from tests.app_factory import empty_tables, make_settings, running_app
from tests.door.phones import (
    DECIDE_AT,
    Holding,
    Phone,
    close,
    lose_answer,
    open_phone,
    wait_until_sent,
)
from tests.door.seeding import SeededDoor, SoldSeat, seeded_door
from tests.door.web import web_server
from tests.harness.browser import EXECUTABLE, FLAGS
from tests.harness.waiting import eventually

CHECK_INS = re.compile(r"/api/check-ins$")
BATCH = re.compile(r"/api/check-ins/batch$")
PAGES = re.compile(r"/api/door/tickets")
EVERY_SEAT = 5_000
HOUR_MS = 3_600_000
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def address(migrated_mariadb: str) -> Iterator[str]:
    """The service on MariaDB behind a small web server, for all tests of this file."""
    empty_tables(migrated_mariadb)
    with running_app(make_settings(migrated_mariadb)) as app, web_server(app) as url:
        yield url


@pytest.fixture(scope="module")
def door(address: str, migrated_mariadb: str) -> Iterator[SeededDoor]:
    """Its door, with 5,000 seats sold."""
    with seeded_door(migrated_mariadb) as opened:
        opened.sell(opened.add_ticket(), EVERY_SEAT)
        yield opened


class OpenPhone(Protocol):
    """Open a newly paired phone that has heard of the server once."""

    def __call__(
        self,
        *,
        lanes: str = "",
        role: DeviceRole = DeviceRole.SCANNER,
        clock_off: int | None = None,
    ) -> Phone: ...


@pytest.fixture
def new_phone(browser: Browser, address: str, door: SeededDoor) -> Iterator[OpenPhone]:
    with ExitStack() as opened:

        def open_one(
            *,
            lanes: str = "",
            role: DeviceRole = DeviceRole.SCANNER,
            clock_off: int | None = None,
        ) -> Phone:
            token = door.pair(f"Phone {next(numbers)}", lanes=lanes, role=role)
            one: AbstractContextManager[Phone] = open_phone(
                browser, address, token, clock_off=clock_off
            )
            phone = opened.enter_context(one)
            assert phone.sync()
            return phone

        yield open_one


@pytest.fixture
def seat(door: SeededDoor) -> SoldSeat:
    [sold] = door.sell(door.add_ticket())
    return sold


# --- prepared ------------------------------------------------------------------------------------


def test_a_prepared_phone_works_without_network_and_is_brought_in_step_afterwards(
    new_phone: OpenPhone, door: SeededDoor, record_property: Callable[[str, object], None]
) -> None:
    phone = new_phone()
    seat = door.sell(door.add_ticket(type=f"Kursi {next(numbers)}"))[0]
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


# --- deciding alone ------------------------------------------------------------------------------


def test_what_the_server_refuses_the_phone_refuses_too(
    new_phone: OpenPhone, door: SeededDoor
) -> None:
    ticket_id = door.add_ticket(admit_from=door.now + timedelta(hours=2))
    early, revoked, cancelled = door.sell(ticket_id, 3)
    [lonely] = door.sell(ticket_id)
    door.run(
        sa.update(ETicket).where(ETicket.id == revoked.e_ticket_id).values(revoked_at=door.now)
    )
    door.run(
        sa.update(Order).where(Order.id == lonely.order_id).values(status=OrderStatus.CANCELLED)
    )
    phone = new_phone()
    foreign = cancelled.qr_text[:-20] + "A" * 20

    phone.go_offline()
    reasons = [
        phone.submit(code)["reason"]
        for code in (early.qr_text, revoked.qr_text, lonely.qr_text, foreign, "hello")
    ]

    assert reasons == [
        "outside_period",
        "revoked",
        "order_cancelled",
        "unknown_code",
        "unknown_code",
    ]
    assert phone.queued() == 5


def test_codes_only_the_server_knows_wait_for_a_network(
    new_phone: OpenPhone, seat: SoldSeat
) -> None:
    phone = new_phone()

    phone.go_offline()
    typed = phone.submit(seat.short_code)
    unsigned = phone.submit("K5QWY3DPEHPK3PXPK5QWY3DPEH")
    phone.go_online()

    for verdict in (typed, unsigned):
        assert (verdict["result"], verdict["reason"]) == ("unchecked", "needs_network")
    assert phone.queued() == 0
    assert phone.submit(seat.short_code)["result"] == "admitted"


def test_two_tabs_of_one_phone_admit_a_seat_once(new_phone: OpenPhone, door: SeededDoor) -> None:
    codes = [seat.qr_text for seat in door.sell(door.add_ticket(), 12)]
    phone = new_phone()
    tabs = [phone, Phone(phone.context, phone.url)]
    phone.go_offline()

    moment = int(datetime.now(UTC).timestamp() * 1000) + 300
    for tab in tabs:
        tab.page.evaluate(DECIDE_AT, {"moment": moment, "codes": codes})
    both = [tab.page.evaluate("() => window.decided") for tab in tabs]

    for one, other in zip(*both, strict=True):
        assert {one["result"], other["result"]} == {"admitted", "refused"}
    assert phone.queued() == 24
    assert tabs[1].problems == []


def test_a_wrong_clock_decides_and_dates_rightly(new_phone: OpenPhone, door: SeededDoor) -> None:
    """Phones often set their clock right when the network comes back: after the scan."""
    just_now = datetime.now(UTC) - timedelta(minutes=20)
    [first, second] = door.sell(door.add_ticket(admit_from=just_now), 2)
    phone = new_phone(clock_off=-HOUR_MS)
    assert abs(phone.status()["clockOff"] - HOUR_MS) < 5_000

    phone.go_offline()
    assert phone.submit(first.qr_text)["result"] == "admitted"
    phone.go_online()
    assert phone.sync()
    phone.go_offline()
    assert phone.submit(second.qr_text)["result"] == "admitted"
    phone.write_meta("state", {"syncedAt": "2026-01-01T00:00:00Z"})  # it was away for long
    phone.set_clock(0)
    phone.go_online()
    assert phone.sync()

    for seat in (first, second):
        [scan] = door.scans_of(seat)
        assert abs(scan.happened_at.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=2)
        assert scan.objection is None


def test_phones_with_lanes_of_their_own_never_admit_one_ticket_twice(
    new_phone: OpenPhone, door: SeededDoor
) -> None:
    seats = door.sell(door.add_ticket(), 12, seat_ids=iter(range(10**12, 10**12 + 12)))
    door.set_lane_mode(True)
    try:
        lanes = ["ABCD", "EFGH", "IJKL"]
        phones = [new_phone(lanes=letters) for letters in lanes]
        boss = new_phone(role=DeviceRole.SUPERVISOR)
        for phone in phones[:2]:
            phone.sync()  # to hear of the phones paired after them
        for phone in (*phones, boss):
            phone.go_offline()
        verdicts = [[phone.submit(seat.qr_text) for seat in seats] for phone in phones]

        for of_one_seat in zip(*verdicts, strict=True):
            assert sorted(v["result"] for v in of_one_seat) == ["admitted", "refused", "refused"]
            [served] = [lanes[n] for n, v in enumerate(of_one_seat) if v["result"] == "admitted"]
            for verdict in (v for v in of_one_seat if v["result"] == "refused"):
                assert verdict["reason"] == "wrong_lane"
                assert verdict["lane"] in served
                assert verdict["lanes"] != served
                assert [phone["name"] for phone in verdict["sendTo"]] != []
        assert boss.submit(seats[0].qr_text)["result"] == "admitted"
    finally:
        door.set_lane_mode(False)


# --- back again ----------------------------------------------------------------------------------


def test_what_waits_survives_the_end_of_the_browser(
    playwright: Playwright, address: str, door: SeededDoor, seat: SoldSeat, tmp_path: Path
) -> None:
    token = door.pair(f"Phone {next(numbers)}")

    def open_browser() -> Phone:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path), executable_path=EXECUTABLE, args=list(FLAGS)
        )
        context.add_cookies([{"name": "door_device", "value": token, "url": address}])
        return Phone(context, address)

    phone = open_browser()
    phone.sync()
    phone.go_offline()
    admitted = phone.submit(seat.qr_text)
    phone.go_online()
    phone.load()  # a reload
    assert phone.queued() == 1
    close(phone.context)

    phone = open_browser()
    try:
        assert phone.queued() == 1
        assert phone.sync()
        assert phone.queued() == 0
    finally:
        close(phone.context)
    assert [scan.scan_id for scan in door.scans_of(seat)] == [admitted["scanId"]]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_both_entries_on_one_ticket_are_kept_whoever_tells_first(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat, order: tuple[int, int]
) -> None:
    phones = [new_phone(), new_phone()]
    for phone in phones:
        phone.go_offline()
        assert phone.submit(seat.qr_text)["result"] == "admitted"

    for place in order:
        phones[place].go_online()
        assert phones[place].sync()

    first, second = door.scans_of(seat)
    assert [scan.result for scan in (first, second)] == [ScanResult.ADMITTED] * 2
    assert second.objection is ScanReason.ALREADY_ADMITTED
    [(admitted_at,)] = door.rows(
        sa.select(ETicket.admitted_at).where(ETicket.id == seat.e_ticket_id)
    )
    assert admitted_at == first.happened_at


def test_a_slow_server_is_not_waited_for_and_its_late_answer_counts(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    holding = Holding(phone.page, CHECK_INS)

    verdict = phone.submit(seat.qr_text)
    assert (verdict["result"], verdict["source"]) == ("admitted", "device")
    assert phone.queued() == 1
    holding.let_go()

    wait_until_sent(phone)
    [scan] = door.scans_of(seat)
    assert (scan.scan_id, scan.result) == (verdict["scanId"], ScanResult.ADMITTED)


def test_a_lost_answer_leaves_one_record(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    lose_answer(phone.page, CHECK_INS)

    verdict = phone.submit(seat.qr_text)
    assert (verdict["result"], verdict["source"]) == ("admitted", "device")
    assert phone.sync()

    [scan] = door.scans_of(seat)
    assert (scan.scan_id, scan.objection) == (verdict["scanId"], None)
    assert phone.queued() == 0


def test_what_the_guest_was_told_is_the_record_when_the_server_had_said_no(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    elsewhere, phone = new_phone(), new_phone()
    elsewhere.submit(seat.qr_text)
    lose_answer(phone.page, CHECK_INS)

    verdict = phone.submit(seat.qr_text)
    assert verdict["result"] == "admitted"
    assert phone.sync()

    _, scan = door.scans_of(seat)
    assert (scan.scan_id, scan.result) == (verdict["scanId"], ScanResult.ADMITTED)
    assert scan.objection is ScanReason.ALREADY_ADMITTED
    phone.go_offline()
    assert phone.submit(seat.qr_text)["reason"] == "already_admitted"


@pytest.mark.parametrize("status", [503, 429, 422])
def test_what_the_server_does_not_take_stays_here(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat, status: int
) -> None:
    phone = new_phone()
    phone.go_offline()
    phone.submit(seat.qr_text)
    phone.go_online()
    problem = {"status": status, "json": {"code": "busy"}}
    phone.page.route(BATCH, lambda route: route.fulfill(**problem))

    assert not phone.sync()
    assert phone.queued() == 1

    phone.page.unroute(BATCH)
    assert phone.sync()
    assert phone.queued() == 0
    assert len(door.scans_of(seat)) == 1


def test_one_scan_the_server_cannot_read_holds_up_no_other(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    phone.go_offline()
    phone.page.evaluate("""() => door.transact("readwrite", ["queue"], async (queue) =>
      void queue.add({ scanId: crypto.randomUUID(), code: "", at: new Date().toISOString(),
        gate: null, direction: "in", result: "refused", reason: "unknown_code" }))""")
    phone.submit(seat.qr_text)
    phone.go_online()

    assert phone.sync()

    status = phone.status()
    assert (status["queued"], status["held"]) == (1, 1)
    assert len(door.scans_of(seat)) == 1


def test_it_returns_to_the_server_by_itself(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    [other] = door.sell(door.add_ticket())
    phone.start()
    phone.go_offline()
    assert phone.submit(seat.qr_text)["source"] == "device"
    assert phone.status()["isOnline"] is False

    phone.go_online()

    eventually(lambda: phone.status()["isOnline"], what="the phone is online again")
    wait_until_sent(phone)
    assert phone.submit(other.qr_text)["source"] == "server"


def test_what_the_server_let_in_is_known_here_at_once(new_phone: OpenPhone, seat: SoldSeat) -> None:
    phone, other = new_phone(), new_phone()
    phone.submit(seat.qr_text)
    other.sync()

    for each in (phone, other):
        each.go_offline()
        assert each.submit(seat.qr_text)["reason"] == "already_admitted"


# --- the end -------------------------------------------------------------------------------------


def test_a_phone_that_was_cut_off_forgets_everything(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    tab = Phone(phone.context, phone.url)
    phone.prepare()
    phone.go_offline()
    phone.submit(seat.qr_text)
    phone.go_online()
    door.cut_off(phone.status()["device"]["name"])

    assert not phone.sync()
    assert not phone.sync()  # its cookie is gone as well by now

    assert phone.status()["locked"] == "device_cut_off"
    assert re.sub(r'"[0-9a-f-]{36}"', "", phone.dump()) == (
        '[["seats",[],[]],["refused",[],[]],["standing",[],[]],["queue",[],[]],["meta",["epoch"],[]]]'
    )
    eventually(lambda: tab.status()["locked"] == "device_cut_off", what="the other tab knows")
    tab.go_offline()
    assert tab.submit("hello")["reason"] == "not_prepared"


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


def test_signing_out_sends_what_waits_and_forgets_the_rest(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    phone.go_offline()
    phone.submit(seat.qr_text)
    assert phone.page.evaluate("() => door.signOut()") == 1
    assert phone.queued() == 1

    phone.go_online()
    assert phone.page.evaluate("() => door.signOut()") == 0

    assert len(door.scans_of(seat)) == 1
    assert phone.status()["device"] is None

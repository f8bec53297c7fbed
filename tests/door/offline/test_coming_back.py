"""What a phone decided alone reaches the server whole and once, however the network behaves."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Playwright, Request, Route

from app.models import ETicket, ScanReason, ScanResult
from tests.door.phones import (
    Holding,
    OpenPhone,
    Phone,
    close,
    lose_answer,
    wait_until_sent,
)
from tests.door.seeding import SeededDoor, SoldSeat
from tests.harness.browser import EXECUTABLE, FLAGS
from tests.harness.waiting import eventually

CHECK_INS = re.compile(r"/api/check-ins$")
SYNC = re.compile(r"/api/door/sync$")
BATCH = re.compile(r"/api/check-ins/batch$")


def test_what_waits_survives_the_end_of_the_browser(
    playwright: Playwright, address: str, door: SeededDoor, seat: SoldSeat, tmp_path: Path
) -> None:
    token = door.pair("Phone of its own")

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
    phone = new_phone(is_patient=False)
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

    [scan] = [scan for scan in door.scans_of(seat) if scan.scan_id == verdict["scanId"]]
    assert scan.result is ScanResult.ADMITTED
    assert scan.objection is ScanReason.ALREADY_ADMITTED
    phone.go_offline()
    assert phone.submit(seat.qr_text)["reason"] == "already_admitted"


def test_what_the_server_does_not_take_stays_here(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    phone.go_offline()
    phone.submit(seat.qr_text)
    phone.go_online()
    for status in (503, 500, 429, 422):
        phone.page.route(BATCH, answering(status))
        assert not phone.sync(), status
        assert phone.queued() == 1, status
        phone.page.unroute(BATCH)

    assert phone.sync()
    assert phone.queued() == 0
    assert len(door.scans_of(seat)) == 1


def answering(status: int) -> Callable[[Route], None]:
    """Return what answers a request with a problem of this status."""

    def answer(route: Route) -> None:
        route.fulfill(status=status, json={"code": "busy"})

    return answer


def test_a_long_queue_goes_in_small_batches_the_oldest_first(
    new_phone: OpenPhone, door: SeededDoor
) -> None:
    seats = door.sell(door.add_ticket(), 51)
    phone = new_phone()
    phone.go_offline()
    codes = [seat.qr_text for seat in seats]
    phone.page.evaluate(
        """async (codes) => { for (const code of codes) await door.decideOffline(code, "in"); }""",
        codes,
    )
    phone.go_online()
    sent: list[list[int]] = []

    def note(request: Request) -> None:
        if BATCH.search(request.url):
            body = json.loads(request.post_data or "")
            sent.append([scan["seatId"] for scan in body["checkIns"]])

    phone.page.on("request", note)
    assert phone.sync()

    seat_ids = [seat.seat_id for seat in seats]
    assert sent == [seat_ids[:50], seat_ids[50:]]
    assert phone.queued() == 0


def test_a_hotspots_log_in_page_is_no_answer(new_phone: OpenPhone, seat: SoldSeat) -> None:
    phone = new_phone()
    page = {"status": 200, "content_type": "text/html", "body": "<h1>Log in to the hotspot</h1>"}
    phone.page.route(CHECK_INS, lambda route: route.fulfill(**page))

    verdict = phone.submit(seat.qr_text)

    assert (verdict["result"], verdict["source"]) == ("admitted", "device")


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
    assert (status["queued"], status["held"], status["sent"]) == (1, 1, 1)
    assert len(door.scans_of(seat)) == 1
    asked: list[str] = []
    phone.page.on("request", lambda request: asked.append(request.url))
    assert phone.sync()
    assert asked != []
    assert not any(BATCH.search(url) for url in asked), "it is not sent again"


def test_a_scan_id_that_is_taken_is_kept_apart(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    [other] = door.sell(door.add_ticket())
    scan_id = phone.submit(other.qr_text)["scanId"]
    phone.go_offline()
    decide = "([code, scanId]) => door.decideOffline(code, 'in', scanId)"
    phone.page.evaluate(decide, [seat.qr_text, scan_id])
    phone.go_online()

    assert phone.sync()

    assert (phone.status()["held"], door.scans_of(seat)) == (1, [])
    phone.go_offline()
    assert phone.submit(seat.qr_text)["reason"] == "already_admitted", "it knows of it still"


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


def test_an_answer_from_before_the_network_went_is_no_network(
    new_phone: OpenPhone, seat: SoldSeat
) -> None:
    phone = new_phone()
    answers: list[Callable[[], None]] = []

    def keep_answer(route: Route) -> None:
        answer = route.fetch()
        answers.append(lambda: route.fulfill(response=answer))

    phone.page.route(SYNC, keep_answer)
    phone.page.evaluate("() => { window.syncing = door.syncNow(); }")
    eventually(lambda: phone.status() and answers, what="the server has answered")
    phone.go_offline()
    answers[0]()

    assert phone.page.evaluate("() => window.syncing"), "the answer is heard"
    assert phone.status()["isOnline"] is False
    assert phone.submit(seat.qr_text)["source"] == "device"


def test_what_the_server_let_in_is_known_here_at_once(new_phone: OpenPhone, seat: SoldSeat) -> None:
    phone, other = new_phone(), new_phone()
    phone.submit(seat.qr_text)
    other.sync()

    for each in (phone, other):
        each.go_offline()
        assert each.submit(seat.qr_text)["reason"] == "already_admitted"


def test_a_phone_that_can_keep_nothing_still_asks_the_server(
    new_phone: OpenPhone, seat: SoldSeat
) -> None:
    phone = new_phone()
    phone.context.add_init_script("IDBFactory.prototype.open = () => { throw new Error('full'); }")
    phone.load()

    assert phone.submit(seat.qr_text)["source"] == "server"

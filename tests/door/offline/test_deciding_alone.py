"""A phone without network decides as the server would, and never twice for one ticket."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from app.models import DeviceRole, ETicket, Order, OrderStatus
from tests.door.phones import DECIDE_AT, OpenPhone, Phone
from tests.door.seeding import SeededDoor, SoldSeat

HOUR_MS = 3_600_000


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
        assert verdict["source"] is None
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


def test_in_lane_mode_exactly_one_phone_admits_a_ticket(
    new_phone: OpenPhone, door: SeededDoor
) -> None:
    """Scanners whose letters overlap or leave some out, and two supervisors."""
    seats = door.sell(door.add_ticket(), 12, seat_ids=iter(range(10**12, 10**12 + 12)))
    for name in door.names_in_use():
        door.cut_off(name)  # phones of the tests before
    door.set_lane_mode(True)
    try:
        phones = [new_phone(lanes=letters) for letters in ("ABCDE", "EFGH")]
        phones += [new_phone(role=DeviceRole.SUPERVISOR) for _ in range(2)]
        for phone in phones:
            phone.sync()  # to hear of the phones paired after it
            phone.go_offline()
        verdicts = [[phone.submit(seat.qr_text) for seat in seats] for phone in phones]
    finally:
        door.set_lane_mode(False)

    names = [phone.status()["device"]["name"] for phone in phones]
    for of_one_seat in zip(*verdicts, strict=True):
        [served] = [n for n, v in enumerate(of_one_seat) if v["result"] == "admitted"]
        for verdict in (v for v in of_one_seat if v["result"] == "refused"):
            assert verdict["reason"] == "wrong_lane"
            assert [phone["name"] for phone in verdict["sendTo"]] == [names[served]]

"""What changes while a phone is in use: a check-in taken back, a gate that is no more."""

import pytest
import sqlalchemy as sa

from app.models import Gate
from tests.door.phones import OpenPhone, Phone
from tests.door.seeding import SeededDoor, SoldSeat
from tests.harness.waiting import eventually

UNDO = "(scan) => door.undo(scan)"
# Nobody entered on this seat, as far as the phone knows.
IS_FREE = """(seatId) => door.transact("readonly", ["standing"], async (standing) => {
  const known = await door.result(standing.get(seatId));
  return !known?.admittedAt && !known?.isInside;
})"""


@pytest.mark.parametrize("way", ["scanned", "typed"])
def test_a_guest_whose_check_in_was_undone_enters_without_a_network(
    new_phone: OpenPhone, seat: SoldSeat, way: str
) -> None:
    phone = new_phone()
    verdict = phone.submit(seat.qr_text if way == "scanned" else seat.short_code)

    phone.page.evaluate(UNDO, verdict)
    eventually(lambda: is_free(phone, seat), what="the phone knows that it was undone")
    phone.go_offline()

    again = phone.submit(seat.qr_text)
    assert (again["result"], again["source"]) == ("admitted", "device")


def test_an_undone_check_in_is_known_before_the_next_contact(
    new_phone: OpenPhone, seat: SoldSeat
) -> None:
    phone = new_phone()
    verdict = phone.submit(seat.qr_text)
    phone.page.route("**/api/door/sync", lambda route: route.abort())

    phone.page.evaluate(UNDO, verdict)

    assert is_free(phone, seat)


def is_free(phone: Phone, seat: SoldSeat) -> bool:
    """Tell whether nobody entered on a seat, as far as the phone knows."""
    return bool(phone.page.evaluate(IS_FREE, seat.seat_id))


@pytest.mark.parametrize("change", ["retired", "renamed"])
def test_a_phone_whose_gate_is_gone_admits_nobody_before_another_is_chosen(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat, change: str
) -> None:
    name = f"VIP {seat.seat_id}"
    gate_id = door.add_gate(name, ticket_ids=[door.add_ticket()])
    phone = new_phone()
    choose(phone, name)
    assert phone.submit(seat.qr_text)["reason"] == "wrong_ticket"
    new = {"retired_at": door.now} if change == "retired" else {"name": f"New {seat.seat_id}"}
    door.run(sa.update(Gate).where(Gate.id == gate_id).values(**new))
    assert phone.sync()

    online = phone.submit(seat.qr_text)
    phone.go_offline()
    alone = phone.submit(seat.qr_text)

    for verdict in (online, alone):
        assert (verdict["result"], verdict["reason"]) == ("unchecked", "gate_gone")
    assert phone.queued() == 0
    choose(phone, None)
    assert phone.submit(seat.qr_text)["result"] == "admitted"


def choose(phone: Phone, name: str | None) -> None:
    """Say where the phone stands."""
    phone.page.evaluate("(name) => door.chooseGate(name)", name)

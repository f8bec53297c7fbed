"""A phone that is told to forget everything gives up its access too, with or without a network."""

import pytest
import sqlalchemy as sa

from app.models import Device
from tests.door.phones import OpenPhone, Phone
from tests.door.seeding import SeededDoor, SoldSeat
from tests.harness.waiting import eventually

SUBMIT = "(code) => door.submit({ code }).then(() => null, (error) => error.code)"


def sign_out(phone: Phone, *, even_unsent: bool = False) -> int:
    """Forget the phone; return how many scans stood in the way."""
    left: int = phone.page.evaluate("(evenUnsent) => door.signOut({ evenUnsent })", even_unsent)
    return left


def refusal(phone: Phone, code: str) -> str | None:
    """Return why the phone may not scan; None when it may."""
    why: str | None = phone.page.evaluate(SUBMIT, code)
    return why


def is_cut_off(door: SeededDoor, name: str) -> bool:
    [(cut_off_at,)] = door.rows(sa.select(Device.cut_off_at).where(Device.name == name))
    return cut_off_at is not None


def test_signing_out_sends_what_waits_and_ends_the_access(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    name = phone.status()["device"]["name"]
    phone.go_offline()
    phone.submit(seat.qr_text)
    assert sign_out(phone) == 1
    assert phone.queued() == 1

    phone.go_online()
    assert sign_out(phone) == 0

    assert len(door.scans_of(seat)) == 1
    assert (phone.status()["device"], phone.status()["locked"]) == (None, "signed_out")
    assert is_cut_off(door, name)
    assert phone.context.cookies() == []
    phone.load()
    assert refusal(phone, seat.qr_text) == "door_login_required"


def test_without_a_network_the_access_ends_with_the_next_contact(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat
) -> None:
    phone = new_phone()
    name = phone.status()["device"]["name"]
    phone.go_offline()
    phone.submit(seat.qr_text)

    assert sign_out(phone, even_unsent=True) == 0

    assert (phone.queued(), phone.status()["locked"]) == (0, "leaving")
    assert refusal(phone, seat.qr_text) == "leaving"
    assert not phone.sync()
    phone.go_online()
    phone.load()
    assert refusal(phone, seat.qr_text) == "leaving", "nor after a reload"
    assert not is_cut_off(door, name)
    phone.start()
    eventually(lambda: phone.status()["locked"] == "signed_out", what="the server knows")
    assert is_cut_off(door, name)
    assert door.scans_of(seat) == []


@pytest.mark.parametrize("is_another", [False, True])
def test_a_phone_paired_anew_meanwhile_keeps_its_new_access(
    new_phone: OpenPhone, door: SeededDoor, seat: SoldSeat, is_another: bool
) -> None:
    phone = new_phone()
    phone.go_offline()
    sign_out(phone)
    if is_another:
        token = door.pair(f"Paired anew {seat.seat_id}")
        phone.context.add_cookies([{"name": "door_device", "value": token, "url": phone.url}])
    phone.go_online()
    phone.load()

    assert phone.sync()

    assert phone.status()["locked"] == "signed_out"
    phone.load()
    assert refusal(phone, seat.qr_text) == (None if is_another else "door_login_required")

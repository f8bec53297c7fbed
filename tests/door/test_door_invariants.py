"""The door's invariants: silent at an ordinary evening, and naming each thing that is not so."""

from datetime import timedelta

import pytest

from app.models import CheckIn, Direction, ETicket, ScanReason, ScanResult
from tests.door.world import START, DoorWorld, Guest


@pytest.fixture
def guest(world: DoorWorld) -> Guest:
    """A guest who came, went and came back at a gate with re-entry."""
    world.gate("A", has_reentry=True, has_exit=True)
    seat, phone = world.guest(), world.phone()
    for direction in ("in", "out", "in"):
        phone.scan(seat.qr_text, direction=direction)
        world.pass_time(minutes=1)
    phone.scan("unknown")
    assert world.violations() == []
    return seat


def test_an_entry_other_than_the_first_that_stands_is_found(world: DoorWorld, guest: Guest) -> None:
    world.change(ETicket, admitted_at=START + timedelta(seconds=1))
    [violation] = world.violations()
    assert violation.startswith(f"e-ticket {guest.code}: admitted at 2027-01-23")


def test_an_entry_that_the_seat_does_not_know_of_is_found(world: DoorWorld, guest: Guest) -> None:
    world.change(ETicket, admitted_at=None)
    assert len(world.violations()) == 1


def test_an_entry_that_no_scan_made_is_found(world: DoorWorld, guest: Guest) -> None:
    other = world.guest()
    world.change(ETicket, ETicket.id == other.e_ticket_id, admitted_at=START)
    [violation] = world.violations()
    assert other.code in violation


def test_a_guest_who_is_elsewhere_than_said_is_found(world: DoorWorld, guest: Guest) -> None:
    world.change(ETicket, is_inside=False)
    assert world.violations() == [
        f"e-ticket {guest.code}: its last scan went the other way than where it is said to be"
    ]


def test_two_entries_without_an_exit_between_are_found(world: DoorWorld, guest: Guest) -> None:
    is_exit = CheckIn.direction == Direction.OUT
    world.change(CheckIn, is_exit, result=ScanResult.REFUSED, reason=ScanReason.NOT_INSIDE)
    assert world.violations() == [
        f"e-ticket {guest.code}: admitted twice online without an exit between"
    ]


def test_a_second_entry_stays_right_when_the_exit_is_taken_back(
    world: DoorWorld, guest: Guest
) -> None:
    world.change(CheckIn, CheckIn.direction == Direction.OUT, undone_at=START)
    assert world.violations() == []


@pytest.mark.parametrize("reason", [None, ScanReason.REVOKED])
def test_a_result_that_does_not_go_with_its_reason_is_found(
    world: DoorWorld, guest: Guest, reason: ScanReason | None
) -> None:
    result = ScanResult.REFUSED if reason is None else ScanResult.ADMITTED
    world.change(CheckIn, CheckIn.result == result, reason=reason)
    assert world.violations()

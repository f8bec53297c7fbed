"""Acting on an order: each move does all of it, in step, and nothing on a stale page."""

from collections.abc import Callable

import pytest
from flask import Flask

from app.extensions import db
from app.models import Order, OrderStatus, ReplacedSeat
from app.services.door.seats import find_seat
from app.services.money.refunds import SEND_REFUND
from app.services.office import order_correcting, order_ending, seat_changing
from app.services.office.order_actions import MoveKind, MoveNotPossible, OrderChanged, possible
from app.services.office.order_print import Part
from app.services.office.seat_changing import SeatWish
from app.services.office.updated_etickets import SEND_UPDATED
from app.services.selling.ordering import Buyer
from tests.office.desk import BY, GUESTS, SARI, WHY, Desk

MOVED = Buyer("Sari Dewi", "sari@example.org", "+6281234567890")


@pytest.fixture
def desk(sqlite_app: Flask) -> Desk:
    return Desk(sqlite_app)


def cancel(desk: Desk, code: str, seen: str | None = None) -> None:
    with desk.app.app_context():
        order_ending._cancel(
            desk.id_of(code), reason=WHY, seen=seen or desk.seen(code), by=BY, now=desk.now()
        )


def refund(desk: Desk, code: str, amount: int, seen: str | None = None) -> None:
    with desk.app.app_context():
        order_ending.refund(
            desk.id_of(code),
            amount,
            reason=WHY,
            seen=seen or desk.seen(code),
            by=BY,
            now=desk.now(),
        )


def change(desk: Desk, code: str, numbers: list[int], ticket_id: int, price: int) -> None:
    wish = SeatWish(numbers, ticket_id, price)
    with desk.app.app_context():
        seat_changing.change_seats(
            desk.id_of(code), wish, reason=WHY, seen=desk.seen(code), by=BY, now=desk.now()
        )


def correct(desk: Desk, code: str, buyer: Buyer, *, are_codes_new: bool = False) -> bool:
    with desk.app.app_context():
        return order_correcting.correct_buyer(
            desk.id_of(code),
            buyer,
            are_codes_new=are_codes_new,
            seen=desk.seen(code),
            by=BY,
            now=desk.now(),
        )


def why_not(desk: Desk, code: str) -> dict[MoveKind, str | None]:
    """Return what is said of each move of an order, None where it can be made."""

    def read(facts: object) -> dict[MoveKind, str | None]:
        moves = possible(facts)  # type: ignore[arg-type]
        return {move.kind: move.why_not and str(move.why_not) for move in moves}

    return dict(desk.read(code, read))


# --- what can be done ---------------------------------------------------------------------------


def test_what_can_be_done_follows_the_state(desk: Desk) -> None:
    ticket = desk.add_ticket("Reguler")
    unpaid, paid, ended = desk.order(ticket), desk.paid_order(ticket), desk.paid_order(ticket)
    cancel(desk, ended)

    def can(code: str) -> set[str]:
        return {kind.value for kind, why in why_not(desk, code).items() if why is None}

    assert can(unpaid) == {"buyer", "names", "cancel"}
    assert can(paid) == {"resend", "buyer", "names", "seats", "cancel", "refund"}
    assert can(ended) == {"buyer"}, "its refund goes through Xendit by itself"


def test_an_open_case_is_decided_before_anything_else_is_done_about_the_money(desk: Desk) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"), amount=310_000)

    words = why_not(desk, code)

    assert words[MoveKind.DECIDE_CASE] is None
    assert "open case" in (words[MoveKind.REFUND] or "")


# --- correcting ---------------------------------------------------------------------------------


def test_another_address_gets_the_e_tickets_and_the_old_ones_can_be_made_worthless(
    desk: Desk,
) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    old = desk.seats(code)

    assert correct(desk, code, MOVED, are_codes_new=True)

    assert desk.read(code, lambda facts: facts.order.user.email) == MOVED.email
    assert {seat[2] for seat in old}.isdisjoint(seat[2] for seat in desk.seats(code))
    assert desk.jobs(SEND_UPDATED) == 1
    assert desk.violations() == []


def test_a_corrected_phone_number_mails_nothing_and_keeps_the_codes(desk: Desk) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    old = desk.seats(code)

    assert not correct(desk, code, Buyer(SARI.full_name, SARI.email, "+6281111111111"))

    assert (desk.seats(code), desk.jobs(SEND_UPDATED)) == (old, 0)
    assert desk.done(code) == ["order.buyer_corrected"]


def test_a_correction_that_corrects_nothing_is_not_recorded(desk: Desk) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    assert not correct(desk, code, SARI)
    assert desk.done(code) == []


@pytest.mark.parametrize("is_paid", [True, False])
def test_a_corrected_name_stands_on_its_seat_and_in_the_order(desk: Desk, is_paid: bool) -> None:
    code = desk.order(desk.add_ticket("Reguler"))
    if is_paid:
        desk.pay(code)
    with desk.app.app_context():
        order_correcting.correct_names(
            desk.id_of(code),
            {2: "Bima Santoso"},
            is_mailed=True,
            seen=desk.seen(code),
            by=BY,
            now=desk.now(),
        )

    names = [GUESTS[0], "Bima Santoso"]
    assert desk.read(code, lambda facts: facts.order.items[0].attendees) == names
    assert [seat[0] for seat in desk.seats(code)] == (names if is_paid else [])
    assert desk.jobs(SEND_UPDATED) == is_paid


# --- seats --------------------------------------------------------------------------------------


def test_cheaper_seats_send_the_difference_back_and_the_old_code_is_worthless(desk: Desk) -> None:
    dear, cheap = desk.add_ticket("VIP", price=400_000), desk.add_ticket("Tribun", price=100_000)
    code = desk.paid_order(dear, 3)
    old = desk.read(code, lambda facts: [seat.qr_text for seat in facts.order.e_tickets])

    change(desk, code, [1, 3], cheap, 100_000)

    assert [seat[:2] for seat in desk.seats(code)] == [
        (GUESTS[0], "Tribun"),
        (GUESTS[1], "VIP"),
        (GUESTS[2], "Tribun"),
    ]
    assert (desk.sold(dear), desk.sold(cheap)) == (1, 2)
    assert desk.refunds(code) == [("difference", 600_000)]
    assert desk.read(code, lambda facts: facts.order.total) == 600_000
    items = desk.read(code, lambda f: {i.ticket_id: i.attendees for i in f.order.items})
    assert items == {dear: [GUESTS[1]], cheap: [GUESTS[0], GUESTS[2]]}
    with desk.app.app_context():
        assert [find_seat(db.session(), text) is None for text in old] == [True, False, True]
        assert db.session.query(ReplacedSeat).count() == 2
    assert (desk.jobs(SEND_UPDATED), desk.jobs(SEND_REFUND)) == (1, 1)
    assert desk.violations() == []


def test_dearer_seats_keep_the_price_that_was_paid(desk: Desk) -> None:
    cheap, dear = desk.add_ticket("Tribun", price=100_000), desk.add_ticket("VIP", price=400_000)
    code = desk.paid_order(cheap, 1)

    change(desk, code, [1], dear, 100_000)

    [item] = desk.read(code, lambda facts: [(i.ticket_id, i.price) for i in facts.order.items])
    assert item == (dear, 100_000)
    assert (desk.refunds(code), desk.violations()) == ([], [])


def test_without_room_for_all_nothing_changes(desk: Desk) -> None:
    old, full = desk.add_ticket("VIP"), desk.add_ticket("Tribun", amount=1)
    code = desk.paid_order(old, 2)
    seen = desk.seen(code)

    with pytest.raises(MoveNotPossible):
        change(desk, code, [1, 2], full, 150_000)

    assert (desk.seen(code), desk.sold(old), desk.sold(full)) == (seen, 2, 0)
    assert desk.done(code) == []


def test_a_guest_who_has_entered_keeps_the_seat(desk: Desk) -> None:
    old, new = desk.add_ticket("VIP"), desk.add_ticket("Tribun")
    code = desk.paid_order(old, 2)
    desk.admit(code, 1)

    with pytest.raises(MoveNotPossible):
        change(desk, code, [1], new, 150_000)
    change(desk, code, [2], new, 150_000)

    assert [seat[1] for seat in desk.seats(code)] == ["VIP", "Tribun"]


def test_a_price_that_changed_since_it_was_shown_is_shown_again(desk: Desk) -> None:
    code = desk.paid_order(desk.add_ticket("VIP", price=400_000), 1)
    new = desk.add_ticket("Tribun", price=120_000)

    with pytest.raises(MoveNotPossible):
        change(desk, code, [1], new, 100_000)

    assert desk.refunds(code) == []


def test_what_was_never_paid_does_not_come_back_as_a_difference(desk: Desk) -> None:
    dear, cheap = desk.add_ticket("VIP", price=400_000), desk.add_ticket("Tribun", price=300_000)
    code = desk.paid_order(dear, 1)
    with desk.working():
        found = desk.id_of(code)
        order = db.session.get_one(Order, found)
        order.payment.paid_amount = 350_000  # as staff accepted it

    change(desk, code, [1], cheap, 300_000)

    assert desk.refunds(code) == [("difference", 50_000)]


# --- ending -------------------------------------------------------------------------------------


def test_cancelling_a_paid_order_frees_its_seats_and_sends_its_money_back(desk: Desk) -> None:
    ticket = desk.add_ticket("Reguler")
    code = desk.paid_order(ticket)

    cancel(desk, code)

    assert desk.read(code, lambda facts: facts.order.status) is OrderStatus.CANCELLED
    assert desk.read(code, lambda facts: facts.standing_seats) == []
    assert (desk.sold(ticket), desk.refunds(code)) == (0, [("cancelled", 300_000)])
    assert (desk.done(code), desk.violations()) == (["order.cancelled"], [])


def test_a_part_sent_back_is_not_sent_again_when_the_order_is_cancelled(desk: Desk) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    refund(desk, code, 100_000)
    cancel(desk, code)
    assert desk.refunds(code) == [("by_staff", 100_000), ("cancelled", 200_000)]
    assert desk.violations() == []


@pytest.mark.parametrize("amount", [0, -1, 300_001])
def test_no_more_goes_back_than_was_paid(desk: Desk, amount: int) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    with pytest.raises(MoveNotPossible):
        refund(desk, code, amount)
    assert desk.refunds(code) == []


# --- stale pages --------------------------------------------------------------------------------

TWICE: dict[str, Callable[[Desk, str, str], None]] = {
    "cancel": cancel,
    "refund": lambda desk, code, seen: refund(desk, code, 50_000, seen),
}


@pytest.mark.parametrize("move", TWICE)
def test_the_same_page_acts_once(desk: Desk, move: str) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    seen = desk.seen(code)
    TWICE[move](desk, code, seen)

    with pytest.raises(OrderChanged) as refused:
        TWICE[move](desk, code, seen)

    assert Part.REFUNDS in refused.value.parts
    assert len(desk.refunds(code)) == 1


def test_a_page_from_before_a_guest_entered_cancels_nothing(desk: Desk) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    seen = desk.seen(code)
    desk.admit(code, 2)

    with pytest.raises(OrderChanged) as refused:
        cancel(desk, code, seen)

    assert refused.value.parts == [Part.DOOR]


@pytest.mark.parametrize("seen", ["", "x", "0.0.0.0.0.0.0.0.0", "…" * 9])
def test_what_is_no_print_is_of_no_page_of_ours(desk: Desk, seen: str) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"))
    with pytest.raises(OrderChanged):
        cancel(desk, code, seen or "0")
    assert desk.refunds(code) == []

"""Acting on an order: each move does all of it, in step, and nothing on a stale page."""

from collections.abc import Callable
from datetime import UTC

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from app.extensions import db
from app.models import Account, LedgerPosting, Movement, Order, OrderStatus, ReplacedSeat
from app.services.door.seats import find_seat
from app.services.money import ledger, postings
from app.services.money.refunds import SEND_REFUND
from app.services.office.order_actions import MoveKind, MoveNotPossible, OrderChanged, possible
from app.services.office.order_print import Part
from app.services.office.updated_etickets import SEND_UPDATED
from tests.office.acts import cancel, change, refund
from tests.office.desk import GUESTS, Desk


@pytest.fixture
def desk(sqlite_app: Flask) -> Desk:
    return Desk(sqlite_app)


def why_not(desk: Desk, code: str) -> dict[MoveKind, str | None]:
    """Return what is said of each move of an order, None where it can be made."""

    def read(facts: object) -> dict[MoveKind, str | None]:
        moves = possible(facts)  # type: ignore[arg-type]
        with force_locale("en"):
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


def test_of_a_free_order_no_money_can_go_back(desk: Desk) -> None:
    code = desk.order(desk.add_ticket("Gratis", price=0))
    assert why_not(desk, code)[MoveKind.REFUND] == "Nothing was paid."
    cancel(desk, code)
    assert (desk.refunds(code), desk.violations()) == ([], [])


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


def test_money_goes_back_as_often_as_some_is_left_and_the_ledger_has_each_part(desk: Desk) -> None:
    code = desk.paid_order(desk.add_ticket("Reguler"), 3)
    refund(desk, code, 150_000)
    refund(desk, code, 150_000)
    with pytest.raises(MoveNotPossible):
        refund(desk, code, 150_001)
    refund(desk, code, 150_000)

    assert desk.refunds(code) == [("by_staff", 150_000)] * 3
    references = desk.read(code, lambda facts: [one.reference_id for one in facts.refunds])
    assert references[1:] == [f"{references[0]}-2", f"{references[0]}-3"], "one each at Xendit"
    assert why_not(desk, code)[MoveKind.REFUND] == (
        "All that was paid is sent back already, or will be."
    )
    assert (desk.jobs(SEND_REFUND), desk.done(code)) == (3, ["order.refunded"] * 3)
    with desk.app.app_context():
        postings.post_orders([desk.id_of(code)], now=desk.now(), zone=UTC)
        due = sa.select(LedgerPosting.id).where(LedgerPosting.movement == Movement.REFUND_DUE)
        assert len(db.session.scalars(due).all()) == 3
        assert ledger.balances()[Account.REFUNDS_OWED] == -450_000


def test_seats_change_again_and_the_second_difference_goes_back_too(desk: Desk) -> None:
    dear, cheap = desk.add_ticket("VIP", price=400_000), desk.add_ticket("Tribun", price=100_000)
    code = desk.paid_order(dear, 3)
    change(desk, code, [1], cheap, 100_000)
    change(desk, code, [2], cheap, 100_000)

    assert desk.refunds(code) == [("difference", 300_000)] * 2
    assert desk.read(code, lambda facts: facts.order.total) == 600_000
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

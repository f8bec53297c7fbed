"""Moves of staff on an order, as tests make them: no page, but the print of one opened now."""

from app.services.office import order_correcting, order_ending, seat_changing
from app.services.office.seat_changing import SeatWish
from app.services.selling.ordering import Buyer
from tests.office.desk import BY, WHY, Desk


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

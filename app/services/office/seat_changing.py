"""Changing seats to another type: stock, codes and money move together, or nothing does."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.models import ETicket, Order, OrderItem, RefundReason, RefundWay, Ticket
from app.services.money import cases, postings, refunds
from app.services.office import updated_etickets
from app.services.office.new_codes import renew_codes
from app.services.office.order_actions import (
    MoveKind,
    MoveNotPossible,
    acting_on,
    left_to_refund,
)
from app.services.office.order_correcting import copy_names, subject_of
from app.services.office.order_print import OrderFacts
from app.services.office.updated_etickets import Update
from app.services.running import audit
from app.services.running.audit import By
from app.services.running.transaction import reading, use_case
from app.services.selling import inventory

NO_TYPE = _l("Choose the type of the new seats.")


@dataclass(frozen=True)
class SeatQuote:
    """What changing some seats of one item would mean; rupiah.

    `price` is what each seat costs afterwards: never more than was paid for it. `refund` goes back
    to the buyer in all, `way` says how.
    """

    seats: Sequence[ETicket]
    item: OrderItem
    ticket: Ticket
    price: int
    refund: int
    way: RefundWay | None

    @property
    def goodwill(self) -> int:
        """Return what the new seats would have cost more, in all, and nobody pays."""
        return max(0, self.ticket.price - self.item.price) * len(self.seats)


@dataclass(frozen=True)
class SeatWish:
    """Seats of an order by their numbers, the ticket they are to be of, and the price shown."""

    numbers: Collection[int]
    ticket_id: int
    price: int


def list_targets() -> Sequence[Ticket]:
    """Return the tickets seats can be changed to, on sale or not, in the catalogue's order."""
    in_use = sa.select(Ticket).where(Ticket.retired_at.is_(None))
    with reading() as session:
        tickets = session.scalars(in_use.order_by(Ticket.position, Ticket.id)).all()
        session.expunge_all()
        return tickets


def quote_change(facts: OrderFacts, numbers: Collection[int], ticket: Ticket) -> SeatQuote:
    """Return what changing these seats to `ticket` would mean. Raises MoveNotPossible."""
    seats = _chosen(facts, numbers)
    (item,) = [one for one in facts.order.items if one.ticket_id == seats[0].ticket_id]
    if item.ticket_id == ticket.id:
        raise MoveNotPossible(_l("These seats are of this type already."))
    price = min(item.price, ticket.price)
    _check_items_fit(facts.order, item, ticket, price)
    refund = _difference(facts, (item.price - price) * len(seats))
    way = refunds.way_back(refunds.money_of(facts.order), refund) if refund else None
    return SeatQuote(seats, item, ticket, price, refund, way)


@use_case
def change_seats(
    order_id: int, wish: SeatWish, *, reason: str, seen: str, by: By, now: datetime
) -> None:
    """Change seats of a paid order to another type, and have the new e-tickets mailed.

    Cheaper seats send the difference back; dearer ones are goodwill, at the price that was paid.
    Old codes are worthless from then on. Raises OrderChanged, MoveNotPossible: nothing has changed
    then, also when there is no room.
    """
    with acting_on(order_id, seen, MoveKind.CHANGE_SEATS) as (session, facts):
        ticket = session.get(Ticket, wish.ticket_id)
        if ticket is None or ticket.retired_at is not None:
            raise MoveNotPossible(NO_TYPE)
        quote = quote_change(facts, wish.numbers, ticket)
        if quote.price != wish.price:
            raise MoveNotPossible(_l("The price has just changed. Look at the new figures."))
        old, total = quote.item.ticket, facts.order.total
        _move_items(session, facts.order, quote)
        renew_codes(session, quote.seats, now)
        _send_difference(session, facts.order, quote, now)
        updated_etickets.enqueue(session, facts.order, Update.CODES, now=now)
        cases.enqueue_waiting(session, now)
        postings.mark(session, order_id)
        audit.record(
            session,
            actor=by,
            action="order.seats_changed",
            subject=subject_of(facts.order),
            before={"ticket": old.type, "total": total},
            after={
                "ticket": ticket.type,
                "total": facts.order.total,
                "seat_numbers": sorted(seat.number for seat in quote.seats),
                "refunded": quote.refund or None,
            },
            reason=reason,
            now=now,
        )
        _move_stock(session, old.id, ticket.id, len(quote.seats))


def _chosen(facts: OrderFacts, numbers: Collection[int]) -> list[ETicket]:
    """Return the chosen seats: of one type, and nobody entered on them. Raises MoveNotPossible."""
    seats = [seat for seat in facts.movable_seats if seat.number in numbers]
    if not numbers:
        raise MoveNotPossible(_l("Choose at least one seat."))
    if len(seats) != len(set(numbers)):
        raise MoveNotPossible(_l("Somebody has entered on one of these seats: it stays as it is."))
    if len({seat.ticket_id for seat in seats}) > 1:
        raise MoveNotPossible(_l("Change seats of one type at a time."))
    return seats


def _check_items_fit(order: Order, item: OrderItem, ticket: Ticket, price: int) -> None:
    """Raise MoveNotPossible when the order has such seats at another price: an item has one."""
    for other in order.items:
        if other.ticket_id == ticket.id and (other.price, other.voucher_id) != (
            price,
            item.voucher_id,
        ):
            raise MoveNotPossible(
                _l(
                    "This order has seats of that type at another price already. "
                    "Give a free ticket instead, and refund these seats."
                )
            )


def _difference(facts: OrderFacts, difference: int) -> int:
    """Return what of a difference goes back: not what was never paid, nor what went back before."""
    unpaid = max(0, facts.order.total - refunds.money_of(facts.order).paid)
    return max(0, min(difference - unpaid, left_to_refund(facts)))


def _move_items(session: Session, order: Order, quote: SeatQuote) -> None:
    """Move seats from their item to one of the new ticket, at its price; vouchers go along."""
    count, old = len(quote.seats), quote.item
    new = next((one for one in order.items if one.ticket_id == quote.ticket.id), None)
    if new is None:
        new = OrderItem(
            ticket=quote.ticket,
            ticket_id=quote.ticket.id,
            quantity=0,
            price=quote.price,
            # What the voucher took off stays the voucher's: dearer seats are our gift, not its.
            list_price=old.list_price and min(old.list_price, quote.ticket.price),
            voucher_id=old.voucher_id,
            attendees=[],
        )
        order.items.append(new)
    new.quantity += count
    old.quantity -= count
    for seat in quote.seats:
        seat.ticket, seat.ticket_id = quote.ticket, quote.ticket.id
    if not old.quantity:
        order.items.remove(old)
        session.delete(old)
    copy_names(order)
    order.total = sum(item.subtotal for item in order.items)
    session.flush()


def _send_difference(session: Session, order: Order, quote: SeatQuote, now: datetime) -> None:
    if quote.refund:
        money, reason = refunds.money_of(order), RefundReason.DIFFERENCE
        part = refunds.next_part(session, money, reason)
        refunds.open_refund(session, order, money, quote.refund, reason, now=now, part=part)


def _move_stock(session: Session, old_id: int, new_id: int, count: int) -> None:
    """Give the old seats back, then take the new ones: both may draw on one quota.

    Last, as these locks are what all orders wait for. Out of the usual order of ids two may wait
    for each other; the database ends that, and the whole use case is tried again.
    """
    inventory.take_back(session, {old_id: count})
    if not inventory.sell_again(session, {new_id: count}):
        raise MoveNotPossible(_l("Not enough seats of that type are left."))

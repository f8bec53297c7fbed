"""Correcting an order: its buyer, the names on its seats, and the e-tickets sent once more."""

from collections.abc import Mapping
from datetime import datetime

from app.models import Order
from app.models.codes import new_order_token
from app.models.user import join_names
from app.services.office import updated_etickets
from app.services.office.new_codes import renew_codes
from app.services.office.order_actions import MoveKind, acting_on
from app.services.office.order_print import OrderFacts
from app.services.office.updated_etickets import Update
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import use_case
from app.services.selling.ordering import Buyer


@use_case
def resend(order_id: int, *, seen: str, by: By, now: datetime) -> None:
    """Have a paid order's e-tickets mailed once more, whatever the buyer's own limit.

    Raises OrderChanged, MoveNotPossible.
    """
    with acting_on(order_id, seen, MoveKind.RESEND) as (session, facts):
        updated_etickets.enqueue(session, facts.order, Update.RESENT, now=now)
        audit.record(
            session, actor=by, action="order.resent", subject=subject_of(facts.order), now=now
        )


@use_case
def correct_buyer(
    order_id: int, buyer: Buyer, *, are_codes_new: bool, seen: str, by: By, now: datetime
) -> bool:
    """Correct the buyer's name, address or phone; tell whether the e-tickets are mailed.

    That is for a paid order whose address is another one. With `are_codes_new` those that went to
    the old address become worthless, but where somebody has entered, and so does the link to the
    order that stood in that mail. The log keeps what was corrected, not the details themselves.
    Raises OrderChanged, MoveNotPossible.
    """
    with acting_on(order_id, seen, MoveKind.CORRECT_BUYER) as (session, facts):
        user = facts.order.user
        corrected = [name for name, value in vars(buyer).items() if getattr(user, name) != value]
        for name in corrected:
            setattr(user, name, getattr(buyer, name))
        _keep_names(facts.order)
        is_mailed = facts.order.is_paid and "email" in corrected
        has_new_codes = is_mailed and are_codes_new and bool(facts.movable_seats)
        if has_new_codes:
            renew_codes(session, facts.movable_seats, now)
        if is_mailed and are_codes_new:
            facts.order.token = new_order_token()  # or the link of the old mail would show them
        if is_mailed:
            update = Update.CODES if has_new_codes else Update.RESENT
            updated_etickets.enqueue(session, facts.order, update, now=now)
        if corrected:
            audit.record(
                session,
                actor=by,
                action="order.buyer_corrected",
                subject=subject_of(facts.order),
                after={"corrected": corrected, "has_new_codes": has_new_codes},
                now=now,
            )
        return is_mailed


def names_of(facts: OrderFacts) -> dict[int, str]:
    """Return the name on each seat, by its number: the e-tickets' own once there are any."""
    if facts.order.is_paid:
        return {seat.number: seat.attendee for seat in facts.standing_seats}
    names = [name for item in facts.order.items for name in item.attendees]
    return dict(enumerate(names, start=1))


@use_case
def correct_names(
    order_id: int,
    names: Mapping[int, str],
    *,
    is_mailed: bool,
    seen: str,
    by: By,
    now: datetime,
) -> None:
    """Put other names on seats (by number; others stay) and have the e-tickets mailed, if wanted.

    The codes stay: whoever was sent the old PDF can still enter on it, under the new name. Raises
    OrderChanged, MoveNotPossible.
    """
    with acting_on(order_id, seen, MoveKind.CORRECT_NAMES) as (session, facts):
        old = names_of(facts)
        corrected = [number for number in old if names.get(number, old[number]) != old[number]]
        if not corrected:
            return
        _write_names(facts, {**old, **{number: names[number] for number in corrected}})
        if facts.order.is_paid and is_mailed:
            updated_etickets.enqueue(session, facts.order, Update.NAMES, now=now)
        audit.record(
            session,
            actor=by,
            action="order.names_corrected",
            subject=subject_of(facts.order),
            after={"seat_numbers": corrected},
            now=now,
        )


def _write_names(facts: OrderFacts, names: Mapping[int, str]) -> None:
    if facts.order.is_paid:
        for seat in facts.standing_seats:
            seat.attendee = names[seat.number]
        copy_names(facts.order)
    else:
        numbers = iter(sorted(names))
        for item in facts.order.items:
            item.attendees = [names[next(numbers)] for _ in item.attendees]
    _keep_names(facts.order)


def _keep_names(order: Order) -> None:
    """Let the order be found by the names it has now."""
    guests = (name for item in order.items for name in item.attendees)
    order.user.names = join_names(order.user.full_name, guests)


def copy_names(order: Order) -> None:
    """Make the items of a paid order name their guests as its e-tickets do."""
    for item in order.items:
        mine = [seat for seat in order.e_tickets if seat.ticket_id == item.ticket_id]
        item.attendees = [seat.attendee for seat in mine]


def subject_of(order: Order) -> Subject:
    """Return what the log calls an order: its code, and nobody's name."""
    return Subject("order", order.code)

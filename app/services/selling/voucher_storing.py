"""Vouchers in the database: what staff or a file wish becomes rows, in the caller's transaction."""

from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from app.errors import FieldError, NotFound, ValidationFailed
from app.models import Ticket, Voucher, VoucherUse, voucher_tickets
from app.services.running.transaction import affected, insert_all, insert_many, violates
from app.services.selling.catalogue_refusals import CodeTaken, SeatsTooFew
from app.services.selling.wishes import VoucherWish

WITH_TICKETS = (selectinload(Voucher.tickets).lazyload(Ticket.stock),)


def insert_vouchers(
    session: Session, codes: list[str], wish: VoucherWish, now: datetime
) -> list[int]:
    """Insert vouchers that are alike and return their ids. Raises CodeTaken."""
    facts = asdict(wish)
    ticket_ids, max_seats = facts.pop("ticket_ids"), facts.pop("max_seats")
    same = {**facts, "is_for_all": ticket_ids is None, "created_at": now}
    try:
        voucher_ids = insert_many(session, Voucher, [{**same, "code": code} for code in codes])
    except IntegrityError as error:
        if violates(error, "uq_vouchers_code", "vouchers.code"):
            raise CodeTaken from error
        raise
    use = [{"voucher_id": key, "max_seats": max_seats, "used": 0} for key in voucher_ids]
    insert_all(session, VoucherUse, use)
    _link(session, voucher_ids, wish)
    return voucher_ids


def _link(session: Session, voucher_ids: list[int], wish: VoucherWish) -> None:
    rows = [
        {"voucher_id": voucher_id, "ticket_id": ticket_id}
        for voucher_id in voucher_ids
        for ticket_id in wish.ticket_ids or ()
    ]
    if rows:
        session.execute(sa.insert(voucher_tickets), rows)


def facts_of(session: Session, wish: VoucherWish) -> dict[str, object]:
    """Return what the audit log tells of a voucher. Raises ValidationFailed for unknown tickets."""
    facts = asdict(wish)
    ticket_ids = facts.pop("ticket_ids")
    names = None if ticket_ids is None else _names(session, ticket_ids)
    return {**facts, "tickets": names}


def _names(session: Session, ticket_ids: tuple[int, ...]) -> list[str]:
    query = sa.select(Ticket.type).where(Ticket.id.in_(ticket_ids))
    names = list(session.scalars(query.order_by(Ticket.position, Ticket.id)))
    if len(names) != len(set(ticket_ids)):
        raise ValidationFailed([FieldError("ticket_ids", NotFound.title)])
    return names


def wish_of(voucher: Voucher) -> VoucherWish:
    """Return a voucher as it stands."""
    ids = None if voucher.is_for_all else tuple(sorted(ticket.id for ticket in voucher.tickets))
    return VoucherWish(
        voucher.effect,
        voucher.value,
        ids,
        voucher.use.max_seats,
        voucher.valid_from,
        voucher.valid_until,
        voucher.note,
    )


def write_wish(session: Session, voucher: Voucher, wish: VoucherWish) -> None:
    """Make a locked voucher what is wished. Raises SeatsTooFew."""
    voucher.effect = wish.effect
    voucher.value = wish.value
    voucher.is_for_all = wish.ticket_ids is None
    voucher.valid_from = wish.valid_from
    voucher.valid_until = wish.valid_until
    voucher.note = wish.note
    mine = sa.delete(voucher_tickets).where(voucher_tickets.c.voucher_id == voucher.id)
    session.execute(mine)
    _link(session, [voucher.id], wish)
    session.flush()
    session.expire(voucher, ["tickets"])
    use = sa.update(VoucherUse).where(VoucherUse.voucher_id == voucher.id)
    if wish.max_seats is not None:
        use = use.where(VoucherUse.used <= wish.max_seats)
    if affected(session, use.values(max_seats=wish.max_seats)) != 1:
        session.refresh(voucher.use)
        raise SeatsTooFew(voucher.use.used)

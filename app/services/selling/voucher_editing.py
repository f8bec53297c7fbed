"""Vouchers as staff see, make and change them. A code is never changed: people have it on paper."""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from app.errors import FieldError, NotFound, ValidationFailed
from app.models import Ticket, Voucher, VoucherUse, voucher_tickets
from app.models.codes import ALPHABET
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import (
    affected,
    insert_many,
    reading,
    transaction,
    use_case,
    violates,
)
from app.services.selling.catalogue_refusals import CodeTaken, SeatsTooFew
from app.services.selling.wishes import VoucherWish, check_voucher, merge

__all__ = [
    "MOST_AT_ONCE",
    "VoucherOverview",
    "VoucherWish",
    "change_voucher",
    "create_voucher",
    "create_vouchers",
    "get_voucher",
    "list_vouchers",
    "reopen_voucher",
    "retire_voucher",
]

MOST_AT_ONCE = 500
RANDOM_LENGTH = 8  # of 30 characters each: nobody guesses one of a few hundred codes
WITH_TICKETS = (selectinload(Voucher.tickets).lazyload(Ticket.stock),)


@dataclass(frozen=True)
class VoucherOverview:
    """A voucher, how many seats were ordered with it, and the types of its tickets."""

    id: int
    code: str
    wish: VoucherWish
    used: int
    tickets: tuple[str, ...]
    created_at: datetime
    retired_at: datetime | None

    @property
    def left(self) -> int | None:
        """Return for how many seats it is still good; None without a limit."""
        return None if self.wish.max_seats is None else self.wish.max_seats - self.used


@use_case
def list_vouchers(
    *, search: str = "", before: int | None = None, limit: int = 50
) -> list[VoucherOverview]:
    """Return vouchers, the newest first, with ids below `before`. Two statements.

    `search` is how their codes begin, in any case.
    """
    query = sa.select(Voucher).order_by(Voucher.id.desc()).limit(limit).options(*WITH_TICKETS)
    if before is not None:
        query = query.where(Voucher.id < before)
    if search.strip():
        query = query.where(Voucher.code.startswith(search.strip().upper(), autoescape=True))
    with reading() as session:
        found = session.scalars(query, execution_options={"populate_existing": True})
        return [_describe(voucher) for voucher in found]


@use_case
def get_voucher(voucher_id: int) -> VoucherOverview:
    """Return a voucher. Raises NotFound."""
    with reading() as session:
        return _describe(_get(session, voucher_id))


@use_case
def create_voucher(code: str, wish: VoucherWish, *, by: By, now: datetime) -> int:
    """Make a voucher with a code as `parse_voucher_code` leaves it, and return its id.

    Raises ValidationFailed, CodeTaken.
    """
    check_voucher(wish)
    with transaction() as session:
        facts = facts_of(session, wish)
        [voucher_id] = insert_vouchers(session, [code], wish, now)
        subject = Subject("voucher", str(voucher_id), code)
        audit.record(
            session, actor=by, action="voucher.added", subject=subject, after=facts, now=now
        )
        return voucher_id


@use_case
def create_vouchers(
    count: int, wish: VoucherWish, *, prefix: str = "", by: By, now: datetime
) -> list[str]:
    """Make so many vouchers alike, 1 to MOST_AT_ONCE, and return their new codes.

    With a `prefix` they are `PREFIX-7K2M9QPA`. Raises ValidationFailed.
    """
    check_voucher(wish)
    if not 1 <= count <= MOST_AT_ONCE:
        raise ValueError(count)
    with transaction() as session:
        facts = facts_of(session, wish)
        codes = _new_codes(count, prefix)
        voucher_ids = insert_vouchers(session, codes, wish, now)
        audit.record(
            session,
            actor=by,
            action="voucher.batch_added",
            subject=Subject("voucher", str(voucher_ids[0]), f"{codes[0]} … {codes[-1]}"),
            after={"count": count, **facts},
            now=now,
        )
        return codes


@use_case
def change_voucher(
    voucher_id: int, wish: VoucherWish, *, seen: VoucherWish, by: By, now: datetime
) -> None:
    """Change a voucher; orders that exist keep their prices.

    `seen` is what the form was drawn from. Raises NotFound, ValidationFailed, ChangedMeanwhile,
    SeatsTooFew.
    """
    check_voucher(wish)
    with transaction() as session:
        voucher = _get(session, voucher_id, is_locked=True)
        before = wish_of(voucher)
        after = merge(wish, seen=seen, now=before)
        check_voucher(after)
        facts = facts_of(session, before), facts_of(session, after)
        write(session, voucher, after)
        audit.record(
            session,
            actor=by,
            action="voucher.changed",
            subject=_subject(voucher),
            before=facts[0],
            after=facts[1],
            now=now,
        )


@use_case
def retire_voucher(voucher_id: int, *, by: By, now: datetime) -> None:
    """Let nobody order with a voucher any more; orders that did stay. Raises NotFound."""
    with transaction() as session:
        voucher = _get(session, voucher_id, is_locked=True)
        if voucher.retired_at is None:
            voucher.retired_at = now
            subject = _subject(voucher)
            audit.record(session, actor=by, action="voucher.retired", subject=subject, now=now)


@use_case
def reopen_voucher(voucher_id: int, *, by: By, now: datetime) -> None:
    """Let a retired voucher be used again, within its period. Raises NotFound."""
    with transaction() as session:
        voucher = _get(session, voucher_id, is_locked=True)
        if voucher.retired_at is not None:
            voucher.retired_at = None
            subject = _subject(voucher)
            audit.record(session, actor=by, action="voucher.reopened", subject=subject, now=now)


def write(session: Session, voucher: Voucher, wish: VoucherWish) -> None:
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


def _get(session: Session, voucher_id: int, *, is_locked: bool = False) -> Voucher:
    """Return a voucher, locked or not: its own row only, as orders lock its use last. NotFound."""
    if is_locked:
        only = sa.select(Voucher.id).where(Voucher.id == voucher_id).with_for_update()
        session.execute(only)
    voucher = session.get(Voucher, voucher_id, options=WITH_TICKETS, populate_existing=True)
    if voucher is None:
        raise NotFound
    return voucher


def _new_codes(count: int, prefix: str) -> list[str]:
    begin = f"{prefix}-" if prefix else ""
    codes: set[str] = set()
    while len(codes) < count:
        codes.add(begin + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH)))
    return sorted(codes)


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
    session.execute(sa.insert(cast(sa.Table, VoucherUse.__table__)), use)
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


def _subject(voucher: Voucher) -> Subject:
    return Subject("voucher", str(voucher.id), voucher.code)


def _describe(voucher: Voucher) -> VoucherOverview:
    return VoucherOverview(
        id=voucher.id,
        code=voucher.code,
        wish=wish_of(voucher),
        used=voucher.use.used,
        tickets=tuple(ticket.type for ticket in voucher.tickets),
        created_at=voucher.created_at,
        retired_at=voucher.retired_at,
    )

"""Vouchers as staff see, make and change them. A code is never changed: people have it on paper."""

import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.models import Voucher
from app.models.codes import ALPHABET
from app.services.running import audit
from app.services.running.audit import By, Subject
from app.services.running.transaction import reading, transaction, use_case
from app.services.selling.voucher_storing import (
    WITH_TICKETS,
    facts_of,
    insert_vouchers,
    wish_of,
    write_wish,
)
from app.services.selling.wishes import VoucherWish, check_voucher, merge

MOST_AT_ONCE = 500
RANDOM_LENGTH = 8  # of 30 characters each: nobody guesses one of a few hundred codes


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
        write_wish(session, voucher, after)
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

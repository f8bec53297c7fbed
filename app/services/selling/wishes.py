"""Wishes: what staff want a ticket, a quota or a voucher to be, and what must be true of one."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TypeVar

from flask_babel import lazy_gettext as _l

from app.errors import FieldError, ValidationFailed, Words
from app.models import VoucherEffect
from app.services.selling.catalogue_refusals import ChangedMeanwhile

HIGHEST_PRICE = 1_000_000_000  # what a Xendit invoice can hold, in rupiah
HIGHEST_AMOUNT = 1_000_000
MOST_PER_ORDER = 100
NAME_LENGTH = 100
DESCRIPTION_LENGTH = 500
NOTE_LENGTH = 200


@dataclass(frozen=True)
class TicketWish:
    """All that can be said of a ticket; `quota_id` None lets it draw on its own amount only."""

    type: str
    description: str
    price: int
    amount: int
    min_per_order: int
    max_per_order: int
    valid_from: datetime
    valid_until: datetime
    admit_from: datetime | None
    admit_until: datetime | None
    is_hidden: bool
    quota_id: int | None


@dataclass(frozen=True)
class QuotaWish:
    """All that can be said of a quota."""

    name: str
    amount: int


@dataclass(frozen=True)
class VoucherWish:
    """All that can be said of a voucher but its code, as `Voucher` describes it.

    `ticket_ids` are in ascending order; None means every ticket that is not hidden.
    """

    effect: VoucherEffect
    value: int
    ticket_ids: tuple[int, ...] | None
    max_seats: int | None
    valid_from: datetime | None
    valid_until: datetime | None
    note: str


Wish = TypeVar("Wish", TicketWish, QuotaWish, VoucherWish)


def merge(wish: Wish, *, seen: Wish, now: Wish) -> Wish:
    """Return `now` with what a person changed of what they had `seen`.

    So two people who change different fields do not undo each other. Raises ChangedMeanwhile when
    both changed the same field to different things.
    """
    names = [field.name for field in fields(wish)]
    mine = {name: getattr(wish, name) for name in names if _differs(wish, seen, name)}
    both = [name for name in mine if _differs(now, seen, name) and _differs(now, wish, name)]
    if both:
        raise ChangedMeanwhile(both, now)
    return replace(now, **mine)


def check_ticket(wish: TicketWish) -> None:
    """Raise ValidationFailed with everything that no ticket can be."""
    _raise_all(_ticket_problems(wish))


def check_quota(wish: QuotaWish) -> None:
    """Raise ValidationFailed with everything that no quota can be."""
    problems = [*_length("name", wish.name, 1, NAME_LENGTH)]
    _raise_all([*problems, *_range("amount", wish.amount, 0, HIGHEST_AMOUNT)])


def check_voucher(wish: VoucherWish) -> None:
    """Raise ValidationFailed with everything that no voucher can be."""
    _raise_all(_voucher_problems(wish))


def _ticket_problems(wish: TicketWish) -> Iterator[FieldError]:
    yield from _length("type", wish.type, 1, NAME_LENGTH)
    yield from _length("description", wish.description, 1, DESCRIPTION_LENGTH)
    yield from _range("price", wish.price, 0, HIGHEST_PRICE)
    yield from _range("amount", wish.amount, 0, HIGHEST_AMOUNT)
    yield from _range("max_per_order", wish.max_per_order, 1, MOST_PER_ORDER)
    yield from _range("min_per_order", wish.min_per_order, 1, wish.max_per_order)
    yield from _period("valid_until", wish.valid_from, wish.valid_until)
    yield from _period("admit_until", wish.admit_from, wish.admit_until)


def _voucher_problems(wish: VoucherWish) -> Iterator[FieldError]:
    match wish.effect:
        case VoucherEffect.NONE:
            yield from _range("value", wish.value, 0, 0)
        case VoucherEffect.PERCENT:
            yield from _range("value", wish.value, 1, 100)
        case VoucherEffect.AMOUNT_OFF:
            yield from _range("value", wish.value, 1, HIGHEST_PRICE)
        case VoucherEffect.FIXED_PRICE:
            yield from _range("value", wish.value, 0, HIGHEST_PRICE)
    if wish.ticket_ids is not None and not wish.ticket_ids:
        yield FieldError("ticket_ids", _l("Choose at least one ticket, or all of them."))
    if wish.max_seats is not None:
        yield from _range("max_seats", wish.max_seats, 1, HIGHEST_AMOUNT)
    yield from _period("valid_until", wish.valid_from, wish.valid_until)
    yield from _length("note", wish.note, 0, NOTE_LENGTH)


def _length(field: str, text: str, least: int, most: int) -> Iterator[FieldError]:
    if len(text) < least:
        yield FieldError(field, _l("Please fill this in."))
    elif len(text) > most:
        yield FieldError(field, _l("Please shorten this to %(most)s characters.", most=most))


def _range(field: str, number: int, least: int, most: int) -> Iterator[FieldError]:
    if not least <= number <= most:
        words: Words = _l("Enter a number from %(least)s to %(most)s.", least=least, most=most)
        yield FieldError(field, words)


def _period(field: str, begin: datetime | None, end: datetime | None) -> Iterator[FieldError]:
    if begin is not None and end is not None and begin >= end:
        yield FieldError(field, _l("The end should be later than the beginning."))


def _differs(one: object, other: object, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def _raise_all(problems: Iterator[FieldError] | list[FieldError]) -> None:
    if found := list(problems):
        raise ValidationFailed(found)

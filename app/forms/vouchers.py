"""The form of vouchers: one code, or many at once."""

import re
from collections.abc import Collection, Mapping
from datetime import tzinfo

from flask_babel import lazy_gettext as _l

from app.forms.fields import FieldProblem
from app.forms.typed import Reader, keep_seconds, typed_ids, typed_moment, typed_whole
from app.forms.voucher_code import parse_voucher_code
from app.models import VoucherEffect
from app.services.selling.voucher_editing import MOST_AT_ONCE
from app.services.selling.wishes import VoucherWish, check_voucher

PREFIX = re.compile("[A-Z0-9][A-Z0-9-]{0,19}")
VOUCHER_FIELDS = (
    "effect",
    "value",
    "ticket_ids",
    "max_seats",
    "valid_from",
    "valid_until",
    "note",
)
NEW_FIELDS = ("code", "count", *VOUCHER_FIELDS)
NEW_VOUCHER = dict.fromkeys(NEW_FIELDS, "") | {"count": "1"}


def voucher_as_typed(wish: VoucherWish, zone: tzinfo) -> dict[str, str]:
    """Return a voucher as its form shows it; times in `zone`."""
    return {
        "effect": wish.effect.value,
        "value": typed_whole(wish.value) if wish.effect is not VoucherEffect.NONE else "",
        "ticket_ids": typed_ids(wish.ticket_ids or ()),
        "max_seats": typed_whole(wish.max_seats),
        "valid_from": typed_moment(wish.valid_from, zone),
        "valid_until": typed_moment(wish.valid_until, zone),
        "note": wish.note,
    }


def read_voucher(
    values: Mapping[str, str],
    zone: tzinfo,
    tickets: Collection[int],
    now: VoucherWish | None = None,
) -> VoucherWish:
    """Return what is wished of a voucher; `now` is what it is, if it exists.

    No ticket chosen means every ticket that is not hidden. Raises ValidationFailed with everything
    that is wrong.
    """
    read = Reader(values)
    effect = _read_effect(read, values["effect"])
    wish = VoucherWish(
        effect=effect,
        value=0 if effect is VoucherEffect.NONE else read.whole("value"),
        ticket_ids=read.chosen("ticket_ids", tickets) or None,
        max_seats=read.whole_or_none("max_seats"),
        valid_from=read.moment_or_none("valid_from", zone),
        valid_until=read.moment_or_none("valid_until", zone),
        note=read.text("note"),
    )
    read.finish(lambda: check_voucher(wish))
    return keep_seconds(wish, now) if now else wish


def read_codes(values: Mapping[str, str]) -> tuple[int, str]:
    """Return how many codes are wished, and the one code, or how each of many begins.

    Nothing typed leaves the codes to chance. Raises ValidationFailed.
    """
    read = Reader(values)
    count, code = read.whole("count"), values["code"].strip().upper()
    if not 1 <= count <= MOST_AT_ONCE:
        read.refuse("count", _l("Make 1 to %(most)s codes at once.", most=MOST_AT_ONCE))
    if count == 1 and code:
        try:
            code = parse_voucher_code(code)
        except FieldProblem as problem:
            read.refuse("code", problem.message)
    elif code and not PREFIX.fullmatch(code):
        words = _l("Several codes begin with at most 20 letters from A to Z, digits and dashes.")
        read.refuse("code", words)
    read.finish()
    return count, code.rstrip("-") if count > 1 else code


def _read_effect(read: Reader, typed: str) -> VoucherEffect:
    try:
        return VoucherEffect(typed)
    except ValueError:
        read.refuse("effect", _l("Choose what the code does to the price."))
        return VoucherEffect.NONE

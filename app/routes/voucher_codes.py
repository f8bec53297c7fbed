"""Codes that visitors type: what they see with one, and how often they may guess."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from flask import request
from limits import parse_many

from app.errors import RateLimited
from app.extensions import limiter
from app.forms.checkout import CheckoutForm
from app.forms.voucher_code import read_voucher_code
from app.routes.credentials import caller
from app.services.selling.shop_window import look_at_tickets
from app.services.selling.voucher_look import VoucherLook, look_with_code
from app.services.selling.voucher_refusals import VoucherUnknown

# Unknown codes from one address or key, over all pages and the API together. A street of buyers may
# share an address and a typing error; nobody finds a code in so few tries.
GUESSES = parse_many("60 per minute; 600 per hour")
SCOPE = "voucher-guesses"
PAUSE = 60  # seconds


def look_for(form: CheckoutForm, now: datetime) -> VoucherLook:
    """Return the catalogue as the visitor sees it with the code they typed, if any. Raises Busy.

    Who has guessed too often is told nothing of any code, good or bad.
    """
    if not form.voucher_typed:
        return VoucherLook(look_at_tickets(now))
    try:
        with guessing():
            look = look_with_code(read_voucher_code(form.voucher_typed), now)
            if isinstance(look.refusal, VoucherUnknown):
                raise look.refusal
    except (RateLimited, VoucherUnknown) as refusal:
        return VoucherLook(look_at_tickets(now), refusal=refusal)
    return look


@contextmanager
def guessing() -> Iterator[None]:
    """Count a code that turns out to be unknown inside the block. Raises RateLimited before it."""
    who = caller()
    if _is_over(who):
        raise RateLimited(retry_after=PAUSE)
    try:
        yield
    except VoucherUnknown:
        if limiter.enabled:
            for each in GUESSES:
                limiter.limiter.hit(each, SCOPE, who)
        raise


def is_in_address() -> bool:
    """Tell whether the address names a code."""
    return bool(request.args.get("voucher"))


def _is_over(who: str) -> bool:
    if not limiter.enabled:
        return False
    return not all(limiter.limiter.test(each, SCOPE, who) for each in GUESSES)

"""Codes that visitors type: what they see with one, and how often they may guess."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import g, request

from app.extensions import limiter
from app.forms.checkout import CheckoutForm
from app.forms.voucher_code import read_voucher_code
from app.routes.credentials import caller
from app.services.selling.shop_window import look_at_tickets
from app.services.selling.voucher_look import VoucherLook, look_with_code
from app.services.selling.voucher_refusals import VoucherUnknown

# A street of buyers may share an address and a typing error; nobody guesses a code in so few tries.
GUESSES = "60 per minute; 600 per hour"
SCOPE = "voucher-guesses"


def look_for(form: CheckoutForm, now: datetime) -> VoucherLook:
    """Return the catalogue as the visitor sees it with the code they typed, if any. Raises Busy."""
    if not form.voucher_typed:
        return VoucherLook(look_at_tickets(now))
    look = look_with_code(read_voucher_code(form.voucher_typed), now)
    note_guess(look.refusal)
    return look


def note_guess(refusal: BaseException | None) -> None:
    """Count this request as a guess when its code is unknown."""
    if isinstance(refusal, VoucherUnknown):
        g.guessed_voucher = True


def limits_guesses(has_code: Callable[[], Any]) -> Callable[..., Any]:
    """Limit how many unknown codes one address may try, over all pages and the API together."""
    return limiter.shared_limit(
        GUESSES,
        scope=SCOPE,
        key_func=caller,
        exempt_when=lambda: not has_code(),
        deduct_when=lambda _response: g.get("guessed_voucher", False),
    )


def is_in_address() -> bool:
    """Tell whether the address names a code."""
    return bool(request.args.get("voucher"))


def is_in_form() -> bool:
    """Tell whether the form that was sent names a code."""
    return bool(request.form.get("voucher"))


def is_in_body() -> bool:
    """Tell whether the JSON that was sent names a code."""
    body = request.get_json(silent=True)
    return isinstance(body, dict) and bool(body.get("voucher"))

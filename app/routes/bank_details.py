"""The protected page where a buyer names the bank account a refund goes to."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from app.clock import utcnow
from app.errors import OrderNotFound, ValidationFailed, Words
from app.extensions import limiter
from app.models import Order, Refund
from app.routes.error_handlers import may_refuse
from app.routes.order_actions import LIMIT, SEND_AGAIN
from app.routes.orders import Notice, get_order, keep_private
from app.services.money.bank_details import (
    NAME_LENGTH,
    BankDetailsNotNeeded,
    give_bank_details,
)
from app.services.money.order_money import look_at_money

LONGEST = {"bank_name": NAME_LENGTH, "account_number": 50, "account_holder": NAME_LENGTH}

bp = Blueprint("bank_details", __name__)
bp.after_request(keep_private)


@bp.errorhandler(CSRFError)
@may_refuse
def ask_again(_error: CSRFError) -> ResponseReturnValue:
    """Show the form again, everything kept, when its protection against forgery ran out."""
    order, refund = _get_refund((request.view_args or {}).get("token", ""))
    return _page(order, refund, notice=SEND_AGAIN), 400


@bp.get("/orders/<token>/bank-details")
def show(token: str) -> ResponseReturnValue:
    """Ask for the account, only while the refund needs it."""
    order, refund = _get_refund(token)
    if not refund.needs_bank_details:
        return redirect(url_for("orders.show", token=token), code=303)
    return _page(order, refund)


@bp.post("/orders/<token>/bank-details")
@limiter.limit(LIMIT)
def submit(token: str) -> ResponseReturnValue:
    """Keep the account for the transfer; what cannot be used comes back with the reason."""
    order, refund = _get_refund(token)
    try:
        give_bank_details(refund.reference_id, token, **_typed())
    except ValidationFailed as refusal:
        errors = {error.field: error.message for error in refusal.errors}
        return _page(order, refund, errors), refusal.status
    except BankDetailsNotNeeded:
        pass  # sent twice, or overtaken: the order's page says how it stands
    return redirect(url_for("orders.show", token=token), code=303)


def _get_refund(token: str) -> tuple[Order, Refund]:
    """Return the order and the refund the address names. Raises OrderNotFound."""
    order = get_order(token)
    wanted = request.args.get("refund", "")
    for refund in look_at_money(order, utcnow()).refunds:
        if refund.reference_id == wanted:
            return order, refund
    raise OrderNotFound


def _typed() -> dict[str, str]:
    """Return the form's fields, no longer than they may be typed."""
    return {name: request.form.get(name, "")[: most + 1] for name, most in LONGEST.items()}


def _page(
    order: Order,
    refund: Refund,
    errors: Mapping[str, Words] | None = None,
    notice: Notice | None = None,
) -> str:
    address = url_for("bank_details.show", token=order.token, refund=refund.reference_id)
    return render_template(
        "orders/bank_details.html",
        order=order,
        refund=refund,
        typed=_typed(),
        longest=LONGEST,
        errors=errors or {},
        notice=notice,
        here=address,
    )

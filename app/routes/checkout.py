"""Checkout: choose, fill in, and leave for the payment page. One form, one URL."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError

from app.clock import utcnow
from app.errors import (
    DomainError,
    FieldError,
    IdempotencyKeyReused,
    RateLimited,
    SoldOut,
    Words,
)
from app.extensions import limiter
from app.forms.checkout import CheckoutForm, Line, as_fields
from app.forms.fields import EMAIL_LENGTH, EXAMPLE_PHONE, NAME_LENGTH, PHONE_LENGTH
from app.gateways import current_gateways, current_settings
from app.models import SaleStatus
from app.routes.htmx import render, wants_fragment
from app.routes.language import current_language, switch_to
from app.services.money.invoicing import try_open_invoice
from app.services.selling.catalogue import TicketOnSale, list_tickets
from app.services.selling.ordering import IdempotencyRef, PlacedOrder, place_order
from app.tracing import current_request_id

RATE_SECONDS = 60

bp = Blueprint("checkout", __name__)


@dataclass(frozen=True)
class Notice:
    """What the top of the form says after a send that made no order."""

    title: Words
    detail: Words = ""
    status: int = 200
    retry_after: int | None = None


TOTAL_CHANGED = Notice(
    _l("The total has changed"),
    _l("You changed the tickets, or a price changed. Look at the new total, then go on."),
    status=422,
)
FORM_USED = Notice(
    _l("This form was already used for an order"),
    _l(
        "That order is safe: its link is in your e-mail once it is paid. To place another order "
        "with what you see here, send the form again."
    ),
    status=422,
)
PAGE_TOO_OLD = Notice(
    _l("This page was open for a long time"),
    _l(
        "Please look it over and send it again: nothing you typed was lost. "
        "Your browser must allow cookies."
    ),
    status=400,
)


def _is_no_order() -> bool:
    return request.form.get("intent") != "pay"


@bp.get("/checkout")
def show() -> ResponseReturnValue:
    """Show the form for the quantities in the address."""
    return _form_page(CheckoutForm.from_values(request.args))


# Mobile carriers put thousands of buyers behind one address: only a flood meets these limits.
@bp.post("/checkout")
@limiter.limit(f"1200 per {RATE_SECONDS} seconds")
@limiter.limit(f"120 per {RATE_SECONDS} seconds", exempt_when=_is_no_order)
def submit() -> ResponseReturnValue:
    """Do what the form's `intent` says: `pay`, `validate` one field, or else show it updated.

    With `language` it comes back in that one.
    """
    form = CheckoutForm.from_values(request.form)
    intent = request.form.get("intent")
    switch_to(request.form.get("language", ""))
    if intent == "validate":
        return _field_error(form, request.form.get("field", ""))
    return _pay(form) if intent == "pay" else _form_page(form)


@bp.errorhandler(CSRFError)
def renew_form(_error: CSRFError) -> ResponseReturnValue:
    """Show the form again, everything kept, when its protection against forgery ran out."""
    return _turn_away(PAGE_TOO_OLD)


@bp.errorhandler(RateLimitExceeded)
def slow_down(_error: RateLimitExceeded) -> ResponseReturnValue:
    """Show the form again, everything kept, when too much was sent."""
    refusal = RateLimited(retry_after=RATE_SECONDS)
    return _turn_away(_notice(refusal))


def _turn_away(notice: Notice) -> ResponseReturnValue:
    """Answer what was stopped before anybody read it: with the form, or a notice for htmx."""
    if not wants_fragment():
        return _form_page(CheckoutForm.from_values(request.form), notice)
    problem = {
        "title": notice.title,
        "detail": notice.detail,
        "request_id": current_request_id(),
    }
    return render_template("errors/_problem.html", problem=problem), notice.status


def _pay(form: CheckoutForm) -> ResponseReturnValue:
    """Place the order and lead to its invoice; a refusal brings the form back, all kept."""
    form = form.with_token()
    try:
        if form.has_unseen_total(form.lines(_tickets(form))):
            return _form_page(form, TOTAL_CHANGED)
        placed = place_order(
            form.parse(current_language()),
            now=utcnow(),
            settings=current_settings(),
            idempotency=IdempotencyRef(scope="form", key=form.order_token),
        )
    except IdempotencyKeyReused:
        return _form_page(form.with_token(fresh=True), FORM_USED)
    except DomainError as refusal:
        return _refused(form, refusal)
    return redirect(_next_page(placed), code=303)


def _next_page(placed: PlacedOrder) -> str:
    """Return the invoice's address, or the order page when it is free or has to wait."""
    order_page = url_for("orders.show", token=placed.token)
    if placed.is_paid:
        return order_page
    invoice_url = try_open_invoice(
        placed, now=utcnow(), gateway=current_gateways().xendit, settings=current_settings()
    )
    return invoice_url or order_page


def _refused(form: CheckoutForm, refusal: DomainError) -> ResponseReturnValue:
    errors = {_field_name(form, e): e.message for e in getattr(refusal, "errors", ())}
    left = refusal.available if isinstance(refusal, SoldOut) else {}
    return _form_page(form, _notice(refusal), errors, left)


def _notice(refusal: DomainError) -> Notice:
    return Notice(refusal.title, refusal.detail, refusal.status, refusal.retry_after)


def _field_name(form: CheckoutForm, error: FieldError) -> str:
    """Return the form's name of a field that a service calls `items.<index>.…`."""
    match error.field.split("."):
        case ["items", index, _name]:
            return f"t{list(form.quantities)[int(index)]}"
    return error.field


def _form_page(
    form: CheckoutForm,
    notice: Notice | None = None,
    errors: Mapping[str, Words] | None = None,
    left: Mapping[int, int] | None = None,
) -> ResponseReturnValue:
    form = form.with_token()
    lines = form.lines(_tickets(form, left or {}))
    context: dict[str, Any] = {
        "form": form,
        "lines": lines,
        "total": sum(line.subtotal for line in lines),
        "notice": notice,
        # Where a change of language leads: a sent form has an address without quantities.
        "here": url_for("checkout.show", **as_fields(form.quantities)),
        "shortages": _shortages(lines),
        "errors": {**_shortages(lines), **(errors or {})},
        "labels": {f"t{line.ticket.id}": line.ticket.type for line in lines},
        "example_phone": EXAMPLE_PHONE,
        "longest": {"full_name": NAME_LENGTH, "email": EMAIL_LENGTH, "no_hp": PHONE_LENGTH},
    }
    body = render("checkout/index.html", "checkout/_form.html", **context)
    # Not no-store: on the way back from Xendit the browser shows the form as it was left, with
    # its one-time token, so that paying again leads to the same order.
    headers = {"Cache-Control": "private, no-cache"}
    if notice and notice.retry_after:
        headers["Retry-After"] = str(notice.retry_after)
    return body, notice.status if notice else 200, headers


def _tickets(form: CheckoutForm, left: Mapping[int, int] | None = None) -> list[TicketOnSale]:
    """Return what is in its sale period, and what was chosen though it is not."""
    listed = [
        ticket
        for ticket in list_tickets(utcnow(), include_all=True)
        if ticket.status in (SaleStatus.ON_SALE, SaleStatus.SOLD_OUT) or form.quantity(ticket.id)
    ]
    return [replace(t, available=(left or {}).get(t.id, t.available)) for t in listed]


def _shortages(lines: list[Line]) -> dict[str, Words]:
    return {f"t{line.ticket.id}": _shortage(line) for line in lines if line.is_too_many}


def _shortage(line: Line) -> Words:
    """Say why what was chosen of a ticket cannot be had."""
    match line.ticket.status:
        case SaleStatus.UPCOMING:
            return _("The sale of this ticket has not opened yet. Choose 0.")
        case SaleStatus.ENDED:
            return _("The sale of this ticket has ended. Choose 0.")
    if line.ticket.available <= 0 or line.ticket.status is SaleStatus.SOLD_OUT:
        return _("This ticket is sold out. Choose 0.")
    return ngettext(
        "Only %(num)d left. Choose fewer.",
        "Only %(num)d left. Choose fewer.",
        line.ticket.available,
    )


def _field_error(form: CheckoutForm, name: str) -> str:
    error = form.check(name)
    return render_template(
        "checkout/_field_error.html", name=name, message=error.message if error else None
    )

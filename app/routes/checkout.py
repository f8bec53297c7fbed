"""Checkout: choose, fill in, and leave for the payment page. One form, one URL."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
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
from app.forms.checkout import CheckoutForm, Line
from app.forms.fields import EMAIL_LENGTH, EXAMPLE_PHONE, NAME_LENGTH, PHONE_LENGTH
from app.gateways import current_gateways, current_settings
from app.routes import fair_door
from app.routes.blank_checkout import CSRF_MARK, blank_form, is_blank
from app.routes.checkout_look import listed, look_at, look_now
from app.routes.checkout_notices import (
    FORM_USED,
    PAGE_TOO_OLD,
    TOTAL_CHANGED,
    Notice,
    notice_of,
    question,
    shortages,
)
from app.routes.error_handlers import may_refuse
from app.routes.gone_page import gone_answer, gone_page, is_too_late
from app.routes.htmx import render, wants_fragment
from app.routes.language import current_language, switch_to
from app.routes.own_orders import has_made, list_own_orders, remember
from app.routes.refilling import take_typed
from app.services.money import invoice_line
from app.services.money.invoicing import try_open_invoice
from app.services.selling.ordering import (
    IdempotencyRef,
    OrderRequest,
    PlacedOrder,
    place_order,
)
from app.services.selling.placed_orders import is_used
from app.services.selling.shop_window import has_vouchers
from app.services.selling.sold_out import refuse_if_gone
from app.tracing import current_request_id

RATE_SECONDS = 60
PAY = ("pay", "pay_suggested")
# Not no-store: on the way back from Xendit the browser shows the form as it was left, with its
# one-time token, so that paying again leads to the same order.
HEADERS = {"Cache-Control": "private, no-cache"}

bp = Blueprint("checkout", __name__)


@bp.before_request
def guard() -> ResponseReturnValue | None:
    """Let a visitor through in turn; who wants what is gone is told so instead of waiting."""
    return None if is_too_late() else fair_door.guard()


@bp.get("/checkout")
def show() -> ResponseReturnValue:
    """Show the form for the quantities in the address, or that all of them are gone."""
    if is_too_late():
        return gone_page()
    typed = take_typed()
    if typed or fair_door.current_turn() or not is_blank():
        return _form_page(CheckoutForm.from_values({**typed, **request.args}))
    return blank_form(_draw_blank, utcnow()), HEADERS


def _draw_blank(form: CheckoutForm) -> str:
    return _draw(form, csrf_token=lambda: CSRF_MARK)


def _is_no_order() -> bool:
    return request.form.get("intent") not in PAY


# Mobile carriers put thousands of buyers behind one address: only a flood meets these limits.
@bp.post("/checkout")
@limiter.limit(f"1200 per {RATE_SECONDS} seconds")
@limiter.limit(f"120 per {RATE_SECONDS} seconds", exempt_when=_is_no_order)
def submit() -> ResponseReturnValue:
    """Do what the form's `intent` says: `pay`, `validate` one field, or else show it updated.

    `suggested` takes the address that was probably meant, `pay_suggested` does both. With
    `language` it comes back in that one.
    """
    form = CheckoutForm.from_values(request.form)
    intent = request.form.get("intent")
    switch_to(request.form.get("language", ""))
    if intent == "validate":
        return _field_error(form, request.form.get("field", ""))
    if intent in ("suggested", "pay_suggested"):
        form = form.with_suggested_email()
    return _pay(form) if intent in PAY else _form_page(form)


@bp.errorhandler(CSRFError)
@may_refuse
def renew_form(_error: CSRFError) -> ResponseReturnValue:
    """Show the form again, everything kept, when its protection against forgery ran out."""
    return _turn_away(PAGE_TOO_OLD)


@bp.errorhandler(RateLimitExceeded)
@may_refuse
def slow_down(_error: RateLimitExceeded) -> ResponseReturnValue:
    """Show the form again, everything kept, when too much was sent."""
    refusal = RateLimited(retry_after=RATE_SECONDS)
    return _turn_away(notice_of(refusal))


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
    key = IdempotencyRef(scope="form", key=form.order_token)
    try:
        # Before all else: who comes too late are many, and wait for each other.
        refuse_if_gone(form.quantities, utcnow(), unless=lambda: is_used(key))
        look = look_now(form)
        if isinstance(look.refusal, RateLimited):
            raise look.refusal
        # A code may be used up by this very form, sent before: only the order itself tells.
        if look.refusal is None and form.has_unseen_total(form.lines(listed(form, look))):
            return _form_page(form, TOTAL_CHANGED)
        order = form.parse(current_language())
        if doubt := _doubt(form, order):
            return _form_page(form, doubt)
        now = utcnow()
        with fair_door.using_turn(order, form.order_token):
            placed = place_order(
                order,
                now=now,
                settings=current_settings(),
                idempotency=key,
                has_head_start=invoice_line.is_free(now),
            )
    except IdempotencyKeyReused:
        used = replace(FORM_USED, own_orders=list_own_orders(form.text("email")))
        return _form_page(form.with_token(fresh=True), used)
    except DomainError as refusal:
        return _refused(form, refusal)
    remember(form.order_token, placed.token)
    return redirect(_next_page(placed), code=303)


def _doubt(form: CheckoutForm, order: OrderRequest) -> Notice | None:
    """Return what the buyer has to be asked first, each thing once; a repeat is let through."""
    if has_made(form.order_token):
        return None
    own_orders = list_own_orders(order.buyer.email)
    asked = form.text("asked_orders").split()
    if all(own.code in asked for own in own_orders):
        own_orders = []
    return question(own_orders, form.suggested_email if form.has_unasked_email else None)


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
    if (
        isinstance(refusal, SoldOut)
        and not any(refusal.available.values())
        and not wants_fragment()
    ):
        return gone_answer(refusal.available.keys())
    errors = {_field_name(form, e): e.message for e in getattr(refusal, "errors", ())}
    left = refusal.available if isinstance(refusal, SoldOut) else {}
    return _form_page(form, notice_of(refusal), errors, left)


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
    body = _draw(form, notice, errors, left)
    headers = dict(HEADERS)
    if notice and notice.retry_after:
        headers["Retry-After"] = str(notice.retry_after)
    return body, notice.status if notice else 200, headers


def _draw(
    form: CheckoutForm,
    notice: Notice | None = None,
    errors: Mapping[str, Words] | None = None,
    left: Mapping[int, int] | None = None,
    **more: Any,
) -> str:
    look = look_at(form, left)
    tickets = listed(form, look, left)
    form = form.with_token().stepped(tickets)
    lines = form.lines(tickets)
    missing = shortages(lines)
    of_code = {"voucher": look.refusal.detail} if look.refusal else {}
    context: dict[str, Any] = {
        "form": form,
        "lines": lines,
        "total": sum(line.subtotal for line in lines),
        "available_total": sum(
            line.subtotal for line in lines if f"t{line.ticket.id}" not in missing
        ),
        "look": look,
        "takes_codes": bool(form.voucher_typed) or has_vouchers(utcnow()),
        "notice": notice,
        "shortages": missing,
        "errors": {**form.unreadable(), **missing, **of_code, **(errors or {})},
        "labels": _labels(lines),
        "example_phone": EXAMPLE_PHONE,
        "turn": fair_door.current_turn(),
        "longest": {"full_name": NAME_LENGTH, "email": EMAIL_LENGTH, "no_hp": PHONE_LENGTH},
    }
    return render("checkout/index.html", "checkout/_form.html", **context, **more)


def _labels(lines: list[Line]) -> dict[str, tuple[str, int | None]]:
    """Return what the summary of mistakes calls a field: its ticket, and the seat's number."""
    labels: dict[str, tuple[str, int | None]] = {}
    for line in lines:
        ticket = line.ticket
        labels[f"t{ticket.id}"] = (ticket.type, None)
        for number in range(1, len(line.attendees) + 1):
            labels[f"a{ticket.id}_{number}"] = (ticket.type, number)
    return labels


def _field_error(form: CheckoutForm, name: str) -> str:
    error = form.check(name)
    return render_template(
        "checkout/_field_error.html",
        form=form,
        name=name,
        message=error.message if error else None,
    )

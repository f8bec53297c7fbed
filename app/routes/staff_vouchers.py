"""Vouchers: codes that open hidden tickets, lower prices, or both. For admins."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import FieldRefusal, Words
from app.formatting import rupiah, zone_name
from app.forms.typed import TypedForm
from app.forms.vouchers import (
    NEW_FIELDS,
    NEW_VOUCHER,
    VOUCHER_FIELDS,
    read_codes,
    read_voucher,
    voucher_as_typed,
)
from app.gateways import current_settings
from app.models import Role, VoucherEffect
from app.routes.access import requires_role
from app.routes.staff import the_member
from app.routes.staff_forms import Conflict, tell_conflicts
from app.services.selling import ticket_editing, voucher_editing
from app.services.selling.catalogue_refusals import ChangedMeanwhile
from app.services.selling.ticket_editing import TicketOverview
from app.services.selling.voucher_editing import MOST_AT_ONCE, VoucherOverview
from app.services.selling.wishes import VoucherWish

bp = Blueprint("staff_vouchers", __name__, url_prefix="/staff/vouchers")

PAGE_LENGTH = 50
LONGEST_CODE = 32
LONGEST_ID = 9
DONE = {
    "added": _l("The voucher was made. It works from now on."),
    "changed": _l("The change is in force."),
    "retired": _l("The code does nothing any more. Orders placed with it keep their price."),
    "reopened": _l("The code works again."),
}
NAMES: Mapping[str, Words] = {
    "count": _l("How many codes"),
    "code": _l("Code"),
    "effect": _l("What it does to the price"),
    "value": _l("How much"),
    "ticket_ids": _l("Tickets"),
    "max_seats": _l("Good for how many seats"),
    "valid_from": _l("Good from"),
    "valid_until": _l("Good until"),
    "note": _l("Note"),
}
EFFECTS: Mapping[str, Words] = {
    VoucherEffect.NONE.value: _l("Leaves the price as it is"),
    VoucherEffect.PERCENT.value: _l("Takes off a percentage"),
    VoucherEffect.AMOUNT_OFF.value: _l("Takes off rupiah, for each seat"),
    VoucherEffect.FIXED_PRICE.value: _l("Sets the price of each seat, in rupiah"),
}


@bp.get("")
@requires_role(Role.ADMIN)
def show_all() -> str:
    """List vouchers, the newest first, a page at a time; found by how their code begins."""
    search, before = _search(), request.args.get("before", type=int)
    found = voucher_editing.list_vouchers(search=search, before=before, limit=PAGE_LENGTH + 1)
    vouchers, has_more = found[:PAGE_LENGTH], len(found) > PAGE_LENGTH
    return render_template(
        "staff/vouchers/list.html",
        vouchers=vouchers,
        search=search,
        older=vouchers[-1].id if has_more else None,
        count=len(vouchers),
    )


@bp.get("/links")
@requires_role(Role.ADMIN)
def show_links() -> str:
    """Show the links of some vouchers, one a line, to copy them all at once."""
    count = min(max(request.args.get("count", PAGE_LENGTH, type=int), 1), MOST_AT_ONCE)
    before = request.args.get("before", type=int)
    found = voucher_editing.list_vouchers(search=_search(), before=before, limit=count)
    codes = [one.code for one in found]
    return render_template("staff/vouchers/links.html", codes=codes)


@bp.get("/new")
@requires_role(Role.ADMIN)
def ask() -> ResponseReturnValue:
    """Ask for new vouchers, for the ticket that the address names if any."""
    ticket_ids = request.args.get("ticket", "")[:LONGEST_ID]
    return _new_page(TypedForm.of({**NEW_VOUCHER, "ticket_ids": ticket_ids}))


@bp.post("/new")
@requires_role(Role.ADMIN)
def add() -> ResponseReturnValue:
    """Make one voucher, or many at once with codes of their own."""
    form, tickets = TypedForm.sent(request.form, NEW_FIELDS), _tickets()
    try:
        wish = read_voucher(form.typed, current_settings().event.timezone, tickets)
        made = _make(*read_codes(form.typed), wish)
    except FieldRefusal as refusal:
        form.note(refusal.errors)
        return _new_page(form, 422)
    if len(made) == 1:
        here = url_for("staff_vouchers.show", voucher_id=made[0], done="added")
        return redirect(here, code=303)
    return redirect(_links_of(made), code=303)


@bp.get("/<int:voucher_id>")
@requires_role(Role.ADMIN)
def show(voucher_id: int) -> ResponseReturnValue:
    """Show a voucher with its link, to change."""
    voucher = voucher_editing.get_voucher(voucher_id)
    zone = current_settings().event.timezone
    return _page(TypedForm.of(voucher_as_typed(voucher.wish, zone)), voucher)


@bp.post("/<int:voucher_id>")
@requires_role(Role.ADMIN)
def change(voucher_id: int) -> ResponseReturnValue:
    """Change a voucher; where somebody else changed the same meanwhile, show both instead."""
    form, tickets = TypedForm.sent(request.form, VOUCHER_FIELDS), _tickets()
    zone, voucher = current_settings().event.timezone, voucher_editing.get_voucher(voucher_id)
    try:
        wish = read_voucher(form.typed, zone, tickets, voucher.wish)
        seen = read_voucher(form.was, zone, tickets, voucher.wish)
        by, now = the_member().actor, utcnow()
        voucher_editing.change_voucher(voucher_id, wish, seen=seen, by=by, now=now)
    except ChangedMeanwhile as refusal:
        there = voucher_as_typed(refusal.now, zone)
        conflicts = _conflicts(refusal.fields, form.typed, there, tickets)
        return _page(form.rebased(there), voucher, conflicts, 409)
    except FieldRefusal as refusal:
        form.note(refusal.errors)
        return _page(form, voucher, status=422)
    here = url_for("staff_vouchers.show", voucher_id=voucher_id, done="changed")
    return redirect(here, code=303)


@bp.post("/<int:voucher_id>/retire")
@requires_role(Role.ADMIN)
def retire(voucher_id: int) -> ResponseReturnValue:
    """Let a code do nothing any more."""
    voucher_editing.retire_voucher(voucher_id, by=the_member().actor, now=utcnow())
    here = url_for("staff_vouchers.show", voucher_id=voucher_id, done="retired")
    return redirect(here, code=303)


@bp.post("/<int:voucher_id>/reopen")
@requires_role(Role.ADMIN)
def reopen(voucher_id: int) -> ResponseReturnValue:
    """Let a retired code work again."""
    voucher_editing.reopen_voucher(voucher_id, by=the_member().actor, now=utcnow())
    here = url_for("staff_vouchers.show", voucher_id=voucher_id, done="reopened")
    return redirect(here, code=303)


# --- codes and links ----------------------------------------------------------------------------


def _make(count: int, code: str, wish: VoucherWish) -> list[int]:
    """Make vouchers and return their ids, the newest first."""
    by, now = the_member().actor, utcnow()
    if count == 1 and code:
        return [voucher_editing.create_voucher(code, wish, by=by, now=now)]
    codes = voucher_editing.create_vouchers(count, wish, prefix=code, by=by, now=now)
    newest = voucher_editing.list_vouchers(search=code, limit=MOST_AT_ONCE)
    return [one.id for one in newest if one.code in set(codes)]


def _links_of(ids: Sequence[int]) -> str:
    """Return the address of the links of vouchers that were made one after the other."""
    return url_for("staff_vouchers.show_links", before=ids[0] + 1, count=len(ids))


def _search() -> str:
    return request.args.get("search", "").strip().upper()[:LONGEST_CODE]


# --- words --------------------------------------------------------------------------------------


@bp.app_template_filter()
def voucher_effect(wish: VoucherWish) -> str:
    """Return what a voucher does to the price: `20% off`."""
    if wish.effect is VoucherEffect.PERCENT:
        return str(_("%(num)d%% off", num=wish.value))
    if wish.effect is VoucherEffect.AMOUNT_OFF:
        return str(_("%(amount)s off each seat", amount=rupiah(wish.value)))
    if wish.effect is VoucherEffect.FIXED_PRICE:
        return str(_("%(amount)s each seat", amount=rupiah(wish.value)))
    return str(_("Full price"))


@bp.app_template_filter()
def voucher_link(code: str) -> str:
    """Return the link that brings a buyer to the shop with this code."""
    return f"{current_settings().public_url}{url_for('catalogue.index', voucher=code)}"


def _conflicts(
    fields: Sequence[str],
    typed: Mapping[str, str],
    there: Mapping[str, str],
    tickets: Mapping[int, TicketOverview],
) -> list[Conflict]:
    def say(field: str, value: str) -> str:
        if field == "ticket_ids":
            chosen = [tickets[int(one)].wish.type for one in value.split(",") if one]
            return ", ".join(chosen) or str(_("all that are not hidden"))
        return str(EFFECTS[value]) if field == "effect" else value

    return tell_conflicts(fields, typed, there, names=NAMES, say=say)


# --- pages --------------------------------------------------------------------------------------


def _tickets() -> dict[int, TicketOverview]:
    return {ticket.id: ticket for ticket in ticket_editing.list_all_tickets(utcnow())}


def _context(form: TypedForm) -> dict[str, Any]:
    chosen = {int(one) for one in form.typed["ticket_ids"].split(",") if one.isdecimal()}
    tickets = _tickets().values()
    return {
        "form": form,
        "chosen": chosen,
        "tickets": [one for one in tickets if not one.retired_at or one.id in chosen],
        "effects": list(EFFECTS.items()),
        "names": NAMES,
        "zone": zone_name(utcnow(), current_settings().event.timezone),
        "here": request.path,
    }


def _new_page(form: TypedForm, status: int = 200) -> tuple[str, int]:
    page = render_template("staff/vouchers/new.html", **_context(form), most=MOST_AT_ONCE)
    return page, status


def _page(
    form: TypedForm,
    voucher: VoucherOverview,
    conflicts: list[Conflict] | None = None,
    status: int = 200,
) -> tuple[str, int]:
    page = render_template(
        "staff/vouchers/voucher.html",
        **_context(form),
        voucher=voucher,
        conflicts=conflicts or [],
        done=DONE.get(request.args.get("done", "")),
    )
    return page, status

"""Orders for staff: found, listed, and each with its whole story. For finance and admins."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum
from itertools import groupby
from typing import TypeVar
from urllib.parse import urlencode

from babel.numbers import format_decimal
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.errors import OrderNotFound
from app.formatting import zone_name
from app.gateways import current_settings
from app.models import OrderStatus, PaymentStatus, Role
from app.routes import order_words
from app.routes.access import requires_role
from app.routes.audit_words import SAID_BY
from app.routes.language import current_language
from app.services.office import order_search, order_story
from app.services.office.happenings import Happening
from app.services.office.order_actions import possible
from app.services.office.order_print import fingerprint
from app.services.office.order_search import OrderFilter, OrderPage
from app.services.office.order_text import MOST

bp = Blueprint("staff_orders", __name__, url_prefix="/staff/orders")

FIELDS = (
    *("q", "state", "payment", "ticket", "channel", "voucher"),
    *("since", "until", "case", "refund"),
)
LONGEST = 254
BIGGEST_ID = 2**63

Kind = TypeVar("Kind", bound=Enum)


@bp.get("")
@requires_role(Role.FINANCE, Role.ADMIN)
def show_all() -> ResponseReturnValue:
    """List the orders that are wanted, the newest first; a key leads straight to its order."""
    typed = {name: _typed(name) for name in FIELDS}
    kept = {name: value for name, value in typed.items() if value}
    before = request.args.get("before", "")[:LONGEST]
    wanted = _read_filter(typed, current_settings().event.timezone)
    page = order_search.search_orders(wanted, before=before or None)
    if page.only and kept.keys() == {"q"}:
        return redirect(url_for("staff_orders.show", code=page.only), code=303)
    return render_template(
        "staff/orders/index.html",
        page=page,
        typed=typed,
        is_searched=bool(kept),
        is_narrowed=bool(kept.keys() - {"q"}),
        older=_address(kept | {"before": page.older}) if page.older else None,
        newest=_address(kept) if before else None,
        channels=order_search.list_channels(),
        tickets=order_search.list_ticket_names(),
        count=_say_count(page),
        words=order_words,
        here=request.full_path,
    )


@bp.get("/<code>")
@requires_role(Role.FINANCE, Role.ADMIN)
def show(code: str) -> ResponseReturnValue:
    """Show an order: how it stands, what may be done with it, and all that happened to it."""
    story = order_story.tell_order(code)
    if story is None:
        raise OrderNotFound
    zone, now = current_settings().event.timezone, utcnow()
    return render_template(
        "staff/orders/show.html",
        story=story,
        order=story.order,
        facts=story.facts,
        money=story.money,
        days=_by_day(story.happenings, zone),
        actions=possible(story.facts),
        seen=fingerprint(story.facts),
        words=order_words,
        now=now,
        zone=zone_name(now, zone),
        here=url_for("staff_orders.show", code=code),
        **SAID_BY,
    )


def _read_filter(typed: Mapping[str, str], zone: tzinfo) -> OrderFilter:
    """Return what is wanted, by whole days of the event's zone; what cannot be is left out."""
    ticket = typed["ticket"]
    return OrderFilter(
        text=typed["q"],
        status=_one_of(OrderStatus, typed["state"]),
        payment=_one_of(PaymentStatus, typed["payment"]),
        ticket_id=min(int(ticket), BIGGEST_ID - 1)
        if ticket.isascii() and ticket.isdigit()
        else None,
        channel=typed["channel"],
        voucher=typed["voucher"],
        since=_midnight(typed["since"], zone),
        until=_midnight(typed["until"], zone, days=1),
        has_case=bool(typed["case"]),
        has_refund=bool(typed["refund"]),
    )


def _typed(name: str) -> str:
    """Return what was typed into a field, without what nobody can type."""
    value = request.args.get(name, "")[:LONGEST]
    return "".join(sign for sign in value if sign.isprintable()).strip()


def _one_of(kind: type[Kind], value: str) -> Kind | None:
    return next((one for one in kind if one.value == value), None)


def _midnight(day: str, zone: tzinfo, *, days: int = 0) -> datetime | None:
    try:
        wanted = date.fromisoformat(day) + timedelta(days=days)
        return datetime.combine(wanted, time(), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _address(fields: Mapping[str, str]) -> str:
    return f"{url_for('staff_orders.show_all')}?{urlencode(fields)}"


def _say_count(page: OrderPage) -> str | None:
    """Return the number of hits as people read it; None where nobody counted, or beyond MOST."""
    if page.count is None or page.count > MOST:
        return None
    return str(format_decimal(page.count, locale=current_language()))


def _by_day(
    happenings: Sequence[Happening], zone: tzinfo
) -> list[tuple[datetime, list[Happening]]]:
    """Return happenings by days of the event's zone, each day with its first moment."""
    days = groupby(happenings, key=lambda one: one.at.astimezone(zone).date())
    lists = [list(members) for _, members in days]
    return [(members[0].at, members) for members in lists]

"""Finance: what was sold and where the money is, for days of the event's zone. And the ledger."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import format_date
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import Words
from app.gateways import current_settings
from app.models import Account, Movement, Role
from app.routes.access import requires_role
from app.services.money import ledger
from app.services.office import sales

bp = Blueprint("staff_finance", __name__, url_prefix="/staff/finance")

MONEY_ROLES = (Role.FINANCE, Role.ADMIN)
LINES = 100
LARGEST_ID = 2**63 - 1
MOVEMENTS: dict[Movement, Words] = {
    Movement.RECEIVED: _l("payment received"),
    Movement.SOLD: _l("sold"),
    Movement.CANCELLED: _l("sale taken back"),
    Movement.ACCEPTED: _l("accepted as paid"),
    Movement.REFUND_DUE: _l("refund promised"),
    Movement.REFUNDED: _l("refund sent"),
    Movement.CHARGED: _l("charged by Xendit"),
    Movement.SETTLED: _l("settled by Xendit"),
    Movement.PAID_OUT: _l("paid out by Xendit"),
    Movement.CORRECTED: _l("entered by hand"),
}
ACCOUNTS: dict[Account, Words] = {
    Account.SALES: _l("Sales"),
    Account.BUYERS: _l("Money of buyers"),
    Account.REFUNDS_OWED: _l("Refunds promised"),
    Account.GOODWILL: _l("Goodwill"),
    Account.ACCEPTED: _l("Differences accepted"),
    Account.RECEIVABLE: _l("At Xendit, not settled"),
    Account.BALANCE: _l("Balance at Xendit"),
    Account.BANK: _l("Own bank account"),
    Account.FEE: _l("Xendit's fee"),
    Account.VAT: _l("VAT on the fee"),
    Account.WITHHOLDING: _l("Tax withheld"),
}


@bp.get("")
@requires_role(*MONEY_ROLES)
def show() -> str:
    """Show what was sold over some days, and where the money is."""
    now, zone = utcnow(), current_settings().event.timezone
    today = now.astimezone(zone).date()
    first, last = read_days(today)
    return render_template(
        "staff/finance/overview.html",
        found=sales.look(first, last),
        standing=sales.look_at_now(now, zone),
        presets=_presets(today),
        day=as_moment,
        today=today,
        now=now,
        here=url_for("staff_finance.show"),
    )


@bp.get("/ledger")
@requires_role(*MONEY_ROLES)
def show_ledger() -> str:
    """Show the lines of the ledger for some days, a page at a time."""
    zone = current_settings().event.timezone
    first, last = read_days(utcnow().astimezone(zone).date())
    after = min(request.args.get("after", 0, type=int), LARGEST_ID)
    wanted = request.args.get("account", "")
    account = Account(wanted) if wanted in {one.value for one in Account} else None
    lines = ledger.list_lines(first, last, after=after, limit=LINES + 1, account=account)
    kept: dict[str, Any] = {"since": first, "until": last, "account": account and account.value}
    return render_template(
        "staff/finance/ledger.html",
        first=first,
        last=last,
        lines=lines[:LINES],
        account=account,
        accounts=ACCOUNTS,
        movements=MOVEMENTS,
        day=as_moment,
        first_page=url_for("staff_finance.show_ledger", **kept) if after else None,
        more=url_for("staff_finance.show_ledger", **kept, after=lines[LINES - 1].id)
        if len(lines) > LINES
        else None,
    )


def read_days(today: date) -> tuple[date, date]:
    """Return the days the address or the form asks for; what is no day is left out."""
    return sales.find_days(_read_day("since"), _read_day("until"), today=today)


def as_moment(day: date) -> datetime:
    """Return noon of a day in the event's zone, for filters that write dates of moments."""
    return datetime.combine(day, time(12), current_settings().event.timezone).astimezone(UTC)


@bp.app_template_global()
def short_date(day: date) -> str:
    """Return `23 Jan 2027`."""
    return str(format_date(day, "d\N{NO-BREAK SPACE}MMM\N{NO-BREAK SPACE}y"))


def _read_day(name: str) -> date | None:
    try:
        day = date.fromisoformat(request.values.get(name, ""))
    except ValueError:
        return None
    return day if date(2000, 1, 1) <= day < date(2200, 1, 1) else None


def _presets(today: date) -> list[tuple[str, Words]]:
    days = (
        (today, today, _l("Today")),
        (today - timedelta(days=1), today - timedelta(days=1), _l("Yesterday")),
        (today - timedelta(days=6), today, _l("7 days")),
        (today - timedelta(days=29), today, _l("30 days")),
    )
    here = "staff_finance.show"
    presets = [(url_for(here, since=first, until=last), name) for first, last, name in days]
    return [*presets, (url_for(here), _l("Whole sale"))]

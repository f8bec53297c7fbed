"""Days of the ledger: what each brought, and closing it. For finance and admins."""

from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import NotFound, Words
from app.gateways import current_settings
from app.models import Role
from app.routes import case_words
from app.routes.access import requires_role
from app.routes.proof import requires_fresh_proof
from app.routes.staff import the_member
from app.routes.staff_finance import ACCOUNTS, MOVEMENTS
from app.services.money import settling
from app.services.office import day_close, day_look
from app.services.office.day_close import EXPLANATION_LENGTH
from app.services.office.day_look import Blocker, DayLook

GLUE = "\N{NO-BREAK SPACE}"

bp = Blueprint("staff_days", __name__, url_prefix="/staff/finance/days")

DONE = _l("The day is closed.")
CLOSED_BEFORE = _l("Somebody closed this day a moment before you.")
CHANGED = _l("The figures changed while you looked. Check them again before you close the day.")
EXPLAIN = _l("Say in a sentence why the figures differ from Xendit's.")


@bp.get("")
@requires_role(Role.FINANCE, Role.ADMIN)
def show_all() -> str:
    """List the days with movements of money, the latest first."""
    before = _read_day(request.args.get("before", ""))
    days = day_close.list_days(before=before)
    return render_template(
        "staff/days/list.html",
        days=days,
        today=_today(),
        next_open=_next_to_close(),
        broken=day_close.find_broken_seal(),
        reading=settling.find_last(),
        older=days[-1].day if len(days) == day_close.DAYS_A_PAGE else None,
        day_name=_day_name,
    )


@bp.get("/<day>")
@requires_role(Role.FINANCE, Role.ADMIN)
def show(day: str) -> str:
    """Show what a day brought, and whether it can be closed."""
    look = _look_at(day)
    return render_template(
        "staff/days/day.html",
        **_words_of(look),
        is_altered=look.close is not None and not day_close.is_as_signed(look.close),
        done=_note(request.args.get("done", "")),
        next_open=_next_to_close() if request.args.get("done") else None,
    )


@bp.get("/<day>/close")
@requires_role(Role.FINANCE, Role.ADMIN)
@requires_fresh_proof
def ask_close(day: str) -> ResponseReturnValue:
    """Show the figures that are about to be signed."""
    look = _look_at(day)
    if look.close is not None:
        return redirect(url_for("staff_days.show", day=day), code=303)
    return _close_page(look)


@bp.post("/<day>/close")
@requires_role(Role.FINANCE, Role.ADMIN)
@requires_fresh_proof
def close(day: str) -> ResponseReturnValue:
    """Sign the day as it was shown, unless something stands against it."""
    wanted = _get_day(day)
    try:
        day_close.close_day(
            wanted,
            seen=request.form.get("seen", ""),
            explanation=request.form.get("explanation", ""),
            by=the_member().actor,
            now=utcnow(),
            zone=current_settings().event.timezone,
        )
    except day_close.AlreadyClosed:
        return redirect(url_for("staff_days.show", day=day, done="before"), code=303)
    except day_close.NotClosable:
        return _close_page(_look_at(day)), 409
    except day_close.DayChanged:
        return _close_page(_look_at(day), {"seen": CHANGED}), 409
    except day_close.ExplanationNeeded:
        return _close_page(_look_at(day), {"explanation": EXPLAIN}), 422
    return redirect(url_for("staff_days.show", day=day, done="closed"), code=303)


def _close_page(look: DayLook, errors: dict[str, Words] | None = None) -> str:
    return render_template(
        "staff/days/close.html",
        **_words_of(look),
        errors=errors or {},
        seen=look.seen,
        explanation=request.form.get("explanation", "")[:EXPLANATION_LENGTH],
        longest=EXPLANATION_LENGTH,
    )


def _words_of(look: DayLook) -> dict[str, object]:
    return {
        "look": look,
        "figures": look.figures,
        "verdicts": case_words.VERDICTS,
        "movements": MOVEMENTS,
        "accounts": ACCOUNTS,
        "day_name": _day_name,
        "blocker": Blocker,
    }


def _look_at(day: str) -> DayLook:
    return day_look.look_at(_get_day(day), now=utcnow(), zone=current_settings().event.timezone)


def _get_day(day: str) -> date:
    found = _read_day(day)
    if found is None or found > _today():
        raise NotFound
    return found


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _next_to_close() -> date | None:
    """Return the first day that is over and not closed."""
    next_open = day_look.find_next_to_close()
    return next_open if next_open and next_open < _today() else None


def _today() -> date:
    return utcnow().astimezone(current_settings().event.timezone).date()


def _note(done: str) -> Words | None:
    return {"closed": DONE, "before": CLOSED_BEFORE}.get(done)


def _day_name(day: date, *, is_short: bool = False) -> str:
    """Return `Sabtu, 21 November 2026`, or `Sab 21 Nov 2026`."""
    pattern = f"EEE{GLUE}d{GLUE}MMM{GLUE}y" if is_short else f"EEEE, d{GLUE}MMMM y"
    return str(format_date(day, pattern))

"""Cases: everything that waits for a person, what to do about it, and who looks after it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import (
    Blueprint,
    current_app,
    has_request_context,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import NotFound, Words
from app.gateways import current_settings
from app.models import Job, Refund, Role, Source
from app.routes import case_words, sessions
from app.routes.access import requires_role
from app.routes.order_action_words import MOVES, address_of
from app.routes.order_words import ORDER_STATES
from app.routes.staff import the_member
from app.services.office import inbox, inbox_notes
from app.services.office.inbox import Entry, Fact, Place
from app.services.office.order_actions import Move, MoveKind, possible
from app.services.office.order_print import OrderFacts, find_facts

bp = Blueprint("staff_cases", __name__, url_prefix="/staff/cases")

WHO = (Role.FINANCE, Role.ADMIN)
COUNTED_EVERY = timedelta(minutes=1)
STALE = _l("Somebody did something about this meanwhile. Look at it as it is now.")
NO_OWNER = _l("Choose somebody of finance or an admin.")
NO_WORDS = _l("Write down why, so that others understand it later.")
ABOUT_MAIL = (MoveKind.CORRECT_BUYER, MoveKind.RESEND)


class Count(NamedTuple):
    """How much waited, and when that was counted."""

    number: int
    at: datetime


@bp.app_context_processor
def count_beside_cases() -> dict[str, Any]:
    """Give the navigation of staff the number beside `Cases`."""
    if not (has_request_context() and request.path.startswith("/staff")):
        return {}
    member = sessions.current_member()
    if member is None or member.role not in WHO:
        return {}
    return {"badges": {"staff_cases.show_all": _count()}}


def _count() -> int:
    """Return how much waits, counted at most once a minute in each process."""
    now = utcnow()
    kept: Count | None = current_app.extensions.get("inbox_count")
    if kept is None or not timedelta() <= now - kept.at < COUNTED_EVERY:
        kept = current_app.extensions["inbox_count"] = Count(inbox.count_waiting(now=now), now)
    return kept.number


@bp.get("")
@requires_role(*WHO)
def show_all() -> str:
    """List what waits, the oldest first; with `mine` only what the reader has taken."""
    now, is_mine = utcnow(), bool(request.args.get("mine"))
    page = inbox.list_waiting(
        now=now,
        beyond=_read_place(request.args.get("after", "")),
        owner_id=the_member().staff_id if is_mine else None,
    )
    return render_template(
        "staff/cases/list.html",
        page=page,
        is_mine=is_mine,
        is_further=bool(request.args.get("after")),
        rest=_write_place(page.rest) if page.rest else None,
        now=now,
        open_day=inbox.find_open_day(now=now, zone=current_settings().event.timezone),
        words=case_words,
        done=case_words.DONE.get(request.args.get("done", "")),
    )


@bp.get("/<source>/<key>")
@requires_role(*WHO)
def show(source: str, key: str) -> ResponseReturnValue:
    """Show an entry with its facts, the possible moves, its owner and its note."""
    return _page(_get_entry(source, key))


@bp.post("/<source>/<key>/owner")
@requires_role(*WHO)
def change_owner(source: str, key: str) -> ResponseReturnValue:
    """Take an entry, hand it over, or give it back."""
    entry, member = _get_entry(source, key), the_member()
    owner_id = request.form.get("owner_id", type=int)
    is_other = owner_id != member.staff_id
    done = "given" if owner_id is None else "handed" if is_other else "taken"

    def change() -> None:
        shown = _shown()
        inbox_notes.hand_over(entry, owner_id, shown=shown, by=member.actor, now=utcnow())

    return _try(entry, done, change)


@bp.post("/<source>/<key>/note")
@requires_role(*WHO)
def write_note(source: str, key: str) -> ResponseReturnValue:
    """Keep a note about an entry."""
    entry, by, words = _get_entry(source, key), the_member().actor, _words()
    return _try(
        entry,
        "noted",
        lambda: inbox_notes.write_note(entry, words, shown=_shown(), by=by, now=utcnow()),
    )


@bp.post("/<source>/<key>/close")
@requires_role(*WHO)
def close(source: str, key: str) -> ResponseReturnValue:
    """End an entry by a word: a difference explained, a letter or a job let be."""
    entry, by, words = _get_entry(source, key), the_member().actor, _words()
    if entry.source not in inbox_notes.CLOSED_BY_WORD:
        raise NotFound
    if not words:
        return _page(entry, NO_WORDS), 422
    return _try(
        entry,
        "closed",
        lambda: inbox_notes.close(entry, words, shown=_shown(), by=by, now=utcnow()),
    )


@bp.post("/<source>/<key>/retry")
@requires_role(*WHO)
def retry(source: str, key: str) -> ResponseReturnValue:
    """Have a job that gave up tried again."""
    entry, by = _get_entry(source, key), the_member().actor
    if entry.source is not Source.JOB:
        raise NotFound
    return _try(
        entry, "retried", lambda: inbox_notes.retry_job(entry, shown=_shown(), by=by, now=utcnow())
    )


def _try(entry: Entry, done: str, change: Callable[[], None]) -> ResponseReturnValue:
    """Change an entry, or show it as it is now, with what was typed and why nothing was done."""
    try:
        change()
    except inbox_notes.StaleEntry:
        return _page(_get_entry(entry.source.value, entry.key), STALE), 409
    except inbox_notes.NotAnOwner:
        return _page(entry, NO_OWNER), 422
    current_app.extensions.pop("inbox_count", None)
    if done in ("closed", "retried"):
        return redirect(url_for("staff_cases.show_all", done=done), code=303)
    here = url_for("staff_cases.show", source=entry.source.value, key=entry.key, done=done)
    return redirect(here, code=303)


def _get_entry(source: str, key: str) -> Entry:
    known = source in {one.value for one in Source}
    entry = inbox.find_entry(Source(source), key, now=utcnow()) if known else None
    if entry is None:
        raise NotFound
    return entry


def _page(entry: Entry, problem: Words | None = None) -> str:
    fact, owners = inbox.get_fact(entry), inbox.list_owners()
    code = entry.order_code or (inbox.find_order_code(fact) if isinstance(fact, Job) else None)
    _count()  # not while the page is drawn: a reading ends what the session has of the order
    facts = find_facts(code) if code else None
    return render_template(
        "staff/cases/entry.html",
        entry=entry,
        fact=fact,
        facts=facts,
        moves=_moves(entry, fact, facts) if facts else [],
        move_names=MOVES,
        order_states=ORDER_STATES,
        address_of=address_of,
        owners=owners,
        can_close=entry.source in inbox_notes.CLOSED_BY_WORD,
        typed=request.form.get("words", entry.note or "")[: inbox_notes.NOTE_LENGTH],
        problem=problem,
        now=utcnow(),
        words=case_words,
        done=case_words.DONE.get(request.args.get("done", "")),
        here=url_for("staff_cases.show", source=entry.source.value, key=entry.key),
    )


def _moves(entry: Entry, fact: Fact, facts: OrderFacts) -> list[Move]:
    """Return what can be done about this entry, of all that can be done with its order."""
    moves = possible(facts)
    if entry.source is Source.CASE:
        return [m for m in moves if m.kind is MoveKind.DECIDE_CASE and m.about == entry.key]
    if isinstance(fact, Refund):
        return [m for m in moves if m.about == fact.reference_id]
    if entry.source is Source.MAIL:
        return [m for kind in ABOUT_MAIL for m in moves if m.kind is kind]
    return []


def _shown() -> int:
    return request.form.get("shown", -1, type=int)


def _words() -> str:
    return " ".join(request.form.get("words", "").split())[: inbox_notes.NOTE_LENGTH]


def _write_place(place: Place) -> str:
    return "|".join((place.opened_at.isoformat(), place.source, place.key))


def _read_place(typed: str) -> Place | None:
    """Return the place an address names; None, which is the beginning, when it names none."""
    try:
        at, source, key = typed.split("|", 2)
        opened_at = datetime.fromisoformat(at)
    except ValueError:
        return None
    return Place(opened_at, source, key) if opened_at.tzinfo else None

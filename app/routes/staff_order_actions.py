"""Acting on an order's seats and people: send again, correct, change to another type."""

from typing import Any

from flask import Blueprint, has_request_context, request
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.errors import Words
from app.forms.order_actions import BuyerForm, NamesForm, read_numbers, read_reason
from app.routes.access import requires_role
from app.routes.order_action_words import DONE, HINTS, MOVES, address_of
from app.routes.proof import requires_fresh_proof
from app.routes.staff import the_member
from app.routes.staff_order_pages import MONEY_ROLES, Refusal, act, draw, get_facts, sent_print
from app.services.office import order_correcting, seat_changing
from app.services.office.order_actions import MoveKind, MoveNotPossible
from app.services.office.order_print import OrderFacts
from app.services.office.seat_changing import SeatQuote, SeatWish

bp = Blueprint("staff_order_actions", __name__, url_prefix="/staff/orders/<code>")


@bp.app_context_processor
def words_of_moves() -> dict[str, Any]:
    """Give the order's page the words and addresses of its moves, and what was just done."""
    if not (has_request_context() and request.path.startswith("/staff/orders/")):
        return {}
    done = DONE.get(request.args.get("done", ""))
    return {"move_names": MOVES, "move_hints": HINTS, "address_of": address_of, "done": done}


# --- send again ---------------------------------------------------------------------------------


@bp.get("/resend")
@requires_role(*MONEY_ROLES)
def ask_resend(code: str) -> ResponseReturnValue:
    """Ask whether the e-tickets are to be mailed again."""
    return draw(MoveKind.RESEND, get_facts(code))


@bp.post("/resend")
@requires_role(*MONEY_ROLES)
def resend(code: str) -> ResponseReturnValue:
    """Mail the e-tickets again."""
    order_id, seen, by, now = get_facts(code).order.id, sent_print(), the_member().actor, utcnow()

    def make() -> str:
        order_correcting.resend(order_id, seen=seen, by=by, now=now)
        return "resent"

    return act(code, make, lambda why: draw(MoveKind.RESEND, get_facts(code), refusal=why))


# --- the buyer ----------------------------------------------------------------------------------


@bp.get("/buyer")
@requires_role(*MONEY_ROLES)
def ask_buyer(code: str) -> ResponseReturnValue:
    """Show the buyer to correct."""
    facts = get_facts(code)
    return draw(MoveKind.CORRECT_BUYER, facts, form=BuyerForm.of(facts.order))


@bp.post("/buyer")
@requires_role(*MONEY_ROLES)
def correct_buyer(code: str) -> ResponseReturnValue:
    """Correct the buyer; an address that looks mistyped is asked about first."""
    facts, form = get_facts(code), BuyerForm.sent(request.form)
    order_id, is_same = facts.order.id, form.typed["email"] == facts.order.user.email
    if is_same:
        form.asked_email = form.typed["email"]  # it was good before: nobody is to be asked now
    buyer = form.parse()
    if buyer is None:
        return draw(MoveKind.CORRECT_BUYER, facts, form=form), 422
    seen, by, now = sent_print(), the_member().actor, utcnow()

    def make() -> str:
        is_mailed = order_correcting.correct_buyer(
            order_id, buyer, are_codes_new=form.are_codes_new, seen=seen, by=by, now=now
        )
        return "corrected_mailed" if is_mailed else "corrected"

    def again(why: Refusal) -> str:
        return draw(MoveKind.CORRECT_BUYER, get_facts(code), refusal=why, form=form)

    return act(code, make, again)


# --- names --------------------------------------------------------------------------------------


@bp.get("/names")
@requires_role(*MONEY_ROLES)
def ask_names(code: str) -> ResponseReturnValue:
    """Show the names on the seats to correct."""
    facts = get_facts(code)
    return draw(MoveKind.CORRECT_NAMES, facts, form=NamesForm(order_correcting.names_of(facts)))


@bp.post("/names")
@requires_role(*MONEY_ROLES)
def correct_names(code: str) -> ResponseReturnValue:
    """Put other names on seats."""
    facts = get_facts(code)
    order_id, form = facts.order.id, NamesForm.sent(request.form, order_correcting.names_of(facts))
    names = form.parse()
    if names is None:
        return draw(MoveKind.CORRECT_NAMES, facts, form=form), 422
    seen, by, now = sent_print(), the_member().actor, utcnow()

    def make() -> str:
        order_correcting.correct_names(
            order_id, names, is_mailed=form.is_mailed, seen=seen, by=by, now=now
        )
        return "names"

    def again(why: Refusal) -> str:
        return draw(MoveKind.CORRECT_NAMES, get_facts(code), refusal=why, form=form)

    return act(code, make, again)


# --- seats --------------------------------------------------------------------------------------


@bp.get("/seats")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def ask_seats(code: str) -> ResponseReturnValue:
    """Ask which seats become which type; once both are chosen, show what that means."""
    facts, numbers = get_facts(code), read_numbers(request.args.getlist("seat"))
    if "ticket" not in request.args:
        return _seats_page(facts, numbers)
    return _preview(facts, numbers, _read_id(request.args["ticket"]))


@bp.post("/seats")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def change_seats(code: str) -> ResponseReturnValue:
    """Change seats to another type, as the preview had said."""
    facts, numbers = get_facts(code), read_numbers(request.form.getlist("seat"))
    ticket_id = _read_id(request.form.get("ticket", ""))
    errors: dict[str, Words] = {}
    reason = read_reason(request.form, errors)
    if errors:
        return _preview(facts, numbers, ticket_id, errors=errors), 422
    wish = SeatWish(numbers, ticket_id, request.form.get("price", -1, type=int))
    order_id, seen, by, now = facts.order.id, sent_print(), the_member().actor, utcnow()

    def make() -> str:
        seat_changing.change_seats(order_id, wish, reason=reason, seen=seen, by=by, now=now)
        return "seats"

    def again(why: Refusal) -> str:
        return _preview(get_facts(code), numbers, ticket_id, refusal=why, reason=reason)

    return act(code, make, again)


def _read_id(typed: str) -> int:
    """Return a typed id; 0, which nothing has, for what is none."""
    return next(iter(read_numbers([typed])), 0)


def _preview(facts: OrderFacts, numbers: list[int], ticket_id: int, **context: Any) -> str:
    """Show what a change would mean, or the choice again with why it cannot be."""
    tickets = {ticket.id: ticket for ticket in seat_changing.list_targets()}
    try:
        if ticket_id not in tickets:
            raise MoveNotPossible(seat_changing.NO_TYPE)
        quote = seat_changing.quote_change(facts, numbers, tickets[ticket_id])
    except MoveNotPossible as refusal:
        context.setdefault("refusal", Refusal(refusal))
        return _seats_page(facts, numbers, ticket_id, **context)
    return _seats_page(facts, numbers, ticket_id, quote, **context)


def _seats_page(
    facts: OrderFacts,
    numbers: list[int],
    ticket_id: int | None = None,
    quote: SeatQuote | None = None,
    **context: Any,
) -> str:
    return draw(
        MoveKind.CHANGE_SEATS,
        facts,
        numbers=numbers,
        ticket_id=ticket_id,
        quote=quote,
        tickets=seat_changing.list_targets(),
        **context,
    )

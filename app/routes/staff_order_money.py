"""Acting on an order's money: cancel, send back, decide a case, note a transfer. All with proof."""

from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import NotFound, Words
from app.forms.order_actions import read_reason, read_rupiah
from app.gateways import current_gateways
from app.models import CaseKind, MoneyCase, Refund
from app.routes.access import requires_role
from app.routes.order_action_words import CASES
from app.routes.proof import requires_fresh_proof
from app.routes.staff import the_member
from app.routes.staff_order_pages import MONEY_ROLES, Refusal, act, draw, get_facts, sent_print
from app.services.money import refunds
from app.services.money.deciding import Decision
from app.services.office import order_ending
from app.services.office.order_actions import (
    MoveKind,
    MoveNotPossible,
    left_to_refund,
    why_not_done,
    why_not_retry,
)
from app.services.office.order_print import OrderFacts

bp = Blueprint("staff_order_money", __name__, url_prefix="/staff/orders/<code>")

NO_AMOUNT = _l("Enter whole rupiah, such as 50.000.")
NO_DECISION = _l("Choose what is to happen.")
NO_NOTE = _l("Enter the transfer's number, or how you sent it.")
# Seats that are gone cannot be given: only the money is left to decide about.
DECISIONS = {
    CaseKind.UNDERPAID: (Decision.ACCEPT, Decision.REFUND),
    CaseKind.OVERPAID: (Decision.ACCEPT, Decision.REFUND),
    CaseKind.SEATS_GONE: (Decision.REFUND,),
    CaseKind.DOUBLE_PAYMENT: (),
}


# --- cancel -------------------------------------------------------------------------------------


@bp.get("/cancel")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def ask_cancel(code: str) -> ResponseReturnValue:
    """Say what cancelling will do, and ask why."""
    return _cancel_page(get_facts(code))


@bp.post("/cancel")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def cancel(code: str) -> ResponseReturnValue:
    """Cancel the order."""
    facts, errors = get_facts(code), dict[str, Words]()
    reason = read_reason(request.form, errors)
    if errors:
        return _cancel_page(facts, errors=errors), 422
    order_id, seen, by, now = facts.order.id, sent_print(), the_member().actor, utcnow()

    def make() -> str:
        gateway = current_gateways().xendit
        is_done = order_ending.cancel(
            order_id, reason=reason, seen=seen, by=by, now=now, gateway=gateway
        )
        return "cancelled" if is_done else "cancelling"

    def again(why: Refusal) -> str:
        return _cancel_page(get_facts(code), refusal=why, reason=reason)

    return act(code, make, again)


def _cancel_page(facts: OrderFacts, **context: Any) -> str:
    amount = order_ending.refund_when_cancelled(facts)
    money = refunds.money_of(facts.order)
    way = refunds.way_back(money, amount).value if amount else ""
    return draw(MoveKind.CANCEL, facts, amount=amount, way=way, **context)


# --- send money back ----------------------------------------------------------------------------


@bp.get("/refund")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def ask_refund(code: str) -> ResponseReturnValue:
    """Ask how much is to go back; once that is said, show how it will."""
    facts, typed = get_facts(code), request.args.get("amount", "")[:30]
    if not typed:
        return _refund_page(facts)
    return _confirm_refund(facts, typed)


@bp.post("/refund")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def refund(code: str) -> ResponseReturnValue:
    """Send a part of the money back, or all of it."""
    facts, errors = get_facts(code), dict[str, Words]()
    typed, reason = request.form.get("amount", "")[:30], read_reason(request.form, errors)
    amount = read_rupiah(typed)
    if errors or amount is None:
        return _confirm_refund(facts, typed, errors=errors), 422
    order_id, seen, by, now = facts.order.id, sent_print(), the_member().actor, utcnow()

    def make() -> str:
        order_ending.refund(order_id, amount, reason=reason, seen=seen, by=by, now=now)
        return "refunded"

    def again(why: Refusal) -> str:
        return _confirm_refund(get_facts(code), typed, refusal=why, reason=reason)

    return act(code, make, again)


def _confirm_refund(facts: OrderFacts, typed: str, **context: Any) -> str:
    """Show how an amount will go back, or what is wrong with it."""
    amount = read_rupiah(typed)
    if amount is None:
        return _refund_page(facts, typed=typed, errors={"amount": NO_AMOUNT})
    try:
        order_ending.check_amount(facts, amount)
    except MoveNotPossible as error:
        context.setdefault("errors", {"amount": error.detail})
        return _refund_page(facts, typed=typed, **context)
    way = refunds.way_back(refunds.money_of(facts.order), amount).value
    return _refund_page(facts, typed=typed, amount=amount, way=way, **context)


def _refund_page(facts: OrderFacts, **context: Any) -> str:
    return draw(MoveKind.REFUND, facts, left=left_to_refund(facts), **context)


# --- cases --------------------------------------------------------------------------------------


@bp.get("/cases/<int:case_id>")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def ask_case(code: str, case_id: int) -> ResponseReturnValue:
    """Show a case about the order's money, and what can be decided."""
    facts = get_facts(code)
    return _case_page(facts, _get_case(facts, case_id))


@bp.post("/cases/<int:case_id>")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def decide_case(code: str, case_id: int) -> ResponseReturnValue:
    """Take the money as it is, or send it back."""
    facts = get_facts(code)
    case = _get_case(facts, case_id)
    wanted = request.form.get("decision", "")
    decision = next((one for one in DECISIONS[case.kind] if one.value == wanted), None)
    if decision is None:
        return _case_page(facts, case, errors={"decision": NO_DECISION}), 422
    order_id, seen, by, now = facts.order.id, sent_print(), the_member().actor, utcnow()

    def make() -> str:
        gateway = current_gateways().xendit
        order_ending.decide_case(
            order_id, case_id, decision, seen=seen, by=by, now=now, gateway=gateway
        )
        return "decided"

    def again(why: Refusal) -> str:
        now_facts = get_facts(code)
        return _case_page(now_facts, _get_case(now_facts, case_id), refusal=why, chosen=wanted)

    return act(code, make, again)


def _get_case(facts: OrderFacts, case_id: int) -> MoneyCase:
    case = next((one for one in facts.cases if one.id == case_id), None)
    if case is None:
        raise NotFound
    return case


def _case_page(facts: OrderFacts, case: MoneyCase, **context: Any) -> str:
    why_not = _l("This was decided before.") if case.is_resolved else None
    choices = [decision.value for decision in DECISIONS[case.kind]]
    context = {"why_not": why_not, "case_words": CASES[case.kind], "choices": choices, **context}
    return draw(MoveKind.DECIDE_CASE, facts, case=case, **context)


# --- refunds ------------------------------------------------------------------------------------


@bp.get("/refunds/<reference>/done")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def ask_done(code: str, reference: str) -> ResponseReturnValue:
    """Ask for the number of the transfer."""
    facts = get_facts(code)
    return _done_page(facts, _get_refund(facts, reference))


@bp.post("/refunds/<reference>/done")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def note_done(code: str, reference: str) -> ResponseReturnValue:
    """Note that the money was transferred."""
    facts = get_facts(code)
    one = _get_refund(facts, reference)
    note = " ".join(request.form.get("note", "").split())
    if not note:
        return _done_page(facts, one, errors={"note": NO_NOTE}), 422
    order_id, refund_id, seen, by = facts.order.id, one.id, sent_print(), the_member().actor

    def make() -> str:
        order_ending.note_transfer(order_id, refund_id, note=note, seen=seen, by=by, now=utcnow())
        return "transferred"

    def again(why: Refusal) -> str:
        now_facts = get_facts(code)
        return _done_page(now_facts, _get_refund(now_facts, reference), refusal=why, note=note)

    return act(code, make, again)


@bp.get("/refunds/<reference>/retry")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def ask_retry(code: str, reference: str) -> ResponseReturnValue:
    """Ask whether a refund is to be tried through Xendit once more."""
    facts = get_facts(code)
    return _retry_page(facts, _get_refund(facts, reference))


@bp.post("/refunds/<reference>/retry")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def retry(code: str, reference: str) -> ResponseReturnValue:
    """Try a refund through Xendit once more."""
    facts = get_facts(code)
    order_id, refund_id = facts.order.id, _get_refund(facts, reference).id
    seen, by = sent_print(), the_member().actor

    def make() -> str:
        order_ending.retry_refund(order_id, refund_id, seen=seen, by=by, now=utcnow())
        return "retried"

    def again(why: Refusal) -> str:
        now_facts = get_facts(code)
        return _retry_page(now_facts, _get_refund(now_facts, reference), refusal=why)

    return act(code, make, again)


def _get_refund(facts: OrderFacts, reference: str) -> Refund:
    found = next((one for one in facts.refunds if one.reference_id == reference), None)
    if found is None:
        raise NotFound
    return found


def _done_page(facts: OrderFacts, one: Refund, **context: Any) -> str:
    context = {"why_not": why_not_done(one), "note": "", **context}
    return draw(MoveKind.REFUND_DONE, facts, refund=one, **context)


def _retry_page(facts: OrderFacts, one: Refund, **context: Any) -> str:
    return draw(MoveKind.RETRY_REFUND, facts, refund=one, why_not=why_not_retry(one), **context)

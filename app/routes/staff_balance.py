"""The balance at Xendit: what moved it, what is left of it, and what a person adds by hand."""

from datetime import date, datetime, time
from typing import NamedTuple

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.clock import utcnow
from app.errors import Words
from app.gateways import current_settings
from app.models import CorrectionKind
from app.routes.access import requires_role
from app.routes.proof import requires_fresh_proof
from app.routes.staff import the_member
from app.routes.staff_finance import MONEY_ROLES
from app.services.money import balance, balance_reading, settling

bp = Blueprint("staff_balance", __name__, url_prefix="/staff/finance/balance")

SHORTEST_REASON = 5
ENTERED = _l("It is in the ledger now, with your name.")
KINDS: dict[CorrectionKind, Words] = {
    CorrectionKind.CHARGED: _l("Xendit took a charge, as for a refund"),
    CorrectionKind.CHARGE_RETURNED: _l("Xendit gave a charge back"),
    CorrectionKind.WITHDRAWN: _l("Money went to your bank and is not listed"),
    CorrectionKind.TOPPED_UP: _l("You put money into the balance"),
}
STATES: dict[str, Words] = {
    "PENDING": _l("on its way"),
    "SUCCESS": _l("sent"),
    "FAILED": _l("failed"),
    "VOIDED": _l("called off"),
    "REVERSED": _l("came back"),
}
TYPES: dict[str, Words] = {
    "WITHDRAWAL": _l("To your bank"),
    "DISBURSEMENT": _l("Payout to a bank account"),
}
PROBLEMS: dict[str, Words] = {
    "kind": _l("Choose what happened."),
    "amount": _l("Write the amount in whole rupiah, more than 0."),
    "day": _l("Choose the day it happened on, not one to come."),
    "reason": _l("Say where you saw it, so that others find it again."),
}


class Wish(NamedTuple):
    """What somebody wants to enter; `amount` in rupiah."""

    kind: CorrectionKind
    amount: int
    day: date
    reason: str


@bp.get("")
@requires_role(*MONEY_ROLES)
def show() -> str:
    """Show how the balance stands, and what moved it last."""
    return render_template(
        "staff/balance/show.html",
        found=balance.look(),
        reading=settling.find_last(),
        compared=balance_reading.list_last(),
        kinds=KINDS,
        states=STATES,
        types=TYPES,
        done=ENTERED if request.args.get("done") else None,
    )


@bp.get("/enter")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def ask() -> ResponseReturnValue:
    """Ask what moved the balance."""
    return _form({"day": _today().isoformat()}, ())


@bp.post("/enter")
@requires_role(*MONEY_ROLES)
@requires_fresh_proof
def enter() -> ResponseReturnValue:
    """Post a movement of the balance, signed by who enters it."""
    typed = {name: " ".join(request.form.get(name, "").split()) for name in PROBLEMS}
    wish, wrong = _read(typed)
    if wish is None:
        return _form(typed, wrong), 422
    zone = current_settings().event.timezone
    balance.correct(
        wish.kind,
        wish.amount,
        datetime.combine(wish.day, time(12), zone),
        wish.reason,
        by=the_member().actor,
        now=utcnow(),
        zone=zone,
    )
    return redirect(url_for("staff_balance.show", done="entered"), code=303)


def _read(typed: dict[str, str]) -> tuple[Wish | None, list[str]]:
    """Return what is wished, or None and the names of what cannot be read."""
    kind = next((kind for kind in CorrectionKind if kind.value == typed["kind"]), None)
    amount, day, reason = _read_amount(typed["amount"]), _read_day(typed["day"]), typed["reason"]
    is_told = SHORTEST_REASON <= len(reason) <= balance.REASON_LENGTH
    if kind and amount and day and is_told:
        return Wish(kind, amount, day, reason), []
    right = {"kind": kind, "amount": amount, "day": day, "reason": is_told}
    return None, [name for name, is_right in right.items() if not is_right]


def _read_amount(typed: str) -> int | None:
    """Return rupiah as people write them, `1.500.000` or `Rp 1500000`; None when they are none."""
    digits = typed.removeprefix("Rp").replace(".", "").replace(" ", "")
    amount = int(digits) if digits.isascii() and digits.isdecimal() else 0
    return amount if 0 < amount <= balance.LARGEST_AMOUNT else None


def _read_day(typed: str) -> date | None:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if date(2000, 1, 1) <= day <= _today() else None


def _form(typed: dict[str, str], wrong: list[str] | tuple[str, ...]) -> str:
    return render_template(
        "staff/balance/enter.html",
        typed=typed,
        errors={name: PROBLEMS[name] for name in wrong},
        kinds=[("", _l("Choose …")), *((kind.value, words) for kind, words in KINDS.items())],
        longest=balance.REASON_LENGTH,
        today=_today(),
    )


def _today() -> date:
    return utcnow().astimezone(current_settings().event.timezone).date()

"""What the pages of acting on an order share: how they are drawn, and how a refusal comes back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.errors import DomainError, NotFound, Words
from app.integrations.xendit import XenditError
from app.models import AuditEntry, Role
from app.routes.audit_words import SAID_BY
from app.routes.order_action_words import MOVES, PARTS, STATES
from app.services.office.order_actions import (
    RULES,
    MoveKind,
    MoveNotPossible,
    OrderChanged,
)
from app.services.office.order_print import OrderFacts, find_facts, fingerprint, list_latest

MONEY_ROLES = (Role.FINANCE, Role.ADMIN)
LATEST = 3  # changes shown to who was too late


class XenditAway(DomainError):
    """Xendit could not be asked, so nothing was decided."""

    code = "xendit_away"
    status = 503
    title = _l("Xendit does not answer")

    def __init__(self) -> None:
        super().__init__(_l("Nothing was done. Please try again in a minute."))


@dataclass(frozen=True)
class Refusal:
    """Why nothing was done; for an order that is another by now, what changed, and who did it."""

    error: DomainError
    changed: Sequence[Words] = ()
    latest: Sequence[AuditEntry] = ()


def get_facts(code: str) -> OrderFacts:
    """Return the order a page is about, as it is now. Raises NotFound."""
    facts = find_facts(code)
    if facts is None:
        raise NotFound
    return facts


def sent_print() -> str:
    """Return what the sent form had been drawn from."""
    return request.form.get("seen", "")[:200]


def draw(
    kind: MoveKind, facts: OrderFacts, *, refusal: Refusal | None = None, **context: Any
) -> str:
    """Draw the page of a move, with a refusal at its top; it carries the print of what it shows."""
    rule = RULES.get(kind)
    context = {"why_not": rule(facts) if rule else None, **context}
    return render_template(
        f"staff/orders/{kind.value}.html",
        order=facts.order,
        facts=facts,
        seen=fingerprint(facts),
        name=MOVES[kind],
        state=STATES[facts.order.status],
        back=url_for("staff_orders.show", code=facts.order.code),
        refusal=refusal,
        **SAID_BY,
        **context,
    )


def act(
    code: str,
    make: Callable[[], str],
    again: Callable[[Refusal], str],
) -> ResponseReturnValue:
    """Make a move, which returns what was done, and go back to the order; or draw its page again.

    `again` keeps what was typed. Raises NotFound, Busy.
    """
    try:
        done = make()
    except OrderChanged as error:
        changed = [PARTS[part] for part in error.parts]
        return again(Refusal(error, changed, list_latest(code, limit=LATEST))), error.status
    except MoveNotPossible as error:
        return again(Refusal(error)), error.status
    except XenditError:
        away = XenditAway()
        return again(Refusal(away)), away.status
    return redirect(url_for("staff_orders.show", code=code, done=done), code=303)

"""What the checkout says above its form and beside its quantities."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.errors import DomainError, QuantityOutOfRange, Words
from app.forms.checkout import Line
from app.models import SaleStatus
from app.services.selling.recent_orders import RecentOrder


@dataclass(frozen=True)
class Notice:
    """What the top of the form says after a send that made no order.

    `own_orders` are this browser's that make another one doubtful; `suggestion` is the address
    that was probably meant. Neither stops anybody: the next press goes on.
    """

    title: Words
    detail: Words = ""
    status: int = 200
    retry_after: int | None = None
    own_orders: Sequence[RecentOrder] = ()
    suggestion: str | None = None


TOTAL_CHANGED = Notice(
    _l("The total has changed"),
    _l("You changed the tickets, or a price changed. Look at the new total, then go on."),
    status=422,
)
FORM_USED = Notice(
    _l("This form was already used for an order"),
    _l(
        "That order is safe: its link is in your e-mail once it is paid. To place another order "
        "with what you see here, send the form again."
    ),
    status=422,
)
PAGE_TOO_OLD = Notice(
    _l("This page was open for a long time"),
    _l(
        "Please look it over and send it again: nothing you typed was lost. "
        "Your browser must allow cookies."
    ),
    status=400,
)


def notice_of(refusal: DomainError) -> Notice:
    """Return a refusal as the form shows it."""
    return Notice(refusal.title, refusal.detail, refusal.status, refusal.retry_after)


def question(own_orders: Sequence[RecentOrder], suggestion: str | None) -> Notice | None:
    """Return what to ask before an order is made, None when nothing is in doubt."""
    if own_orders:
        title: Words = _l("You have ordered already")
    elif suggestion:
        title = _l("Is your e-mail address right?")
    else:
        return None
    return Notice(title, status=422, own_orders=own_orders, suggestion=suggestion)


def shortages(lines: Sequence[Line]) -> dict[str, Words]:
    """Return, by the quantity's name, why what was chosen of a ticket cannot be had."""
    alone = {f"t{line.ticket.id}": _shortage(line) for line in lines if line.cannot_be_had}
    return {**_shared_shortages(lines), **alone}


def _shared_shortages(lines: Sequence[Line]) -> dict[str, Words]:
    """Return what to say where tickets that draw on one quota are too many together."""
    chosen = [line for line in lines if line.quantity and line.ticket.quota_id is not None]
    wanted = Counter[int | None]()
    for line in chosen:
        wanted[line.ticket.quota_id] += line.quantity
    return {
        f"t{line.ticket.id}": ngettext(
            "Only %(num)d left of these tickets together. Choose fewer.",
            "Only %(num)d left of these tickets together. Choose fewer.",
            left,
        )
        for line in chosen
        if (left := line.ticket.quota_available or 0) < wanted[line.ticket.quota_id]
    }


def _shortage(line: Line) -> Words:
    ticket = line.ticket
    match ticket.status:
        case SaleStatus.UPCOMING:
            return _("The sale of this ticket has not opened yet. Choose 0.")
        case SaleStatus.ENDED:
            return _("The sale of this ticket has ended. Choose 0.")
    if line.most == 0:
        return _("This ticket is sold out. Choose 0.")
    if line.most == ticket.max_per_order or line.quantity < ticket.min_per_order:
        return QuantityOutOfRange(f"t{ticket.id}", line.most, ticket.min_per_order).detail
    return ngettext(
        "Only %(num)d left. Choose fewer.",
        "Only %(num)d left. Choose fewer.",
        line.most,
    )

"""What the checkout's form is drawn from: the catalogue as its visitor may see it."""

from collections.abc import Mapping
from dataclasses import replace

from app.clock import utcnow
from app.forms.checkout import CheckoutForm
from app.models import SaleStatus
from app.routes.voucher_codes import look_for
from app.services.selling.catalogue import TicketOnSale, list_tickets
from app.services.selling.voucher_look import VoucherLook


def look_at(form: CheckoutForm, left: Mapping[int, int] | None = None) -> VoucherLook:
    """Return a look at the catalogue, or a reading where a look may be too old.

    `left` is what a refusal has told of some tickets. Raises Busy.
    """
    look = look_for(form, utcnow())
    seen = {ticket.id: ticket for ticket in look.tickets}
    is_new = not form.quantities.keys() <= seen.keys()  # on sale for less than a second
    has_quota = any(seen[key].quota_id for key in left or () if key in seen)
    return look_now(form) if is_new or has_quota else look


def look_now(form: CheckoutForm) -> VoucherLook:
    """Return the catalogue as it is at this moment. Raises Busy."""
    if form.voucher_typed:
        look = look_for(form, utcnow())
        if look.voucher is not None:
            return look
        return replace(look, tickets=list_tickets(utcnow(), include_all=True))
    return VoucherLook(list_tickets(utcnow(), include_all=True))


def listed(
    form: CheckoutForm, look: VoucherLook, left: Mapping[int, int] | None = None
) -> list[TicketOnSale]:
    """Return of what was found what is in its sale period, and what was asked for though it is not.

    Also none of it: who gives up what has ended sees that this was noticed.
    """
    shown = [
        ticket
        for ticket in look.tickets
        if ticket.status in (SaleStatus.ON_SALE, SaleStatus.SOLD_OUT) or form.names(ticket.id)
    ]
    return [replace(t, available=(left or {}).get(t.id, t.available)) for t in shown]

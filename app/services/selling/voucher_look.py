"""The catalogue for one visitor with a code: read for them alone, and never shown to others."""

from dataclasses import dataclass
from datetime import datetime

from app.errors import DomainError
from app.services.running.transaction import reading, use_case
from app.services.selling.catalogue import TicketOnSale, list_tickets
from app.services.selling.shop_window import look_at_tickets
from app.services.selling.voucher_refusals import VoucherUnknown
from app.services.selling.vouchers import VoucherTerms, find_vouchers


@dataclass(frozen=True)
class VoucherLook:
    """All tickets for one visitor, at their prices; `voucher` None: as everybody sees them.

    `refusal` says why the code that was typed does not count.
    """

    tickets: list[TicketOnSale]
    voucher: VoucherTerms | None = None
    refusal: DomainError | None = None


@use_case
def look_with_code(code: str | None, now: datetime) -> VoucherLook:
    """Return what a visitor with this code sees; None is a code that cannot exist. Raises Busy."""
    with reading() as session:
        voucher = find_vouchers(session, [code]).get(code) if code else None
        refusal = voucher.refusal(now) if voucher else VoucherUnknown()
        if refusal is None:
            return VoucherLook(list_tickets(now, include_all=True, voucher=voucher), voucher)
    return VoucherLook(look_at_tickets(now), refusal=refusal)

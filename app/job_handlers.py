"""What workers do: each kind of job, and the use case it stands for."""

import logging
from collections.abc import Callable
from typing import Any

from app import mail_jobs
from app.clock import utcnow
from app.gateways import current_gateways, current_settings
from app.integrations.xendit import XenditClient, XenditRefused
from app.services.money import (
    balance_reading,
    cases,
    daily_reconciliation,
    expiry,
    invoicing,
    late_money,
    letters,
    payments,
    refunding,
    refunds,
    settling,
)
from app.services.money.budget import Meter, Share
from app.services.office import (
    exports,
    invitations,
    message_listing,
    messages,
    updated_etickets,
)
from app.services.running import jobs
from app.services.selling import eticketing, ordering, resending

log = logging.getLogger(__name__)

NOT_FOUND = 404


def _xendit(share: Share = Share.WAITED_FOR) -> XenditClient:
    """Return the client whose readings count against this share of the calls Xendit allows."""
    return current_gateways().xendit.metered(Meter(share, utcnow))


def _open_invoice(payload: dict[str, Any]) -> None:
    invoicing.make_invoice_in_turn(
        payload["order_id"],
        clock=utcnow,
        gateway=current_gateways().xendit,
        settings=current_settings(),
    )


def _confirm_payment(payload: dict[str, Any]) -> None:
    named = payload.get("invoice_id")
    try:
        payments.confirm_payment(
            payload["payment_id"],
            now=utcnow(),
            gateway=_xendit(),
            invoice_id=named,
        )
    except XenditRefused as error:
        if named is None or error.status != NOT_FOUND:
            raise
        log.warning("a callback named an invoice Xendit does not know", extra={"invoice": named})


def _read_back(payload: dict[str, Any]) -> None:
    again = payments.read_back(
        payload["payment_id"],
        now=utcnow(),
        gateway=_xendit(Share.BACKGROUND),
        poll=current_settings().payment_poll,
    )
    if again is not None:
        raise jobs.RetryLater("not paid yet", again - utcnow())


def _expire_order(payload: dict[str, Any]) -> None:
    due = expiry.expire_order(payload["order_id"], now=utcnow(), gateway=_xendit())
    if due is not None:
        raise jobs.RetryLater("not due yet", due - utcnow())


def _close_invoice(payload: dict[str, Any]) -> None:
    invoicing.close_unwanted(payload["invoice_id"], now=utcnow(), gateway=_xendit())


def _reconcile_day(payload: dict[str, Any]) -> None:
    daily_reconciliation.reconcile_stretch(payload, clock=utcnow, gateway=current_gateways().xendit)


def _read_transactions(payload: dict[str, Any]) -> None:
    gateway = current_gateways().xendit
    settling.read_transactions(payload["reading_id"], clock=utcnow, gateway=gateway)


def _read_balance(payload: dict[str, Any]) -> None:
    gateway = current_gateways().xendit
    balance_reading.read_balance(payload["after_mark"], clock=utcnow, gateway=gateway)


def _close_case(payload: dict[str, Any]) -> None:
    due = late_money.close_case(payload["case_id"], now=utcnow())
    if due is not None:
        raise jobs.RetryLater("not due yet", due - utcnow())


def _serve_waiting(payload: dict[str, Any]) -> None:
    late_money.serve_waiting(now=utcnow())


def _send_refund(payload: dict[str, Any]) -> None:
    gateway = current_gateways().xendit
    refunding.send_refund(payload["refund_id"], now=utcnow(), gateway=gateway)


def _confirm_refund(payload: dict[str, Any]) -> None:
    named = payload["xendit_refund_id"]
    gateway = current_gateways().xendit
    try:
        refunding.confirm_refund(
            payload["refund_id"], now=utcnow(), gateway=gateway, xendit_refund_id=named
        )
    except XenditRefused as error:
        if error.status != NOT_FOUND:
            raise
        log.warning("a callback named a refund Xendit does not know", extra={"refund": named})


def _follow_refund(payload: dict[str, Any]) -> None:
    gateway = current_gateways().xendit
    again = refunding.follow_refund(payload["refund_id"], now=utcnow(), gateway=gateway)
    if again is not None:
        raise jobs.RetryLater("not arrived yet", again - utcnow())


def _make_export(payload: dict[str, Any]) -> None:
    zone = current_settings().event.timezone
    exports.make(payload["export_id"], clock=utcnow, zone=zone)


def _erase_export(payload: dict[str, Any]) -> None:
    exports.erase(payload["export_id"])


HANDLERS: dict[str, Callable[[dict[str, Any]], None]] = {
    ordering.OPEN_INVOICE: _open_invoice,
    ordering.EXPIRE_ORDER: _expire_order,
    payments.CONFIRM: _confirm_payment,
    payments.READ_BACK: _read_back,
    payments.CLOSE_INVOICE: _close_invoice,
    eticketing.DELIVER: mail_jobs.deliver_etickets,
    resending.RESEND: mail_jobs.resend_etickets,
    daily_reconciliation.RECONCILE: _reconcile_day,
    settling.READ_TRANSACTIONS: _read_transactions,
    balance_reading.READ_BALANCE: _read_balance,
    cases.CLOSE_CASE: _close_case,
    cases.SERVE_WAITING: _serve_waiting,
    letters.SEND_LETTER: mail_jobs.send_letter,
    invitations.SEND_INVITATION: mail_jobs.send_invitation,
    message_listing.LIST_MESSAGE: mail_jobs.list_message,
    messages.SEND_MESSAGE: mail_jobs.send_message,
    messages.TRY_MESSAGE: mail_jobs.try_message,
    updated_etickets.SEND_UPDATED: mail_jobs.send_updated_etickets,
    exports.MAKE: _make_export,
    exports.ERASE: _erase_export,
    refunds.SEND_REFUND: _send_refund,
    refunding.CONFIRM_REFUND: _confirm_refund,
    refunding.FOLLOW_REFUND: _follow_refund,
}

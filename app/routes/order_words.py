"""What happened to an order, in words: for its page and for the command line."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.errors import Words
from app.formatting import rupiah
from app.models import (
    CaseKind,
    CaseResolution,
    CaseStatus,
    Direction,
    OrderStatus,
    PaymentStatus,
    ReceiptKind,
    RefundReason,
    RefundStatus,
    RefundWay,
    ScanResult,
)
from app.routes import xendit_words
from app.routes.audit_words import name_action
from app.routes.staff_door import REASONS
from app.services.office.happenings import Happening, What

Facts = Mapping[str, Any]

ORDER_STATES: dict[OrderStatus, Words] = {
    OrderStatus.PENDING: _l("Waiting for payment"),
    OrderStatus.PAID: _l("Paid"),
    OrderStatus.CANCELLED: _l("Cancelled"),
    OrderStatus.EXPIRED: _l("Expired"),
}
PAYMENT_STATES: dict[PaymentStatus, Words] = {
    PaymentStatus.PENDING: _l("No money yet"),
    PaymentStatus.PAID: _l("Money arrived"),
    PaymentStatus.EXPIRED: _l("Invoice ended unpaid"),
    PaymentStatus.FAILED: _l("No invoice could be made"),
}
CASE_KINDS: dict[CaseKind, Words] = {
    CaseKind.SEATS_GONE: _l("seats gone"),
    CaseKind.UNDERPAID: _l("paid too little"),
    CaseKind.OVERPAID: _l("paid too much"),
    CaseKind.DOUBLE_PAYMENT: _l("paid twice"),
}
CASE_STATES: dict[CaseStatus, Words] = {
    CaseStatus.OPEN: _l("open"),
    CaseStatus.WAITING: _l("the buyer waits for seats"),
    CaseStatus.RESOLVED: _l("decided"),
}
RESOLUTIONS: dict[CaseResolution, Words] = {
    CaseResolution.SEATS_FOUND: _l("seats found"),
    CaseResolution.SWITCHED: _l("other seats taken"),
    CaseResolution.REFUNDED: _l("sent back"),
    CaseResolution.ACCEPTED: _l("taken as it is"),
}
REFUND_REASONS: dict[RefundReason, Words] = {
    RefundReason.SEATS_GONE: _l("seats gone"),
    RefundReason.DOUBLE_PAYMENT: _l("paid twice"),
    RefundReason.OVERPAID: _l("paid too much"),
    RefundReason.UNDERPAID: _l("paid too little"),
    RefundReason.DIFFERENCE: _l("cheaper seats"),
    RefundReason.CANCELLED: _l("order cancelled"),
    RefundReason.BY_STAFF: _l("decided by staff"),
}
REFUND_STATES: dict[RefundStatus, Words] = {
    RefundStatus.DUE: _l("due"),
    RefundStatus.SENT: _l("on its way"),
    RefundStatus.SUCCEEDED: _l("arrived"),
    RefundStatus.FAILED: _l("failed"),
    RefundStatus.DONE_BY_HAND: _l("transferred by hand"),
}
REFUND_WAYS: dict[RefundWay, Words] = {
    RefundWay.XENDIT: _l("through Xendit"),
    RefundWay.BY_HAND: _l("by bank transfer"),
}
MAILS: dict[str, Words] = {
    "etickets": _l("the e-tickets"),
    "etickets_again": _l("the e-tickets, once more"),
    "etickets_updated": _l("new e-tickets"),
    "payment_reminder": _l("a reminder to pay"),
    "order_expired": _l("that the order expired"),
    "seats_gone": _l("that the seats are gone"),
    "bank_details": _l("a question for the bank account"),
    "refund_sent": _l("that money went back"),
}
# Which kind of thing it is, for the eye that looks for one.
AREAS: dict[What, Words] = {
    **dict.fromkeys((What.PLACED, What.CANCEL_ASKED, What.SEATS_RELEASED), _l("Order")),
    **dict.fromkeys((What.PAID, What.REVOKED), _l("Order")),
    **dict.fromkeys((What.INVOICE_MADE, What.INVOICE_REPLACED, What.INVOICE_ENDS), _l("Xendit")),
    **dict.fromkeys((What.CALLBACK, What.READING_ASKED, What.READ), _l("Xendit")),
    **dict.fromkeys((What.READING, What.READING_FAILED), _l("Xendit")),
    What.MONEY_CAME: _l("Money"),
    **dict.fromkeys((What.CASE_OPENED, What.CASE_CLOSED), _l("Money")),
    **dict.fromkeys((What.REFUND_DUE, What.REFUND_SENT, What.ACCOUNT_ASKED), _l("Money")),
    **dict.fromkeys((What.REFUND_DONE, What.RECEIPT_MADE), _l("Money")),
    **dict.fromkeys((What.MAIL_SENT, What.MAIL_REFUSED, What.MAIL_ASKED), _l("Mail")),
    What.MAIL_UNSURE: _l("Mail"),
    **dict.fromkeys((What.SCANNED, What.SCAN_UNDONE), _l("Door")),
    What.ACTED: _l("Staff"),
}

TROUBLE = (What.MAIL_REFUSED, What.MAIL_UNSURE, What.CASE_OPENED, What.READING_FAILED)


def tell(happening: Happening) -> str:
    """Return a happening as a sentence in the language of the moment."""
    return str(_TELL[happening.what](happening.facts))


def name_mail(name: str) -> Words:
    """Return what a mail was about; a message to attendees is called by its subject."""
    return MAILS.get(name, name)


def say_seats(seats: list[tuple[int, str]]) -> str:
    """Return seats as `2 × Reguler, 1 × VIP`."""
    return ", ".join(f"{quantity} × {name}" for quantity, name in seats)


def key_words(names: Mapping[Any, Words]) -> list[tuple[str, Words]]:
    """Return the choices of a field: the value of each state, and what it is called."""
    return [(state.value, name) for state, name in names.items()]


def same_words(values: Iterable[str]) -> list[tuple[str, str]]:
    """Return the choices of a field whose values speak for themselves."""
    return [(value, value) for value in values]


def end_of(account_number: str) -> str:
    """Return the end of a bank account's number: enough to recognise it by, not to use it."""
    return f"••• {account_number[-3:]}"


def clock(when: datetime, zone: tzinfo) -> str:
    """Return the time of day to the second, as log lines have it: `09.00.07`."""
    return f"{when.astimezone(zone):%H.%M.%S}"


def is_trouble(happening: Happening) -> bool:
    """Tell whether this is what somebody who looks for trouble looks for."""
    refused = happening.facts.get("result") is ScanResult.REFUSED
    failed = happening.facts.get("status") is RefundStatus.FAILED
    return refused or failed or happening.what in TROUBLE


# --- the order ----------------------------------------------------------------------------------


def _placed(facts: Facts) -> Words:
    words = {"seats": say_seats(facts["seats"]), "total": rupiah(facts["total"])}
    if facts["partner"]:
        by = facts["partner"]
        return _("Order placed by %(partner)s: %(seats)s, %(total)s", partner=by, **words)
    return _("Order placed: %(seats)s, %(total)s", **words)


def _paid(facts: Facts) -> Words:
    count = facts["seats"]
    return ngettext(
        "Order paid, %(num)d e-ticket made", "Order paid, %(num)d e-tickets made", count
    )


def _revoked(facts: Facts) -> Words:
    return ngettext("%(num)d e-ticket revoked", "%(num)d e-tickets revoked", facts["seats"])


# --- mails --------------------------------------------------------------------------------------


def _mail_sent(facts: Facts) -> Words:
    to, mail = facts["recipient"], name_mail(facts["mail"])
    return _("Mail to %(to)s: %(mail)s", to=to, mail=mail)


def _mail_refused(facts: Facts) -> Words:
    to, mail, why = facts["recipient"], name_mail(facts["mail"]), facts["why"]
    return _("Mail to %(to)s refused for good: %(mail)s (%(why)s)", to=to, mail=mail, why=why)


def _mail_unsure(facts: Facts) -> Words:
    to, mail = facts["recipient"], name_mail(facts["mail"])
    return _("Mail to %(to)s perhaps not arrived: %(mail)s", to=to, mail=mail)


def _mail_asked(facts: Facts) -> Words:
    if facts["is_counted"]:
        return _("The buyer asked for the e-tickets again")
    return _("The e-tickets are to be mailed again")


# --- money that needs a person, and money that goes back ----------------------------------------


def _case_opened(facts: Facts) -> Words:
    kind, amount = CASE_KINDS[facts["kind"]], rupiah(facts["amount"])
    return _(
        "Case %(case)d opened: %(kind)s, %(amount)s", case=facts["case"], kind=kind, amount=amount
    )


def _case_closed(facts: Facts) -> Words:
    case, by, how = facts["case"], facts["by"], RESOLUTIONS.get(facts["resolution"], "–")
    return _("Case %(case)d closed: %(resolution)s, by %(by)s", case=case, by=by, resolution=how)


def _refund_due(facts: Facts) -> Words:
    return _(
        "Refund %(refund)s due: %(amount)s (%(reason)s)",
        refund=facts["refund"],
        amount=rupiah(facts["amount"]),
        reason=REFUND_REASONS[facts["reason"]],
    )


def _refund_done(facts: Facts) -> Words:
    state, by = REFUND_STATES[facts["status"]], facts["by"]
    return _("Refund %(refund)s %(state)s, by %(by)s", refund=facts["refund"], state=state, by=by)


def _receipt_made(facts: Facts) -> Words:
    if facts["kind"] is ReceiptKind.CREDIT_NOTE:
        return _("Credit note %(number)s made", number=facts["number"])
    return _("Receipt %(number)s made", number=facts["number"])


# --- the door, and staff ------------------------------------------------------------------------


def _scanned(facts: Facts) -> Words:
    sentence = _verdict(facts)
    where = [_("gate %(gate)s", gate=facts["gate"])] if facts["gate"] else []
    where += [facts["by"]] if facts["by"] else []
    where += [_("without a network")] if facts["is_offline"] else []
    return f"{sentence} ({', '.join(where)})" if where else sentence


def _verdict(facts: Facts) -> Words:
    who, reason = facts["attendee"], REASONS.get(facts["reason"])
    if facts["result"] is ScanResult.REFUSED:
        return _("%(who)s refused: %(reason)s", who=who, reason=reason or "–")
    if facts["direction"] is Direction.OUT:
        return _("%(who)s went out", who=who)
    if reason:
        return _("%(who)s came in, though: %(reason)s", who=who, reason=reason)
    return _("%(who)s came in", who=who)


def _acted(facts: Facts) -> Words:
    entry = facts["entry"]
    return f"{entry.actor_name} {name_action(entry.action)}"


_TELL: dict[What, Callable[[Facts], Words]] = {
    What.PLACED: _placed,
    What.INVOICE_MADE: xendit_words.invoice_made,
    What.INVOICE_REPLACED: xendit_words.invoice_replaced,
    What.INVOICE_ENDS: xendit_words.invoice_ends,
    What.SEATS_RELEASED: lambda _facts: _("Time to pay over: seats released"),
    What.CANCEL_ASKED: lambda _facts: _("Cancelling asked for"),
    What.CALLBACK: xendit_words.callback,
    What.READING_ASKED: xendit_words.reading_asked,
    What.READING: xendit_words.reading,
    What.READING_FAILED: xendit_words.reading_failed,
    What.READ: xendit_words.read_last,
    What.MONEY_CAME: xendit_words.money_came,
    What.PAID: _paid,
    What.REVOKED: _revoked,
    What.MAIL_SENT: _mail_sent,
    What.MAIL_REFUSED: _mail_refused,
    What.MAIL_UNSURE: _mail_unsure,
    What.MAIL_ASKED: _mail_asked,
    What.CASE_OPENED: _case_opened,
    What.CASE_CLOSED: _case_closed,
    What.REFUND_DUE: _refund_due,
    What.REFUND_SENT: lambda facts: _("Refund %(refund)s sent to Xendit", **facts),
    What.ACCOUNT_ASKED: lambda facts: _("Refund %(refund)s: bank account asked for", **facts),
    What.REFUND_DONE: _refund_done,
    What.RECEIPT_MADE: _receipt_made,
    What.SCANNED: _scanned,
    What.SCAN_UNDONE: lambda facts: _("Entry of %(attendee)s taken back by %(by)s", **facts),
    What.ACTED: _acted,
}

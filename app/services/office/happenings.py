"""What may happen to an order: the kinds of lines its story is made of."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class What(enum.Enum):
    """What happened; behind each the facts it comes with."""

    PLACED = "placed"  # seats [(quantity, name)], total, partner
    INVOICE_MADE = "invoice_made"  # invoice
    INVOICE_REPLACED = "invoice_replaced"  # invoice
    INVOICE_ENDS = "invoice_ends"  # invoice
    SEATS_RELEASED = "seats_released"
    CANCEL_ASKED = "cancel_asked"
    CALLBACK = "callback"  # status, about, deliveries
    READING_ASKED = "reading_asked"
    READING = "reading"  # invoice, status
    READING_FAILED = "reading_failed"  # why
    READ = "read"
    MONEY_CAME = "money_came"  # amount, channel, invoice
    PAID = "paid"  # seats
    REVOKED = "revoked"  # seats
    MAIL_SENT = "mail_sent"  # mail (its name, or a message's subject), recipient
    MAIL_REFUSED = "mail_refused"  # mail, recipient, why
    MAIL_UNSURE = "mail_unsure"  # mail, recipient
    MAIL_ASKED = "mail_asked"  # is_counted
    CASE_OPENED = "case_opened"  # case, kind, amount
    CASE_CLOSED = "case_closed"  # case, kind, resolution, by
    REFUND_DUE = "refund_due"  # refund, amount, reason
    REFUND_SENT = "refund_sent"  # refund
    ACCOUNT_ASKED = "account_asked"  # refund
    REFUND_DONE = "refund_done"  # refund, status, by
    RECEIPT_MADE = "receipt_made"  # kind, number
    SCANNED = "scanned"  # attendee, code, direction, result, reason, gate, by, is_offline
    SCAN_UNDONE = "scan_undone"  # attendee, code, by
    ACTED = "acted"  # entry (an AuditEntry)


@dataclass(frozen=True)
class Happening:
    """One line of a story; `request_id` finds the log lines of it, where it is known."""

    at: datetime
    what: What
    facts: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None

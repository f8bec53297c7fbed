"""Every switch of the stand-in, in one table.

`call` limits a switch to one call: create, read, list, expire, refund, transactions, balance
(empty: any).
Every switch also takes `times`, after which it turns itself off.
"""

from __future__ import annotations

from sandbox.switches import Switch

CALL = {"call": ""}

SWITCHES = (
    # The way to Xendit.
    Switch("latency", "every call waits before it is answered", {"milliseconds": 500.0, **CALL}),
    Switch("rate_limited", "answers 429 RATE_LIMIT_EXCEEDED", {"reset_seconds": 1.5, **CALL}),
    Switch("rate_limit", "changes the calls a minute an endpoint takes", {"per_minute": 600}),
    Switch("html_502", "the edge answers 502 in HTML; nothing is done", CALL),
    Switch("server_error", "answers 500 SERVER_ERROR; nothing is done", CALL),
    Switch(
        "error_without_message",
        "answers an error whose body has no message",
        {"status": 400, "error_code": "API_VALIDATION_ERROR", **CALL},
    ),
    Switch("connection_dropped", "closes the connection unanswered; nothing is done", CALL),
    # Creating.
    Switch(
        "create_answer_lost",
        "the invoice exists, its answer does not arrive: `timeout` (held for that many seconds, "
        "then closed), `dropped` (closed at once) or `502` (HTML)",
        {"how": "timeout", "seconds": 60.0},
    ),
    Switch(
        "create_slow",
        "create answers late; the invoice exists before the wait, or after it",
        {"seconds": 2.0, "commit_first": True},
    ),
    Switch(
        "webhook_before_answer",
        "the invoice is paid and its webhook answered before create answers",
        {"channel": "QRIS"},
    ),
    Switch("inactive_channels", "these codes are not active on the account", {"codes": ["BCA"]}),
    # Reading.
    Switch("unknown_bank_code", "available_banks lists a bank nobody knows", {"code": "BANKBARU"}),
    Switch("unknown_fields", "invoices and webhooks carry fields nobody knows"),
    Switch("metadata_null", "metadata reads null"),
    Switch("settled_at_once", "a paid invoice reads SETTLED at once"),
    Switch("list_empty", "listing finds nothing, as if it lagged behind"),
    # Expiring.
    Switch(
        "expire_refused",
        "what expiring a not pending invoice answers",
        {"status": 404, "error_code": "INVOICE_NOT_FOUND_ERROR"},
    ),
    Switch("paid_before_expire", "a payment wins against the expire call", {"channel": "BCA"}),
    # Paying.
    Switch("paid_amount_differs", "the payer pays this much more (or less)", {"by": -1000}),
    Switch("paid_twice", "a second invoice of the same external_id is paid as well"),
    Switch("late_payment_stays_expired", "paid after expiry, the invoice still reads EXPIRED"),
    # Webhooks.
    Switch("expired_webhook", "EXPIRED webhooks are sent (the dashboard's tick box; off)"),
    Switch("late_webhook_off", "a payment after expiry sends no webhook"),
    Switch("webhook_lost", "webhooks are never sent (without `times`: all webhooks off)"),
    Switch(
        "webhook_duplicate",
        "every webhook is sent several times over",
        {"copies": 2, "same_webhook_id": True},
    ),
    Switch("webhook_delayed", "webhooks leave late", {"seconds": 5.0}),
    Switch("expired_after_paid", "a paid invoice's PAID webhook is followed by EXPIRED"),
    Switch("paid_after_expired", "a paid invoice's PAID webhook follows an EXPIRED one"),
    Switch("webhook_wrong_token", "webhooks carry another token", {"token": "not-the-token"}),
    Switch("webhook_timeout", "gives up on a receiver after this instead of 30", {"seconds": 1.0}),
    Switch("webhook_retry_after_timeout", "a time-out is retried too, unlike at Xendit"),
    # Refunds.
    Switch("refund_fails", "refunds end FAILED", {"failure_code": "INSUFFICIENT_BALANCE"}),
    Switch(
        "refund_answer_lost",
        "the refund exists, its answer does not arrive; `how` as for `create_answer_lost`",
        {"how": "dropped", "seconds": 60.0},
    ),
    Switch("refund_stays_pending", "refunds never end"),
    Switch("refund_by_invoice_off", "refunds need a payment_request_id"),
    # Transactions.
    Switch("transactions_forbidden", "the key may not read transactions: 403"),
    Switch("fee_differs", "a settled payment's fee is this much more than expected", {"by": 500}),
    Switch("settlement_late", "nothing is settled when it was expected"),
    Switch("balance_forbidden", "the key may not read the balance: 403"),
    Switch("balance_differs", "the balance has this much more (or less)", {"by": -2500}),
)

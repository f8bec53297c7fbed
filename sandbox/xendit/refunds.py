"""Refunds of paid invoices: accepted as PENDING, ended later, told by an enveloped webhook."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import iso
from sandbox.xendit.account import Account
from sandbox.xendit.channels import CHANNELS
from sandbox.xendit.invoices import Invoice
from sandbox.xendit.payments import Payment
from sandbox.xendit.validation import REFUND, ApiError, check

# A refund takes this long before the time scale.
ENDS_AFTER_SECONDS = 10.0
METHOD_TYPES = {"card": "CARD", "ewallet": "EWALLET", "direct_debit": "DIRECT_DEBIT"}


@dataclass
class Refund:
    """One refund; `status` is PENDING, SUCCEEDED or FAILED, the amount rupiah."""

    invoice: Invoice
    payment: Payment
    amount: int
    sent: dict[str, Any]
    created: datetime
    updated: datetime
    ends_at: datetime
    id: str = field(default_factory=lambda: f"rfd-{uuid.uuid4()}")
    status: str = "PENDING"
    failure_code: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Write it as the refund calls answer it; unlike invoices, with nulls."""
        group = CHANNELS[self.payment.channel].group
        return {
            "id": self.id,
            "payment_request_id": self.payment.request_id,
            "payment_id": self.payment.read.get("payment_id"),
            "invoice_id": self.invoice.id,
            "payment_method_type": METHOD_TYPES.get(group, self.payment.method),
            "reference_id": self.sent.get("reference_id"),
            "channel_code": self.payment.channel,
            "currency": "IDR",
            "amount": self.amount,
            "status": self.status,
            "reason": self.sent["reason"],
            "failure_code": self.failure_code,
            "refund_fee_amount": None,
            "country": "ID",
            "metadata": self.sent.get("metadata"),
            "created": iso(self.created),
            "updated": iso(self.updated),
        }


class Refunds:
    """Keep an account's refunds."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._refunds: dict[str, Refund] = {}
        self._by_key: dict[str, tuple[dict[str, Any], Refund]] = {}
        account.on_reset += [self._refunds.clear, self._by_key.clear]

    def create(self, body: dict[str, Any], idempotency_key: str | None) -> dict[str, Any]:
        """Accept a refund and return it, PENDING at first; a known key returns the first one.

        Raises ApiError with Xendit's codes when it cannot be.
        """
        check(body, REFUND)
        with self._account.lock:
            if idempotency_key in self._by_key:
                first_body, refund = self._by_key[idempotency_key]
                if first_body != body:
                    raise ApiError(409, "IDEMPOTENCY_ERROR", "Key was used with another body")
                return refund.as_json()
            refund = self._accept(body)
            if idempotency_key:
                self._by_key[idempotency_key] = (body, refund)
            # Written under the lock: a moment later it may have ended.
            return refund.as_json()

    def find(self, refund_id: str) -> Refund | None:
        """Return the refund or None."""
        return self._refunds.get(refund_id)

    def of_invoice(self, invoice_id: str | None) -> list[Refund]:
        """Return an invoice's refunds, or all of them, oldest first."""
        with self._account.lock:
            refunds = list(self._refunds.values())
        return [r for r in refunds if invoice_id in (None, r.invoice.id)]

    def end_due(self) -> None:
        """End every refund whose time has come and send its webhook."""
        account = self._account
        now = account.clock.now()
        with account.lock:
            due = [r for r in self._refunds.values() if r.status == "PENDING" and r.ends_at <= now]
            for refund in due:
                if account.faults.take("refund_stays_pending"):
                    continue
                fails = account.faults.take("refund_fails")
                refund.status = "FAILED" if fails else "SUCCEEDED"
                refund.failure_code = fails["failure_code"] if fails else None
                refund.updated = now
                account.courier.send("refund", self._webhook(refund))

    def _accept(self, body: dict[str, Any]) -> Refund:
        invoice = self._invoice_of(body)
        payment = invoice.payment
        if payment is None:
            raise ApiError(400, "INELIGIBLE_TRANSACTION", "The invoice is not paid")
        before = sum(r.amount for r in self.of_invoice(invoice.id) if r.status != "FAILED")
        amount = int(body.get("amount", payment.amount - before))
        rule = CHANNELS[payment.channel].refund
        if rule == "none":
            raise ApiError(403, "REFUND_NOT_SUPPORTED", "This channel does not support refunds")
        if rule == "full" and amount != payment.amount:
            raise ApiError(403, "PARTIAL_REFUND_NOT_SUPPORTED", "Only a full refund is possible")
        if not 0 < amount <= payment.amount - before:
            raise ApiError(400, "MAXIMUM_REFUND_AMOUNT_REACHED", "More than what is left")
        now = self._account.clock.now()
        wait = timedelta(seconds=ENDS_AFTER_SECONDS * self._account.settings.time_scale)
        refund = Refund(invoice, payment, amount, body, now, now, now + wait)
        self._refunds[refund.id] = refund
        return refund

    def _invoice_of(self, body: dict[str, Any]) -> Invoice:
        wanted = body.get("invoice_id")
        if wanted and self._account.faults.take("refund_by_invoice_off"):
            raise ApiError(400, "API_VALIDATION_ERROR", "payment_request_id is required")
        for invoice in self._account.newest_first():
            payment = invoice.payment
            if invoice.id == wanted:
                return invoice
            if payment and payment.request_id == body.get("payment_request_id"):
                return invoice
        raise ApiError(404, "DATA_NOT_FOUND", "The payment was not found")

    def _webhook(self, refund: Refund) -> dict[str, Any]:
        data = refund.as_json()
        del data["payment_request_id"]
        return {
            "event": f"refund.{refund.status.lower()}",
            "business_id": self._account.settings.user_id,
            "created": iso(refund.updated),
            "data": data,
        }

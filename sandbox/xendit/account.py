"""The merchant's account at Xendit: its invoices and everything that happens to them."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sandbox.clock import Clock
from sandbox.switches import Switchboard
from sandbox.xendit.channels import CHANNELS
from sandbox.xendit.faults import SWITCHES
from sandbox.xendit.invoices import Invoice, as_answer, as_webhook, new_invoice
from sandbox.xendit.payments import receive
from sandbox.xendit.rate_limit import SlidingWindow
from sandbox.xendit.settings import Settings
from sandbox.xendit.validation import INVOICE, ApiError, check
from sandbox.xendit.webhooks import Courier, Delivery
from sandbox.xendit.withdrawals import Withdrawal

KEPT_REQUESTS = 5_000


class NotPossible(Exception):
    """Something the payer or the tester wants does not fit the invoice's state."""


class Account:
    """Hold all state in memory behind one lock; the only place that changes an invoice."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock()
        self.faults = Switchboard(SWITCHES)
        self.limiter = SlidingWindow()
        self.lock = threading.RLock()
        self.urls = {"invoice": settings.callback_url, "refund": settings.refund_callback_url}
        self.courier = Courier(
            self.clock,
            self.faults,
            lambda kind: self.urls[kind],
            settings.callback_token,
            settings.time_scale,
        )
        self.invoices: dict[str, Invoice] = {}
        self.withdrawals: list[Withdrawal] = []
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self.resets = 0
        self.on_reset: list[Callable[[], None]] = []
        self._expiring: list[tuple[datetime, str]] = []

    def create(self, body: dict[str, Any]) -> Invoice:
        """Make an invoice of a request body, always a new one. Raises ApiError."""
        check(body, INVOICE)
        if body.get("currency", "IDR") != "IDR":
            raise ApiError(400, "UNSUPPORTED_CURRENCY", "Currency is not supported here")
        active = self._active_channels()
        if not active:
            raise ApiError(400, "NO_COLLECTION_METHODS_ERROR", "No payment method is active")
        if not set(body.get("payment_methods", active)) <= set(active):
            raise ApiError(
                400,
                "UNAVAILABLE_PAYMENT_METHOD_ERROR",
                "The payment method choices did not match with the available one on this business.",
            )
        with self.lock:
            return self._keep(new_invoice(body, active, self.clock.now()))

    def find(self, invoice_id: str) -> Invoice | None:
        """Return the invoice, expired first if it is due, or None."""
        with self.lock:
            self.expire_due()
            return self.invoices.get(invoice_id)

    def newest_first(self) -> list[Invoice]:
        """Return all invoices, the latest first."""
        with self.lock:
            self.expire_due()
            return list(reversed(self.invoices.values()))

    def pay(
        self,
        invoice: Invoice,
        code: str,
        *,
        amount: int | None = None,
        after_expiry: bool = False,
        callback: bool = True,
    ) -> list[Delivery]:
        """Receive money through a channel and send the webhooks it causes.

        `after_expiry` lets the money come when the invoice has expired, expiring it if needed.
        Raises NotPossible when the invoice cannot be paid so.
        """
        with self.lock:
            self.expire_due()
            if after_expiry and invoice.status == "PENDING":
                self._expire(invoice, by_merchant=False)
            late = invoice.status == "EXPIRED" and invoice.payment is None
            if invoice.status != "PENDING" and not (late and after_expiry):
                raise NotPossible(f"invoice {invoice.id} is {invoice.status}")
            if code not in invoice.channels:
                raise NotPossible(f"{code} is not offered by invoice {invoice.id}")
            self._receive(invoice, code, amount)
            twice = self.faults.take("paid_twice")
            twin = self._pay_twin(invoice, code) if twice else None
            if not callback or (late and self.faults.take("late_webhook_off")):
                return []
            bodies = [body for each in (invoice, twin) if each for body in self._announce(each)]
        return self.courier.send("invoice", *bodies)

    def expire(self, invoice: Invoice) -> None:
        """Close an open invoice for the merchant. Raises ApiError when it is not PENDING."""
        winner = self.faults.take("paid_before_expire")
        if winner and invoice.status == "PENDING":
            self.pay(invoice, winner["channel"])
        with self.lock:
            self.expire_due()
            if invoice.status != "PENDING":
                answer = self.faults.take("expire_refused") or {
                    "status": 404,
                    "error_code": "INVOICE_NOT_FOUND_ERROR",
                }
                message = f"Could not find and update PENDING invoice {invoice.id}"
                raise ApiError(answer["status"], answer["error_code"], message)
            self._expire(invoice, by_merchant=True)

    def expire_due(self) -> None:
        """Expire every invoice whose time has passed."""
        now = self.clock.now()
        with self.lock:
            while self._expiring and self._expiring[0][0] <= now:
                invoice = self.invoices.get(heapq.heappop(self._expiring)[1])
                if invoice and invoice.is_due(now):
                    self._expire(invoice, by_merchant=False)

    def settle(self, invoice: Invoice) -> None:
        """Move a paid invoice's money into the balance. Raises NotPossible unless PAID."""
        with self.lock:
            if invoice.status != "PAID":
                raise NotPossible(f"invoice {invoice.id} is {invoice.status}")
            invoice.status = "SETTLED"

    def plain_answer(self, invoice: Invoice) -> dict[str, Any]:
        """Write the invoice as it is, whatever the switches say."""
        with self.lock:
            return as_answer(invoice, self.settings)

    def answer(self, invoice: Invoice) -> dict[str, Any]:
        """Write the invoice for an API answer, subject to the reading switches."""
        with self.lock:
            if invoice.status == "PAID" and self.faults.take("settled_at_once"):
                invoice.status = "SETTLED"
            body = as_answer(invoice, self.settings)
        stranger = self.faults.take("unknown_bank_code")
        if stranger:
            like = {"collection_type": "POOL", "transfer_amount": invoice.amount}
            body["available_banks"].append({"bank_code": stranger["code"], **like})
        if self.faults.take("metadata_null"):
            body["metadata"] = None
        return self._with_strange_fields(body)

    def webhook(self, invoice: Invoice, status: str) -> dict[str, Any]:
        """Write a webhook body, subject to the switches. PAID is also possible when unpaid."""
        with self.lock:
            written = invoice
            if status == "PAID" and invoice.payment is None:
                channel = CHANNELS[invoice.channels[0]]
                money = receive(channel, invoice.amount, "", self.clock.now())
                written = replace(invoice, payment=money)
            return self._with_strange_fields(as_webhook(written, status, self.settings))

    def reset(self) -> None:
        """Forget everything that happened since the start."""
        with self.lock:
            self.resets += 1
            self.courier.forget()
            self.faults.clear()
            self.invoices.clear()
            self.withdrawals.clear()
            self.requests.clear()
            self._expiring.clear()
            self.limiter.reset()
            self.clock.reset()
            self.urls["invoice"] = self.settings.callback_url
            self.urls["refund"] = self.settings.refund_callback_url
            for forget in self.on_reset:
                forget()

    def _active_channels(self) -> tuple[str, ...]:
        inactive = (self.faults.take("inactive_channels") or {"codes": []})["codes"]
        return tuple(code for code in self.settings.channels if code not in inactive)

    def _keep(self, invoice: Invoice) -> Invoice:
        self.invoices[invoice.id] = invoice
        heapq.heappush(self._expiring, (invoice.expiry_date, invoice.id))
        return invoice

    def _receive(self, invoice: Invoice, code: str, amount: int | None) -> None:
        now = self.clock.now()
        off = self.faults.take("paid_amount_differs")
        paid = (invoice.amount if amount is None else amount) + (off["by"] if off else 0)
        channel = CHANNELS[code]
        stays = invoice.status == "EXPIRED" and self.faults.take("late_payment_stays_expired")
        invoice.payment = receive(channel, paid, invoice.choose(channel), now)
        invoice.status = "EXPIRED" if stays else "PAID"
        invoice.updated = now

    def _pay_twin(self, invoice: Invoice, code: str) -> Invoice:
        """Pay another open invoice of the same external_id, making one if there is none."""
        twins = [
            each
            for each in self.invoices.values()
            if each.external_id == invoice.external_id and each.status == "PENDING"
        ]
        now = self.clock.now()
        twin = twins[0] if twins else self._keep(new_invoice(invoice.sent, invoice.channels, now))
        self._receive(twin, code, None)
        return twin

    def _announce(self, invoice: Invoice) -> list[dict[str, Any]]:
        paid, expired = self.webhook(invoice, "PAID"), self.webhook(invoice, "EXPIRED")
        before = [expired] if self.faults.take("paid_after_expired") else []
        after = [expired] if self.faults.take("expired_after_paid") else []
        return [*before, paid, *after]

    def _expire(self, invoice: Invoice, *, by_merchant: bool) -> None:
        invoice.expire(self.clock.now(), by_merchant=by_merchant)
        if self.faults.take("expired_webhook"):
            self.courier.send("invoice", self.webhook(invoice, "EXPIRED"))

    def _with_strange_fields(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.faults.take("unknown_fields"):
            body |= {"field_of_tomorrow": "new", "nested_of_tomorrow": {"level": [1, None]}}
        return body

"""An invoice: its states, its ids and how it is written in answers and webhooks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import iso
from sandbox.xendit.channels import CHANNELS, GROUPS, Channel
from sandbox.xendit.payments import Payment, new_destination, paid_fields
from sandbox.xendit.settings import Settings

DEFAULT_SECONDS = 86_400
# An invoice is stored this long after its request came, and expires relative to the request.
STORING_TAKES = timedelta(milliseconds=155)

ECHOED_FIRST = ("payer_email", "description")
ECHOED_LAST = (
    "success_redirect_url",
    "failure_redirect_url",
    "items",
    "fees",
    "customer",
    "customer_notification_preference",
    "metadata",
    "should_authenticate_credit_card",
    "channel_properties",
)
IN_WEBHOOKS = (
    "description",
    "payer_email",
    "success_redirect_url",
    "failure_redirect_url",
)
ONLY_IN_PAID_WEBHOOKS = ("items", "fees", "should_authenticate_credit_card")


@dataclass
class Invoice:
    """Xendit's invoice; `status` is PENDING, PAID, SETTLED or EXPIRED, amounts are rupiah."""

    id: str
    sent: dict[str, Any]
    amount: int
    channels: tuple[str, ...]
    created: datetime
    updated: datetime
    expiry_date: datetime
    status: str = "PENDING"
    payment: Payment | None = None
    destinations: dict[str, str] = field(default_factory=dict)
    failed_attempts: int = 0

    @property
    def external_id(self) -> str:
        """Return the merchant's own reference; several invoices may share it."""
        return str(self.sent["external_id"])

    @property
    def locale(self) -> str:
        """Return the hosted page's language, `id` unless `en` was asked for."""
        return str(self.sent.get("locale", "id"))

    def choose(self, channel: Channel) -> str:
        """Return the VA number or payment code, made when the payer first opens the channel."""
        if channel.code not in self.destinations:
            self.destinations[channel.code] = new_destination(channel)
        return self.destinations[channel.code]

    def expire(self, now: datetime, *, by_merchant: bool) -> None:
        """Close it: the merchant's call moves expiry_date to now, time running out does not."""
        self.status = "EXPIRED"
        self.updated = now
        if by_merchant:
            self.expiry_date = now

    def is_due(self, now: datetime) -> bool:
        """Tell whether it is open past its expiry_date."""
        return self.status == "PENDING" and now >= self.expiry_date


def new_invoice(sent: dict[str, Any], active: tuple[str, ...], now: datetime) -> Invoice:
    """Make an invoice of a checked request; decimals of the amount are cut off."""
    duration = timedelta(seconds=sent.get("invoice_duration", DEFAULT_SECONDS))
    return Invoice(
        id=object_id(now),
        sent=sent,
        amount=int(sent["amount"]),
        channels=tuple(c for c in active if c in sent.get("payment_methods", active)),
        created=now,
        updated=now,
        expiry_date=now - STORING_TAKES + duration,
    )


def object_id(now: datetime) -> str:
    """Make 24 hex digits, the first eight being the second, as MongoDB's ObjectId does."""
    return f"{int(now.timestamp()):08x}{secrets.token_hex(8)}"


def as_answer(invoice: Invoice, settings: Settings) -> dict[str, Any]:
    """Write the invoice as create, read, list and expire answer it; unset fields are left out."""
    payment = invoice.payment
    sent = invoice.sent
    body: dict[str, Any] = {
        "id": invoice.id,
        "external_id": invoice.external_id,
        "user_id": settings.user_id,
        "status": invoice.status,
        "merchant_name": settings.merchant_name,
        "merchant_profile_picture_url": f"{settings.public_url}/web/static/merchant.svg",
        "amount": invoice.amount,
        **_echo(sent, ECHOED_FIRST),
        "expiry_date": iso(invoice.expiry_date),
        "invoice_url": f"{settings.public_url}/web/{invoice.id}",
    }
    for group in GROUPS.values():
        if group.listed_in:
            body[group.listed_in] = _listed(invoice, group.code, settings)
    body |= {
        "should_exclude_credit_card": "CREDIT_CARD" not in invoice.channels,
        "should_send_email": sent.get("should_send_email", False),
        "created": iso(invoice.created),
        "updated": iso(invoice.updated),
        "currency": "IDR",
        **_echo(sent, ECHOED_LAST),
    }
    return body | (paid_fields(payment) | payment.read if payment else {})


def as_webhook(invoice: Invoice, status: str, settings: Settings) -> dict[str, Any]:
    """Write the webhook body for PAID or EXPIRED; metadata, customer and URLs are not in it."""
    body = {
        "id": invoice.id,
        "external_id": invoice.external_id,
        "user_id": settings.user_id,
        "is_high": False,
        "status": status,
        "merchant_name": settings.merchant_name,
        "amount": invoice.amount,
        "created": iso(invoice.created),
        "updated": iso(invoice.updated),
        "currency": "IDR",
        **_echo(invoice.sent, IN_WEBHOOKS),
    }
    if status == "PAID" and invoice.payment:
        body |= _echo(invoice.sent, ONLY_IN_PAID_WEBHOOKS)
        body |= paid_fields(invoice.payment) | invoice.payment.webhook
    return body


def _echo(sent: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: sent[name] for name in names if sent.get(name) is not None}


def _listed(invoice: Invoice, group: str, settings: Settings) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for code in invoice.channels:
        if CHANNELS[code].group != group:
            continue
        if group == "va":
            entries.append(_bank(invoice, code, settings))
        else:
            entries.append({GROUPS[group].listed_as: code} | _payment_code(invoice, code))
    return entries


def _bank(invoice: Invoice, code: str, settings: Settings) -> dict[str, Any]:
    number = invoice.destinations.get(code)
    return {
        "bank_code": code,
        "collection_type": "POOL",
        **({"bank_account_number": number} if number else {}),
        "transfer_amount": invoice.amount,
        "bank_branch": "Virtual Account",
        "account_holder_name": settings.merchant_name.upper(),
        "identity_amount": 0,
    }


def _payment_code(invoice: Invoice, code: str) -> dict[str, str]:
    number = invoice.destinations.get(code)
    return {"payment_code": number} if number else {}


# What the dashboard's "Test and save" button sends: a fixed body of 2016.
DASHBOARD_SAMPLE: dict[str, Any] = {
    "id": "579c8d61f23fa4ca35e52da4",
    "external_id": "invoice_123124123",
    "user_id": "5781d19b2e2385880609791c",
    "is_high": True,
    "payment_method": "BANK_TRANSFER",
    "status": "PAID",
    "merchant_name": "Xendit",
    "amount": 50000,
    "paid_amount": 50000,
    "bank_code": "PERMATA",
    "paid_at": "2016-10-12T08:15:03.404Z",
    "payer_email": "payer@example.com",
    "description": "This is a description",
    "adjusted_received_amount": 47500,
    "fees_paid_amount": 0,
    "updated": "2016-10-10T08:15:03.404Z",
    "created": "2016-10-10T08:15:03.404Z",
    "currency": "IDR",
    "payment_channel": "PERMATA",
    "payment_destination": "888888888888",
}

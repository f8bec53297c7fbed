"""A payment of an invoice: what each kind of channel adds to reads and to webhooks."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.clock import iso
from sandbox.xendit.channels import CHANNELS, GROUPS, Channel


@dataclass(frozen=True)
class Payment:
    """Money received for an invoice; `read` and `webhook` are the channel's own fields."""

    channel: str
    amount: int
    paid_at: datetime
    request_id: str
    read: dict[str, Any]
    webhook: dict[str, Any]

    @property
    def method(self) -> str:
        """Return Xendit's payment_method, such as BANK_TRANSFER."""
        return GROUPS[CHANNELS[self.channel].group].payment_method


def receive(channel: Channel, amount: int, destination: str, now: datetime) -> Payment:
    """Make the payment a channel reports; `destination` is the VA number or payment code.

    Shapes are those of recorded webhooks and reads; direct debit and PayLater are assumed.
    """
    read, webhook = _channel_fields(channel, destination)
    # Banks and QRIS report whole seconds, so paid_at ends in .000Z there.
    paid_at = now.replace(microsecond=0) if channel.group in ("va", "qr", "retail") else now
    return Payment(channel.code, amount, paid_at, f"pr-{uuid.uuid4()}", read, read | webhook)


def paid_fields(payment: Payment) -> dict[str, Any]:
    """Return the fields every paid invoice gains, in reads and webhooks alike."""
    return {
        "payment_method": payment.method,
        "paid_amount": payment.amount,
        "paid_at": iso(payment.paid_at),
        "payment_channel": payment.channel,
    }


def new_destination(channel: Channel) -> str:
    """Make up a VA number (digits) or a retail payment code; empty for other channels."""
    if not channel.prefix:
        return ""
    return channel.prefix + "".join(str(secrets.randbelow(10)) for _ in range(8))


def _channel_fields(channel: Channel, destination: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (fields in reads and webhooks, further fields in webhooks only)."""
    method = {"payment_method_id": f"pm-{uuid.uuid4()}"}
    if channel.group == "va":
        paid_to = {"bank_code": channel.code, "payment_destination": destination}
        return {**paid_to, "payment_id": str(uuid.uuid4())}, {}
    if channel.group == "ewallet":
        return {"payment_id": f"ewc_{uuid.uuid4()}", **method}, {"ewallet_type": channel.code}
    if channel.group == "qr":
        source = {"source": "Gopay", "receipt_id": f"{secrets.randbelow(10**12):012d}"}
        return {"payment_id": f"qrpy_{uuid.uuid4()}", **method}, {"payment_details": source}
    if channel.group == "retail":
        return {"payment_destination": destination}, {}
    if channel.group == "card":
        charge = {"credit_card_charge_id": secrets.token_hex(12)}
        return charge, {"credit_card_token": secrets.token_hex(12)}
    return {"payment_id": f"py-{uuid.uuid4()}"}, {}

"""What Xendit says and is told about invoices: shapes, and the kinds of failure.

Parsing is tolerant: an unknown bank code or a missing field must never lose an invoice that
exists.
"""

import enum
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

log = logging.getLogger(__name__)


class XenditError(Exception):
    """A call to Xendit that did not give what was asked for."""


class XenditRefused(XenditError):
    """400, 401, 403 or 404: nothing happened, and repeating will not help."""

    def __init__(self, status: int, error_code: str) -> None:
        super().__init__(f"{status} {error_code}")
        self.status = status
        self.error_code = error_code


class XenditThrottled(XenditError):
    """429: nothing happened; try again after `pause` seconds."""

    def __init__(self, pause: float) -> None:
        super().__init__(f"rate limit, {pause:.0f} s")
        self.pause = pause


class XenditUnreachable(XenditError):
    """No connection could be made: nothing happened, try again."""


class XenditUnknown(XenditError):
    """Time-out, lost connection, 5xx or an unreadable answer: it may have happened."""


class InvoiceStatus(enum.Enum):
    """Xendit's four states as three, and UNKNOWN for any word that is new."""

    PENDING = "PENDING"
    PAID = "PAID"  # also SETTLED: the money has reached the balance
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class InvoiceItem:
    """A line buyers see on the hosted page; `price` in rupiah for one."""

    name: str
    quantity: int
    price: int


@dataclass(frozen=True)
class InvoiceRequest:
    """What an invoice is created from; `amount` in rupiah equals the sum of the items."""

    external_id: str
    amount: int
    description: str
    duration_seconds: int
    buyer_name: str
    buyer_email: str
    buyer_phone: str
    items: tuple[InvoiceItem, ...]
    success_url: str
    failure_url: str
    locale: str

    def body(self) -> dict[str, Any]:
        """Return the JSON body of `POST /v2/invoices`."""
        return {
            "external_id": self.external_id,
            "amount": self.amount,
            "currency": "IDR",
            "description": self.description,
            "invoice_duration": self.duration_seconds,
            "customer": {
                "given_names": self.buyer_name,
                "email": self.buyer_email,
                "mobile_number": self.buyer_phone,
            },
            "items": [
                {"name": item.name, "quantity": item.quantity, "price": item.price}
                for item in self.items
            ],
            "success_redirect_url": self.success_url,
            "failure_redirect_url": self.failure_url,
            "should_send_email": False,
            "locale": self.locale,
        }


@dataclass(frozen=True)
class Invoice:
    """What Xendit says about an invoice; amounts in rupiah, times aware."""

    id: str
    external_id: str
    status: InvoiceStatus
    amount: int
    currency: str
    url: str
    expires_at: datetime | None
    paid_amount: int | None
    paid_at: datetime | None
    method: str | None
    channel: str | None
    payment_id: str | None
    created_at: datetime | None = None

    @property
    def is_paid(self) -> bool:
        """Tell whether money came: a late payment may leave the status EXPIRED."""
        return self.status is InvoiceStatus.PAID or (
            self.paid_at is not None and self.paid_amount is not None
        )

    @property
    def received(self) -> int:
        """Return the rupiah that came, 0 when none did."""
        if not self.is_paid:
            return 0
        return self.paid_amount if self.paid_amount is not None else self.amount

    def is_created_in(self, from_at: datetime, until_at: datetime) -> bool:
        """Tell whether it was created in [from_at, until_at), or does not say when."""
        return self.created_at is None or from_at <= self.created_at < until_at


def parse_invoice(body: Mapping[str, Any]) -> Invoice:
    """Read an invoice object. Raises XenditUnknown when it has no id or amount."""
    try:
        return Invoice(
            id=str(body["id"]),
            external_id=str(body["external_id"]),
            status=_parse_status(body.get("status")),
            amount=int(body["amount"]),
            currency=str(body.get("currency") or "IDR"),
            url=str(body.get("invoice_url") or ""),
            expires_at=_parse_time(body.get("expiry_date")),
            paid_amount=_parse_amount(body.get("paid_amount")),
            paid_at=_parse_time(body.get("paid_at")),
            method=_parse_word(body.get("payment_method")),
            channel=_parse_word(body.get("payment_channel")),
            payment_id=_parse_word(body.get("payment_id") or body.get("credit_card_charge_id")),
            created_at=_parse_time(body.get("created")),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise XenditUnknown("an invoice without id, external_id or amount") from error


def _parse_status(word: object) -> InvoiceStatus:
    if word == "SETTLED":
        return InvoiceStatus.PAID
    try:
        return InvoiceStatus(word)
    except ValueError:
        log.error("unknown invoice status", extra={"status": str(word)[:40]})
        return InvoiceStatus.UNKNOWN


def _parse_time(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _parse_amount(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _parse_word(value: object) -> str | None:
    return str(value)[:64] if value else None

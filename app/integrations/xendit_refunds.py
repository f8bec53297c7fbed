"""What Xendit says and is told about refunds of paid invoices: shapes only.

Parsing is as tolerant as that of invoices: a refund that exists must never be lost to a word that
is new.
"""

import enum
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.integrations.xendit_shapes import XenditUnknown

log = logging.getLogger(__name__)


class XenditRefundStatus(enum.Enum):
    """Xendit's states; CANCELLED counts as FAILED, and UNKNOWN stands for any word that is new."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class RefundRequest:
    """What a refund is created from; `amount` in rupiah, `reason` one of Xendit's words.

    `reference` is ours. It is the idempotency key as well, so a repeat is the same refund.
    """

    invoice_id: str
    reference: str
    amount: int
    reason: str

    def body(self) -> dict[str, Any]:
        """Return the JSON body of `POST /refunds`."""
        return {
            "invoice_id": self.invoice_id,
            "reference_id": self.reference,
            "amount": self.amount,
            "currency": "IDR",
            "reason": self.reason,
        }


@dataclass(frozen=True)
class XenditRefund:
    """What Xendit says about a refund; `failure_code` tells why it FAILED."""

    id: str
    reference: str
    status: XenditRefundStatus
    failure_code: str | None


def parse_refund(body: Mapping[str, Any]) -> XenditRefund:
    """Read a refund object. Raises XenditUnknown when it has no id."""
    if not isinstance(body.get("id"), str) or not body["id"]:
        raise XenditUnknown("a refund without id")
    status = _parse_status(body.get("status"))
    why = body.get("failure_code") or (body.get("status") if _is_failed(status) else None)
    return XenditRefund(
        id=body["id"],
        reference=str(body.get("reference_id") or ""),
        status=status,
        failure_code=str(why)[:64] if why else None,
    )


def parse_refunds(body: object) -> list[XenditRefund]:
    """Read the answer of `GET /refunds`. Raises XenditUnknown unless it is the whole list."""
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(data, list):
        raise XenditUnknown("a list of refunds was expected")
    if body.get("has_more"):
        raise XenditUnknown("the list of refunds goes on")  # a missing one could be on the rest
    return [parse_refund(entry) for entry in data if isinstance(entry, dict)]


def _is_failed(status: XenditRefundStatus) -> bool:
    return status is XenditRefundStatus.FAILED


def _parse_status(word: object) -> XenditRefundStatus:
    if word in ("CANCELLED", "CANCELED"):
        return XenditRefundStatus.FAILED
    try:
        return XenditRefundStatus(word)
    except ValueError:
        log.error("unknown refund status", extra={"status": str(word)[:40]})
        return XenditRefundStatus.UNKNOWN

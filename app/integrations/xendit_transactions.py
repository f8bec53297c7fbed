"""What Xendit says of money in the balance: fees, taxes, net amount, settlement. Shapes only.

Documented and never seen (facts 5.10), so parsing is tolerant: what cannot be read is left out and
logged, and one odd transaction of another system hides no other.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from app.integrations.xendit_shapes import XenditUnknown

log = logging.getLogger(__name__)

MOST = 50  # the most a page holds
SETTLED = frozenset({"SETTLED", "EARLY_SETTLED"})
FINAL = frozenset({"COMPLETED", "NOT_APPLICABLE", "SUCCESS", "SETTLED"})
MONEY_OUT = ("WITHDRAWAL", "DISBURSEMENT")
# The account that settled money comes into and withdrawals leave; HOLDING is another (finance.md).
BALANCE = "/balance?account_type=CASH&currency=IDR"


@dataclass(frozen=True)
class XenditTransaction:
    """One payment that came in; amounts in whole rupiah.

    `reference` is our invoice's `external_id`; `invoice_id` is empty where Xendit does not say.
    """

    id: str
    reference: str
    invoice_id: str
    amount: int
    net: int
    fee: int
    vat: int
    withholding: int
    is_fee_final: bool
    settlement_status: str
    created_at: datetime
    expected_at: datetime | None

    @property
    def is_settled(self) -> bool:
        """Tell whether the money is in the balance."""
        return self.settlement_status in SETTLED


@dataclass(frozen=True)
class XenditWithdrawal:
    """Money that left the balance, or was to; amounts in whole rupiah, the charges on top.

    `kind` is WITHDRAWAL or DISBURSEMENT; only `status` SUCCESS has left.
    """

    id: str
    kind: str
    status: str
    amount: int
    fee: int
    vat: int
    withholding: int
    created_at: datetime


@dataclass(frozen=True)
class TransactionPage:
    """A page of the list, the newest first; `after_id` leads to the next, None after the last."""

    transactions: list[XenditTransaction]
    withdrawals: list[XenditWithdrawal]
    after_id: str | None


def list_path(from_at: datetime, until_at: datetime, after_id: str | None) -> str:
    """Return the path that asks for payments and withdrawals created in [from_at, until_at]."""
    wanted: dict[str, str | list[str]] = {
        "types": ["PAYMENT", *MONEY_OUT],
        "limit": str(MOST),
        "created[gte]": from_at.isoformat(),
        "created[lte]": until_at.isoformat(),
    }
    if after_id is not None:
        wanted["after_id"] = after_id
    return f"/transactions?{urlencode(wanted, doseq=True)}"


def parse_transactions(body: object) -> TransactionPage:
    """Read a page. Raises XenditUnknown when it is none, or says it goes on without saying where.

    Left out is what is not in rupiah, no successful payment, and no withdrawal.
    """
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(data, list):
        raise XenditUnknown("a list of transactions was expected")
    entries = [entry for entry in data if isinstance(entry, dict)]
    after_id = str(entries[-1].get("id") or "") if entries and body.get("has_more") else None
    if body.get("has_more") and not after_id:
        raise XenditUnknown("the list of transactions goes on nowhere")
    paid = [_parse(entry) for entry in entries if _is_payment(entry)]
    gone = [_parse_withdrawal(entry) for entry in entries if _is_withdrawal(entry)]
    return TransactionPage(
        [each for each in paid if each is not None],
        [each for each in gone if each is not None],
        after_id,
    )


def parse_transaction(entry: Mapping[str, Any]) -> XenditTransaction | XenditWithdrawal | None:
    """Read one; None when it is no successful payment and no withdrawal, or cannot be read."""
    if _is_withdrawal(entry):
        return _parse_withdrawal(entry)
    return _parse(entry) if _is_payment(entry) else None


def parse_balance(body: Mapping[str, Any]) -> int:
    """Return the balance in whole rupiah. Raises XenditUnknown when it is no number."""
    amount = body.get("balance")
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise XenditUnknown("a balance was expected")
    return _rupiah(amount)


def _is_withdrawal(entry: Mapping[str, Any]) -> bool:
    return entry.get("type") in MONEY_OUT and entry.get("currency") == "IDR"


def _is_payment(entry: Mapping[str, Any]) -> bool:
    kind = (entry.get("type"), entry.get("status"), entry.get("currency"))
    return kind == ("PAYMENT", "SUCCESS", "IDR")


def _parse(entry: Mapping[str, Any]) -> XenditTransaction | None:
    try:
        expected = entry.get("estimated_settlement_time")
        return XenditTransaction(
            id=str(entry["id"])[:64],
            reference=str(entry.get("reference_id") or "")[:64],
            invoice_id=str(_object(entry.get("product_data")).get("payment_link_id") or "")[:64],
            amount=_rupiah(entry["amount"]),
            net=_rupiah(entry["net_amount"]),
            **_charges(entry),
            is_fee_final=str(_object(entry.get("fee")).get("status")) in FINAL,
            settlement_status=str(entry.get("settlement_status") or "")[:32],
            created_at=_moment(str(entry["created"])),
            expected_at=_moment(str(expected)) if expected else None,
        )
    except (KeyError, ValueError, InvalidOperation):
        log.exception("a transaction that cannot be read", extra={"transaction": entry.get("id")})
        return None


def _parse_withdrawal(entry: Mapping[str, Any]) -> XenditWithdrawal | None:
    try:
        return XenditWithdrawal(
            id=str(entry["id"])[:64],
            kind=str(entry["type"])[:32],
            status=str(entry["status"])[:32],
            amount=abs(_rupiah(entry["amount"])),
            **_charges(entry),
            created_at=_moment(str(entry["created"])),
        )
    except (KeyError, ValueError, InvalidOperation):
        log.exception("a withdrawal that cannot be read", extra={"transaction": entry.get("id")})
        return None


def _charges(entry: Mapping[str, Any]) -> dict[str, int]:
    """Return the `fee`, `vat` and `withholding` of a transaction, in whole rupiah."""
    fee = _object(entry.get("fee"))
    taxes = ("xendit_withholding_tax", "third_party_withholding_tax")
    return {
        "fee": _rupiah(fee.get("xendit_fee") or 0),
        "vat": _rupiah(fee.get("value_added_tax") or 0),
        "withholding": sum(_rupiah(fee.get(name) or 0) for name in taxes),
    }


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _rupiah(value: object) -> int:
    """Return whole rupiah; a part of one (a percentage) is rounded as a bank does."""
    return int(Decimal(str(value)).quantize(Decimal(1), ROUND_HALF_UP))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without zone")
    return moment

"""GET /transactions: each payment in the merchant's balance, and what left it.

Fields as documented; charges and times of settlement are made up in the order of Xendit's prices.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from werkzeug.datastructures import MultiDict

from sandbox.clock import iso
from sandbox.xendit.account import Account
from sandbox.xendit.channels import CHANNELS
from sandbox.xendit.invoices import Invoice
from sandbox.xendit.payments import Payment
from sandbox.xendit.validation import ApiError

MOST = 50
VAT = 0.11


@dataclass(frozen=True)
class Terms:
    """What a group of channels costs (a part of the amount, and rupiah), and days to settle."""

    share: float
    flat: int
    days: int
    category: str


TERMS = {
    "va": Terms(0, 4_000, 1, "VIRTUAL_ACCOUNT"),
    "qr": Terms(0.0063, 0, 2, "QR_CODE"),
    "ewallet": Terms(0.015, 0, 2, "EWALLET"),
    "retail": Terms(0, 5_000, 5, "RETAIL_OUTLET"),
    "card": Terms(0.029, 2_000, 5, "CREDIT_CARD"),
    "direct_debit": Terms(0.019, 0, 0, "DIRECT_DEBIT"),
    "paylater": Terms(0.023, 0, 4, "PAYLATER"),
}


def list_transactions(account: Account, filters: MultiDict[str, str]) -> dict[str, Any]:
    """Write a page of transactions, the newest first. Raises ApiError."""
    limit = _limit(filters)
    every = _every(account)
    after = filters.get("after_id")
    if after:
        ids = [each["id"] for each in every]
        every = every[ids.index(after) + 1 :] if after in ids else []
    found = [each for each in every if _passes(each, filters)]
    page, has_more = found[:limit], len(found) > limit
    nexts = [f"/transactions?after_id={page[-1]['id']}"] if has_more else []
    links = [{"href": href, "rel": "next", "method": "GET"} for href in nexts]
    return {"has_more": has_more, "data": page, "links": links}


def read_transaction(account: Account, transaction_id: str) -> dict[str, Any]:
    """Write one transaction. Raises ApiError when there is none."""
    for each in _every(account):
        if each["id"] == transaction_id:
            return each
    raise ApiError(404, "DATA_NOT_FOUND", "The transaction was not found")


def _every(account: Account) -> list[dict[str, Any]]:
    """Write all, the newest first."""
    insist_on_right(account, "transactions")
    gone = [each.as_json(account.settings) for each in account.withdrawals]
    return sorted(
        [*write_payments(account), *gone], key=lambda each: str(each["created"]), reverse=True
    )


def insist_on_right(account: Account, what: str) -> None:
    """Raise ApiError while the switch says that the key may not read this."""
    if account.faults.take(f"{what}_forbidden"):
        message = "The API key is forbidden to perform this request"
        raise ApiError(403, "REQUEST_FORBIDDEN_ERROR", message)


def write_payments(account: Account) -> list[dict[str, Any]]:
    """Write every payment there is, with its charges and whether it is settled."""
    return [_write(account, each, each.payment) for each in account.newest_first() if each.payment]


def _limit(filters: MultiDict[str, str]) -> int:
    value = filters.get("limit", "10")
    if not value.isdecimal() or not 1 <= int(value) <= MOST:
        raise ApiError(400, "API_VALIDATION_ERROR", '"limit" must be between 1 and 50')
    return int(value)


def _passes(body: dict[str, Any], filters: MultiDict[str, str]) -> bool:
    plain = all(filters.get(name) in (None, body[name]) for name in ("reference_id", "product_id"))
    types, statuses = filters.getlist("types"), filters.getlist("statuses")
    wanted = body["type"] in (types or [body["type"]])
    wanted = wanted and body["status"] in (statuses or [body["status"]])
    return (
        plain and wanted and all(_in_time(body, filters, name) for name in ("created", "updated"))
    )


def _in_time(body: dict[str, Any], filters: MultiDict[str, str], name: str) -> bool:
    moment = datetime.fromisoformat(body[name])
    first, last = filters.get(f"{name}[gte]"), filters.get(f"{name}[lte]")
    try:
        is_late_enough = first is None or moment >= datetime.fromisoformat(first)
        return is_late_enough and (last is None or moment <= datetime.fromisoformat(last))
    except (ValueError, TypeError):
        raise ApiError(400, "API_VALIDATION_ERROR", f'"{name}" is not a time') from None


def _write(account: Account, invoice: Invoice, payment: Payment) -> dict[str, Any]:
    channel = CHANNELS[payment.channel]
    terms = TERMS[channel.group]
    now = account.clock.now()
    expected = payment.paid_at + timedelta(days=terms.days)
    is_late = account.faults.take("settlement_late")
    is_settled = invoice.status == "SETTLED" or (now >= expected and not is_late)
    differs = account.faults.take("fee_differs") if is_settled else None
    fee = round(payment.amount * terms.share) + terms.flat + (differs["by"] if differs else 0)
    vat = round(fee * VAT)
    return {
        "id": f"txn_{uuid.uuid5(uuid.NAMESPACE_URL, payment.request_id)}",
        "product_id": payment.read.get("payment_id") or payment.request_id,
        "type": "PAYMENT",
        "status": "SUCCESS",
        "channel_category": terms.category,
        "channel_code": f"ID_{channel.code}" if channel.group == "ewallet" else channel.code,
        "reference_id": invoice.external_id,
        "account_identifier": None,
        "currency": "IDR",
        "amount": payment.amount,
        "net_amount": payment.amount - fee - vat,
        "net_amount_currency": "IDR",
        "cashflow": "MONEY_IN",
        "settlement_status": "SETTLED" if is_settled else "PENDING",
        "estimated_settlement_time": iso(expected),
        "business_id": account.settings.user_id,
        "created": iso(payment.paid_at),
        "updated": iso(expected if is_settled else payment.paid_at),
        "fee": {
            "xendit_fee": fee,
            "value_added_tax": vat,
            "xendit_withholding_tax": 0,
            "third_party_withholding_tax": 0,
            "status": "COMPLETED" if is_settled else "PENDING",
        },
        "product_data": {"payment_link_id": invoice.id},
    }

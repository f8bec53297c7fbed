"""GET /balance: what is in the merchant's balance, added up from the transactions and refunds."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from sandbox.xendit.account import Account
from sandbox.xendit.refunds import Refunds
from sandbox.xendit.transactions import insist_on_right, write_payments
from sandbox.xendit.validation import ApiError
from sandbox.xendit.withdrawals import TAKEN

KINDS = ("CASH", "HOLDING")


def read_balance(account: Account, refunds: Refunds, asked: MultiDict[str, str]) -> dict[str, Any]:
    """Write the balance of the kind and currency asked for. Raises ApiError."""
    insist_on_right(account, "balance")
    if asked.get("currency", "IDR") != "IDR" or asked.get("account_type", "CASH") not in KINDS:
        raise ApiError(400, "API_VALIDATION_ERROR", '"account_type" or "currency" is not known')
    is_cash = asked.get("account_type", "CASH") == "CASH"
    return {"balance": _cash(account, refunds) if is_cash else 0}


def _cash(account: Account, refunds: Refunds) -> int:
    """Add up what was settled, less what was sent back, or left with its charges.

    What is on its way is gone already, and comes back when it fails.
    """
    paid = write_payments(account)
    settled = sum(
        int(each["net_amount"]) for each in paid if each["settlement_status"] != "PENDING"
    )
    gone = sum(one.amount + one.fee + one.vat for one in account.withdrawals if one.status in TAKEN)
    sent = sum(one.amount for one in refunds.of_invoice(None) if one.status != "FAILED")
    differs = account.faults.take("balance_differs")
    return settled - gone - sent + (int(differs["by"]) if differs else 0)

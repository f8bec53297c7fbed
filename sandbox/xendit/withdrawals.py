"""Money that leaves the merchant's balance: to the merchant's own bank, or paid out to others."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.clock import iso
from sandbox.xendit.settings import Settings

KINDS = ("WITHDRAWAL", "DISBURSEMENT")
STATUSES = ("PENDING", "SUCCESS", "FAILED", "VOIDED", "REVERSED")
TAKEN = STATUSES[:2]  # of which the balance has been taken


@dataclass
class Withdrawal:
    """One of them; `amount` reaches the bank, `fee` and `vat` come on top. All in rupiah."""

    kind: str
    amount: int
    fee: int
    vat: int
    status: str
    created: datetime
    updated: datetime
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def as_json(self, settings: Settings) -> dict[str, Any]:
        """Write it as the list of transactions has it: no settlement, and nothing of an invoice."""
        return {
            "id": f"txn_{self.id}",
            "product_id": self.id,
            "type": self.kind,
            "status": self.status,
            "channel_category": "BANK",
            "channel_code": "BCA",
            "reference_id": self.id,
            "account_identifier": "0000000000",
            "currency": "IDR",
            "amount": self.amount,
            "net_amount": self.amount,
            "net_amount_currency": "IDR",
            "cashflow": "MONEY_OUT",
            "settlement_status": None,
            "estimated_settlement_time": None,
            "business_id": settings.user_id,
            "created": iso(self.created),
            "updated": iso(self.updated),
            "fee": {
                "xendit_fee": self.fee,
                "value_added_tax": self.vat,
                "xendit_withholding_tax": 0,
                "third_party_withholding_tax": 0,
                "status": "COMPLETED" if self.fee else "NOT_APPLICABLE",
            },
        }

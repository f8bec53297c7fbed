"""The figures of a day, as people say them, out of the ledger's signed sums."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from app.models import Account, Movement
from app.services.money.ledger import Sum, add_up, count_up


@dataclass(frozen=True)
class Figures:
    """What the ledger says of a day; rupiah as people say them, all positive in the usual case."""

    orders: int
    seats: int
    gross: int
    taken_back: int
    received: int
    payments: int
    charged: int
    fee: int
    vat: int
    withholding: int
    settled: int
    refunds_due: int
    refunds: int
    sent_by_xendit: int
    sent_by_hand: int
    paid_out: int
    entered: int
    goodwill: int
    accepted: int
    used: int

    @property
    def beyond(self) -> int:
        """Return what was received and is not for the seats sold: too late, too much, twice.

        Negative where money of the day before became a sale on this one.
        """
        return self.received - self.used

    @property
    def short(self) -> int:
        """Return what was missing of the price of seats, and accepted when they were sold."""
        return self.gross - self.used

    @property
    def net_sales(self) -> int:
        """Return what was sold, less what was taken back."""
        return self.gross - self.taken_back

    @property
    def charges(self) -> int:
        """Return what Xendit takes for the day's payments."""
        return self.fee + self.vat + self.withholding

    @property
    def net(self) -> int:
        """Return what is left of the money received after Xendit's charges."""
        return self.received - self.charges


def figures_of(sums: Sequence[Sum]) -> Figures:
    """Turn the ledger's signed sums into figures."""
    received, sold, cancelled = Movement.RECEIVED, Movement.SOLD, Movement.CANCELLED
    due, sent = Movement.REFUND_DUE, Movement.REFUNDED
    return Figures(
        orders=count_up(sums, Account.BUYERS, sold),
        seats=count_up(sums, Account.SALES, sold) + count_up(sums, Account.SALES, cancelled),
        gross=-add_up(sums, Account.SALES, of=sold),
        taken_back=add_up(sums, Account.SALES, of=cancelled),
        received=add_up(sums, Account.RECEIVABLE, of=received),
        payments=count_up(sums, Account.RECEIVABLE, received),
        charged=count_up(sums, Account.RECEIVABLE, Movement.CHARGED),
        fee=add_up(sums, Account.FEE),
        vat=add_up(sums, Account.VAT),
        withholding=add_up(sums, Account.WITHHOLDING),
        settled=add_up(sums, Account.BALANCE, of=Movement.SETTLED),
        refunds_due=-add_up(sums, Account.REFUNDS_OWED, of=due),
        refunds=count_up(sums, Account.REFUNDS_OWED, due),
        sent_by_xendit=-add_up(sums, Account.BALANCE, of=sent),
        sent_by_hand=-add_up(sums, Account.BANK, of=sent),
        paid_out=-add_up(sums, Account.BALANCE, of=Movement.PAID_OUT),
        entered=add_up(sums, Account.BALANCE, of=Movement.CORRECTED),
        goodwill=add_up(sums, Account.GOODWILL),
        accepted=add_up(sums, Account.ACCEPTED),
        used=add_up(sums, Account.BUYERS, of=sold),
    )


def print_of(sums: Sequence[Sum]) -> str:
    """Return a short print of a day's figures: what is signed is what was shown."""
    said = [
        [one.movement.value, one.account.value, one.ticket_id, one.channel, one.amount, one.count]
        for one in sums
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

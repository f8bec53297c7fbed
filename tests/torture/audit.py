"""The audit when all is quiet: nothing lost, nothing twice, whatever was killed."""

from collections import Counter, defaultdict
from typing import Any

import sqlalchemy as sa

from app.models import IdempotencyKey, Order, OrderStatus, User
from app.services.running.invariants import find_violations
from tests.harness.processes import answers
from tests.harness.service import Service
from tests.harness.waiting import NeverHappened, eventually
from tests.torture.chaos import KILLS
from tests.torture.desk import Desk
from tests.torture.ledger import confirmations, find_lost_money, order_code
from tests.torture.tally import Tally

UNHEARD_MAILS = "mail: connection_dropped answer"


class Audit:
    """Asks every question about one ended run; each finding is a sentence."""

    def __init__(
        self, service: Service, desk: Desk, tally: Tally, mails: dict[str, dict[str, Any]]
    ) -> None:
        self._service, self._desk, self._tally = service, desk, tally
        self._mails = mails
        self._invoices = service.standin.invoices()

    def find(self) -> list[str]:
        """Return what is wrong; an empty list is the only good answer."""
        with self._desk.app.app_context():
            findings = find_violations() + find_lost_money(self._invoices)
        findings += self._payable() + self._promises() + self._keys() + self._confirmations()
        findings += [f"still to be done: {job}" for job in self._desk.busy()]
        findings += self._desk.given_up() + self._tally.surprises
        return findings + self._readiness()

    def _readiness(self) -> list[str]:
        try:
            eventually(lambda: answers(f"{self._service.url}/readyz"))
        except NeverHappened:
            return ["/readyz does not answer 200"]
        return []

    def _payable(self) -> list[str]:
        """Find orders with two open invoices, and open ones of orders that have ended."""
        query = sa.select(Order.code).where(Order.status == OrderStatus.PENDING)
        waiting = {code for (code,) in self._desk.rows(query)}
        open_ones = Counter(
            order_code(each["external_id"])
            for each in self._invoices
            if each["status"] == "PENDING"
        )
        return [
            f"order {code}: {number} payable invoices, {'open' if code in waiting else 'ended'}"
            for code, number in open_ones.items()
            if number > (code in waiting)
        ]

    def _promises(self) -> list[str]:
        """Find orders that were acknowledged and do not exist, and wishes nobody answered."""
        known = {code for (code,) in self._desk.rows(sa.select(Order.code))}
        findings = []
        for wish in self._tally.wishes:
            if not wish.is_answered:
                findings.append(f"{wish.key}: never answered")
            if len(wish.codes) > 1:
                findings.append(f"{wish.key}: several orders: {sorted(wish.codes)}")
            lost = wish.codes - known
            if lost:
                findings.append(f"{wish.key}: acknowledged and lost: {sorted(lost)}")
        return findings

    def _keys(self) -> list[str]:
        """Find keys that made no order or several, and orders made under no key."""
        mine = (
            sa.select(User.email, Order.code, IdempotencyKey.key)
            .select_from(Order)
            .join(User, User.id == Order.user_id)
            .outerjoin(IdempotencyKey, IdempotencyKey.order_id == Order.id)
        )
        made: dict[str, list[str]] = defaultdict(list)
        findings = []
        for email, code, key in self._desk.rows(mine):
            made[email].append(code)
            if key is None or email != f"{key}@example.com":
                findings.append(f"order {code} of {email} was made under the key {key}")
        for wish in self._tally.wishes:
            codes = made.get(wish.email, [])
            if len(codes) > 1 or (wish.codes and set(codes) != wish.codes):
                findings.append(f"{wish.key}: {codes} exist, {sorted(wish.codes)} acknowledged")
        return findings

    def _confirmations(self) -> list[str]:
        """Find paid orders without a mail, and more repeats than kills explain."""
        kills = sum(self._tally[kill] for kill in KILLS) + self._tally[UNHEARD_MAILS]
        sent = confirmations(self._mails.values())
        findings = []
        paid = (
            sa.select(User.email, Order.code, Order.status)
            .join(User)
            .where(Order.paid_at.is_not(None))
        )
        for email, code, status in self._desk.rows(paid):
            ids = sent.pop(email, [])
            if not ids and status is OrderStatus.PAID:  # no tickets for what staff cancelled since
                findings.append(f"order {code}: paid, and no mail")
            if len(set(ids)) > 1 or len(ids) > 1 + kills:
                findings.append(f"order {code}: {len(ids)} mails, Message-IDs {sorted(set(ids))}")
            self._tally.count("confirmations mailed again", max(len(ids) - 1, 0))
        findings += [f"e-tickets mailed to {email}, who never paid" for email in sent]
        if self._tally["confirmations mailed again"] > kills:
            findings.append("more mails were repeated than there were kills")
        return findings

    def standing(self) -> list[str]:
        """Return how many orders ended how, and what Xendit has, one a line."""
        orders = self._desk.rows(sa.select(Order.status, sa.func.count()).group_by(Order.status))
        lines = [f"  {number:6}  orders {status.value}" for status, number in orders]
        invoices = Counter(each["status"] for each in self._invoices)
        lines += [f"  {number:6}  invoices {status}" for status, number in invoices.items()]
        return [*lines, f"  {len(self._mails):6}  mails"]

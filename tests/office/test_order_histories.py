"""Whatever staff do to orders, in any order: seats, names, money and ledger agree.

Hypothesis makes up the histories and shortens those that break something.
"""

import itertools
from typing import Any

from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.errors import SoldOut
from app.gateways import current_gateways, current_settings
from app.models import CaseResolution, CaseStatus
from app.models.ledger import Account
from app.services.money import ledger, postings
from app.services.money.deciding import Decision
from app.services.office import order_correcting, order_ending
from app.services.office.order_actions import MoveNotPossible, OrderChanged
from app.services.office.order_print import OrderFacts
from tests.harness.histories import histories
from tests.office import acts
from tests.office.desk import BY, Desk

PRICES = {"VIP": 400_000, "Reguler": 250_000, "Tribun": 100_000}
KINDS = st.sampled_from(sorted(PRICES))
NUMBERS = itertools.count()  # tickets have a name of their own in each history


class Office(RuleBasedStateMachine):
    """A few orders, and staff who change their minds; a move that is refused changes nothing."""

    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[str] = []

    @initialize()
    def open(self) -> None:
        add = self.desk.add_ticket
        number = next(NUMBERS)
        self.tickets = {
            name: add(f"{name} {number}", price=price, amount=4) for name, price in PRICES.items()
        }

    @rule(kind=KINDS, quantity=st.integers(1, 2), more=st.sampled_from([0, 0, 10_000]))
    def sell(self, kind: str, quantity: int, more: int) -> None:
        amount = PRICES[kind] * quantity + more
        try:
            self.orders.append(self.desk.paid_order(self.tickets[kind], quantity, amount=amount))
        except SoldOut:
            return

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), number=st.integers(1, 2), kind=KINDS)
    def change_a_seat(self, data: Any, number: int, kind: str) -> None:
        code = data.draw(st.sampled_from(self.orders))
        before = self.desk.read(code, price_of(number))
        price = min(PRICES[kind], before)
        self.attempt(lambda: acts.change(self.desk, code, [number], self.tickets[kind], price))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), amount=st.sampled_from([1, 50_000, 250_000, 800_000]))
    def send_back(self, data: Any, amount: int) -> None:
        code = data.draw(st.sampled_from(self.orders))
        self.attempt(lambda: acts.refund(self.desk, code, amount))

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        code = data.draw(st.sampled_from(self.orders))
        self.attempt(lambda: acts.cancel(self.desk, code))

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), decision=st.sampled_from(Decision))
    def decide(self, data: Any, decision: Decision) -> None:
        code = data.draw(st.sampled_from(self.orders))
        for case_id in self.desk.read(code, open_cases):
            with self.desk.app.app_context():
                order_ending.decide_case(
                    self.desk.id_of(code),
                    case_id,
                    decision,
                    seen=self.desk.seen(code),
                    by=BY,
                    now=self.desk.now(),
                    gateway=current_gateways().xendit,
                )

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), number=st.integers(1, 2), name=st.sampled_from(["Bima", "Ni Luh"]))
    def correct_a_name(self, data: Any, number: int, name: str) -> None:
        code = data.draw(st.sampled_from(self.orders))

        def act() -> None:
            with self.desk.app.app_context():
                order_correcting.correct_names(
                    self.desk.id_of(code),
                    {number: name},
                    is_mailed=False,
                    seen=self.desk.seen(code),
                    by=BY,
                    now=self.desk.now(),
                )

        self.attempt(act)

    def attempt(self, act: Any) -> None:
        try:
            act()
        except MoveNotPossible:
            return
        except OrderChanged as error:
            raise AssertionError("nobody else acts here") from error

    @invariant()
    def what_must_hold_holds(self) -> None:
        assert self.desk.violations() == []

    @invariant()
    def every_order_adds_up(self) -> None:
        for code in self.orders:
            self.desk.read(code, check)

    def teardown(self) -> None:
        """Post what happened: every rupiah is somebody's, and only open cases are undecided."""
        zone, now = None, self.desk.now()
        with self.desk.app.app_context():
            zone = current_settings().event.timezone
            ids = [self.desk.id_of(code) for code in self.orders]
            postings.post_orders(ids, now=now, zone=zone)
            balances = ledger.balances()
        undecided = sum(self.desk.read(code, money_undecided) for code in self.orders)
        assert sum(balances.values()) == 0
        assert -balances.get(Account.BUYERS, 0) == undecided + self.earlier
        type(self).earlier = undecided + self.earlier

    earlier = 0  # of the histories before this one, in the same database


def price_of(number: int) -> Any:
    """Return a look at what the seat with this number costs now; 0 where there is none."""

    def look(facts: OrderFacts) -> int:
        prices = {item.ticket_id: item.price for item in facts.order.items}
        mine = [seat for seat in facts.order.e_tickets if seat.number == number]
        return prices[mine[0].ticket_id] if mine else 0

    return look


def open_cases(facts: OrderFacts) -> list[int]:
    return [case.id for case in facts.cases if case.status is not CaseStatus.RESOLVED]


def money_undecided(facts: OrderFacts) -> int:
    return sum(case.amount for case in facts.cases if case.status is not CaseStatus.RESOLVED)


def check(facts: OrderFacts) -> None:
    order = facts.order
    assert order.total == sum(item.subtotal for item in order.items)
    for item in order.items:
        names = [seat.attendee for seat in order.e_tickets if seat.ticket_id == item.ticket_id]
        assert (item.attendees, item.quantity) == (names, len(names))
        assert item.price <= item.ticket.price
    paid, back = order.payment.paid_amount or 0, sum(one.amount for one in facts.refunds)
    assert back <= paid
    if not order.is_paid:
        assert paid - back == money_undecided(facts) + kept(facts), "all of it goes back"


def kept(facts: OrderFacts) -> int:
    """Return what was paid beyond the price and kept by decision."""
    accepted = CaseResolution.ACCEPTED
    return sum(case.amount for case in facts.cases if case.resolution is accepted)


def test_whatever_staff_do_to_orders_everything_agrees(sqlite_app: Flask) -> None:
    class InThisTest(Office):
        desk = Desk(sqlite_app)

    run_state_machine_as_test(InThisTest, settings=histories(8, steps=12))

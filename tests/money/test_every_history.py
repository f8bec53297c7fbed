"""Any history of orders, payments, callbacks, failures and time: what must hold, holds.

Hypothesis makes up the histories and shortens those that break something.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
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
from sandbox.client import SandboxError, StandIn
from tests.app_factory import make_settings, running_app
from tests.harness.database import fresh_sqlite
from tests.harness.histories import histories
from tests.money.world import PRICE, World, wound

AMOUNT = 3
CHANNELS = st.sampled_from(["BCA", "QRIS", "OVO", "ALFAMART"])
WORDS = st.sampled_from(["PAID", "EXPIRED"])
FAULTS = st.sampled_from(
    [
        ("create_answer_lost", {"how": "502"}),
        ("html_502", {"call": "create"}),
        ("html_502", {"call": "read"}),
        ("server_error", {"call": "expire"}),
        ("rate_limited", {"call": ""}),
        ("error_without_message", {"status": 400, "call": "create"}),
        ("list_empty", {}),
        ("paid_before_expire", {"channel": "BCA"}),
        ("late_payment_stays_expired", {}),
        ("settled_at_once", {}),
    ]
)
MOMENTS = st.sampled_from([1, 5, 16, 46, 61, 600, 1700, 1801, 7200])
MakesWorlds = Callable[[], Any]  # a context manager that gives a World


class Shop(RuleBasedStateMachine):
    """A small event and everything that can happen to it; each step is one event."""

    make_world: MakesWorlds

    def __init__(self) -> None:
        super().__init__()
        self._opened = self.make_world()
        self.world: World = self._opened.__enter__()
        self.orders: list[Any] = []

    def teardown(self) -> None:
        try:
            self.world.standin.clear_faults()
            self.world.standin.set_fault("webhook_lost")
            self.settle_down()
        finally:
            self._opened.__exit__(None, None, None)

    @initialize()
    def open(self) -> None:
        self.ticket = self.world.add_ticket(amount=AMOUNT)

    @rule(quantity=st.integers(1, 2), is_inline=st.booleans())
    def order(self, quantity: int, is_inline: bool) -> None:
        try:
            placed = self.world.place(self.ticket, quantity)
        except SoldOut as error:
            assert error.available[self.ticket] < quantity
            return
        self.orders.append(placed)
        if is_inline:
            self.world.try_open_invoice(placed)

    @precondition(lambda self: self.known_invoices())
    @rule(data=st.data(), channel=CHANNELS, is_told=st.booleans(), after_expiry=st.booleans())
    def pay(self, data: Any, channel: str, is_told: bool, after_expiry: bool) -> None:
        """A buyer pays an invoice whose address we gave them; our clock and Xendit's agree."""
        placed, invoice = data.draw(st.sampled_from(self.known_invoices()))
        try:
            self.world.standin.pay(invoice, channel, after_expiry=after_expiry)
        except SandboxError:
            return  # not open any more
        if is_told:
            self.world.callback(placed, "PAID", id=invoice)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), word=WORDS, copies=st.integers(1, 3), amount=st.integers(0, PRICE * 9))
    def hear(self, data: Any, word: str, copies: int, amount: int) -> None:
        """A callback comes that is true or false, early or late, once or several times."""
        placed = data.draw(st.sampled_from(self.orders))
        named = data.draw(st.sampled_from([each["id"] for each in self.invoices()] + ["0" * 24]))
        for _ in range(copies):
            answer = self.world.callback(placed, word, id=named, amount=amount)
            assert answer.status_code == 200

    @rule(fault=FAULTS, times=st.integers(1, 2))
    def break_something(self, fault: tuple[str, dict[str, Any]], times: int) -> None:
        name, options = fault
        self.world.standin.set_fault(name, **options, times=times)

    @rule(seconds=MOMENTS)
    def wait(self, seconds: int) -> None:
        self.world.advance(seconds=seconds)

    @rule(seconds=st.sampled_from([61, 1801]))
    def run_ahead(self, seconds: int) -> None:
        """Our clock jumps and Xendit's does not: holds end while invoices are still open."""
        self.world.advance_ours(seconds=seconds)
        self.world.work("expire_order")

    @rule(steps=st.integers(1, 4))
    def work(self, steps: int) -> None:
        with self.world.app.app_context():
            for _ in range(steps):
                self.world.step()

    @rule()
    def settle_down(self) -> None:
        """Time passes with the workers running, until every paid invoice has been read."""
        for seconds in (20, 61, 1801, 7300, 90_000):
            self.world.advance(seconds=seconds)
            self.world.work(
                "open_invoice", "expire_order", "confirm_payment", "read_back", "close_invoice"
            )
        paid = {each["external_id"] for each in self.invoices() if each.get("paid_at")}
        for placed in self.orders:
            standing = self.world.standing(placed)
            assert standing.order != "PENDING", placed.code
            if placed.code in paid:
                assert standing.payment == "PAID", f"money of {placed.code} was forgotten"

    @invariant()
    def stock_orders_and_tickets_agree(self) -> None:
        assert self.world.violations() == []

    @invariant()
    def seats_are_released_only_when_their_invoice_is_closed(self) -> None:
        payable = {each["id"] for each in self.invoices() if each["status"] == "PENDING"}
        for placed, invoice in self.known_invoices():
            if self.world.standing(placed).order in ("EXPIRED", "CANCELLED"):
                assert invoice not in payable, f"{placed.code} can still be paid"

    @invariant()
    def nobody_is_paid_without_money(self) -> None:
        paid = {each["external_id"] for each in self.invoices() if each.get("paid_at")}
        for placed in self.orders:
            standing = self.world.standing(placed)
            if standing.order == "PAID":
                assert standing.payment == "PAID"
            if standing.payment == "PAID":
                assert placed.code in paid, f"{placed.code} was never paid for"

    def invoices(self) -> list[dict[str, Any]]:
        return self.world.standin.invoices()

    def known_invoices(self) -> list[tuple[Any, str]]:
        """Return the invoices buyers can know of, with their orders."""
        ids = [(placed, self.world.payment(placed).invoice_id) for placed in self.orders]
        return [(placed, invoice) for placed, invoice in ids if invoice]


@contextmanager
def a_world(folder: Path, standin: StandIn) -> Iterator[World]:
    """Give a new world on the emptied stand-in."""
    standin.reset()
    standin.set_fault("webhook_lost")
    standin.set_fault("rate_limit", per_minute=100_000)
    chosen = make_settings(fresh_sqlite(folder), xendit_api_url=standin.base_url)
    with (
        pytest.MonkeyPatch.context() as patch,
        running_app(chosen) as app,
        wound(World(app, chosen, standin), patch) as world,
    ):
        yield world


def test_whatever_happens_money_seats_and_tickets_agree(tmp_path: Path, standin: StandIn) -> None:
    class InThisTest(Shop):
        make_world = staticmethod(functools.partial(a_world, tmp_path, standin))

    run_state_machine_as_test(InThisTest, settings=histories(12, steps=20))

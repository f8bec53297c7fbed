"""A shop in a hostile world: every fault of Xendit, every wish of buyers and staff, any order."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from app.errors import CaseClosed, OrderNotCancellable, OrderNotExtendable, SoldOut
from app.models import Job, JobStatus
from app.services.money import cancelling, cases, extending, late_money, payments
from app.services.selling import ordering
from sandbox.client import SandboxError
from tests.money.test_every_history import AMOUNT, CHANNELS, MOMENTS, Shop
from tests.torture.ledger import find_lost_money, order_code

CHEAPER = 100_000
A_DAY = 86_400
MONEY_JOBS = (
    ordering.OPEN_INVOICE,
    ordering.EXPIRE_ORDER,
    payments.CONFIRM,
    payments.READ_BACK,
    payments.CLOSE_INVOICE,
    cases.CLOSE_CASE,
    cases.SERVE_WAITING,
)
Fault = tuple[str, dict[str, Any]]
CALLS = ("create", "read", "list", "expire", "")
ANSWERS_LOST: list[Fault] = [("create_answer_lost", {"how": how}) for how in ("502", "dropped")]
CALLS_BROKEN: list[Fault] = [
    (name, {"call": call})
    for name in ("html_502", "server_error", "connection_dropped", "rate_limited")
    for call in CALLS
]
ODDITIES: list[Fault] = [
    ("error_without_message", {"status": 400, "call": "create"}),
    ("error_without_message", {"status": 403, "call": "list"}),
    ("error_without_message", {"status": 409, "call": "expire"}),
    ("expire_refused", {"status": 400, "error_code": "INVOICE_NOT_FOUND_ERROR"}),
    ("inactive_channels", {"codes": ["BCA"]}),
    ("list_empty", {}),
    ("metadata_null", {}),
    ("unknown_fields", {}),
    ("unknown_bank_code", {}),
    ("settled_at_once", {}),
]
PAYERS: list[Fault] = [
    ("paid_before_expire", {"channel": "BCA"}),
    ("paid_amount_differs", {"by": -1000}),
    ("paid_amount_differs", {"by": 1000}),
    ("paid_twice", {}),
    ("late_payment_stays_expired", {}),
    ("webhook_before_answer", {"channel": "QRIS"}),
]
FAULTS = st.sampled_from(ANSWERS_LOST * 3 + CALLS_BROKEN + ODDITIES + PAYERS * 2)


class HostileShop(Shop):
    """Adds cancelling, extending, late choices, strange amounts and every switch of the API."""

    # Replaced by rules that do more in one step, or the rare meetings would never come about.
    order = wait = work = None  # type: ignore[assignment]

    @initialize()
    def open(self) -> None:
        self.ticket = self.world.add_ticket(amount=AMOUNT)
        self.other = self.world.add_ticket("Hemat", amount=2, price=CHEAPER)

    @rule(quantity=st.integers(1, 2), faults=st.lists(FAULTS, max_size=2), is_inline=st.booleans())
    def order_meanwhile(self, quantity: int, faults: list[Fault], is_inline: bool) -> None:
        """Somebody orders while things break."""
        for name, options in faults:
            self.world.standin.set_fault(name, **options, times=1)
        with suppress(SoldOut):
            placed = self.world.place(self.ticket, quantity)
            self.orders.append(placed)
            if is_inline:
                self.world.try_open_invoice(placed)

    @rule(faults=st.lists(FAULTS, max_size=1), is_rushed=st.booleans())
    def lapse(self, faults: list[Fault], is_rushed: bool) -> None:
        """Every hold ends for us, while Xendit's invoices are still open; others may rush in."""
        for name, options in faults:
            self.world.standin.set_fault(name, **options, times=1)
        self.world.advance_ours(seconds=1801)
        self.world.work(ordering.EXPIRE_ORDER)
        with suppress(SoldOut):
            while is_rushed:
                self.orders.append(self.world.place(self.ticket, 1))

    @precondition(lambda self: self.invoices())
    @rule(data=st.data(), channel=CHANNELS, off=st.sampled_from([0, 0, 1000, -1000]))
    def pay_late(self, data: Any, channel: str, off: int) -> None:
        """Money comes for an invoice that has ended, and Xendit tells so."""
        ended = [each for each in self.invoices() if each["status"] == "EXPIRED"]
        invoice = data.draw(st.sampled_from(ended or self.invoices()))
        with suppress(SandboxError):
            amount = invoice["amount"] + off
            self.world.standin.pay(invoice["id"], channel, amount=amount, after_expiry=True)
        self.world.deliver({k: invoice[k] for k in ("id", "external_id", "status")})
        self.world.work(payments.CONFIRM)

    @precondition(lambda self: self.invoices())
    @rule(data=st.data(), channel=CHANNELS, after_expiry=st.booleans())
    def pay_any(self, data: Any, channel: str, after_expiry: bool) -> None:
        """Somebody pays an invoice that perhaps no answer ever named: Xendit may have mailed it."""
        invoice = data.draw(st.sampled_from([each["id"] for each in self.invoices()]))
        with suppress(SandboxError):  # not open any more
            self.world.standin.pay(invoice, channel, after_expiry=after_expiry)

    @rule(fault=FAULTS, times=st.integers(1, 2))
    def break_something(self, fault: Fault, times: int) -> None:
        name, options = fault
        self.world.standin.set_fault(name, **options, times=times)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        """The buyer cancels."""
        self._wish(
            data,
            lambda order_id: cancelling.cancel_unpaid(
                order_id, now=self.world.now(), gateway=self.world.gateway
            ),
        )

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def cancel_by_staff(self, data: Any) -> None:
        self._wish(
            data, lambda order_id: cancelling.cancel_paid(order_id, by="f", now=self.world.now())
        )

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def extend(self, data: Any) -> None:
        """The buyer asks for more time."""
        self._wish(
            data,
            lambda order_id: extending.extend_hold(
                order_id,
                now=self.world.now(),
                gateway=self.world.gateway,
                settings=self.world.settings,
            ),
        )

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), choice=st.sampled_from(["other seats", "wait", "money back"]))
    def choose(self, data: Any, choice: str) -> None:
        """The buyer whose seats are gone decides."""
        choices: dict[str, Callable[[int], object]] = {
            "other seats": lambda order_id: late_money.take_other_seats(
                order_id, self.other, now=self.world.now()
            ),
            "wait": lambda order_id: late_money.wait_for_seats(order_id, now=self.world.now()),
            "money back": lambda order_id: late_money.take_money_back(
                order_id, now=self.world.now()
            ),
        }
        self._wish(data, choices[choice])

    @rule(seconds=MOMENTS)
    def settle_down(self, seconds: int = 1) -> None:
        """Replaces the milder one: here a moment passes and what is due is done."""
        self.world.advance(seconds=seconds)
        self.world.work(*MONEY_JOBS)

    @invariant()
    def nobody_is_paid_without_money(self) -> None:
        paid = {order_code(each["external_id"]) for each in self.invoices() if each.get("paid_at")}
        for placed in self.orders:
            standing = self.world.standing(placed)
            if standing.order == "PAID":
                assert standing.payment == "PAID"
            if standing.payment == "PAID":
                assert placed.code in paid, f"{placed.code} was never paid for"

    def teardown(self) -> None:
        """Clear all faults; first without Xendit's clock, so that nothing closes by itself."""
        try:
            self.world.standin.clear_faults()
            self.world.standin.set_fault("webhook_lost")
            self.world.standin.set_fault("rate_limit", per_minute=100_000)
            self._tell_the_truth()
            for seconds in (60, 400, 1900, 2000, 7300, A_DAY):
                self.world.advance_ours(seconds=seconds)
                self.world.work(*MONEY_JOBS)
            self._nothing_is_payable()
            for _ in range(3):
                self.world.advance(seconds=A_DAY + 60)
                self.world.work(*MONEY_JOBS)
            self._all_is_well()
        finally:
            self._opened.__exit__(None, None, None)

    def _tell_the_truth(self) -> None:
        """Xendit says once what was paid: a second payment is found by no reading back."""
        for invoice in self.invoices():
            if invoice.get("paid_at"):
                self.world.deliver({k: invoice[k] for k in ("id", "external_id", "status")})

    def _nothing_is_payable(self) -> None:
        open_ones = [each for each in self.invoices() if each["status"] == "PENDING"]
        assert open_ones == [], "every order has ended, and yet somebody could pay"

    def _all_is_well(self) -> None:
        assert self.world.violations() == []
        with self.world.app.app_context():
            assert find_lost_money(self.invoices()) == []
        given_up = [job for kind in MONEY_JOBS for job in self.world.jobs(kind, JobStatus.FAILED)]
        assert given_up == [], [self._describe(job) for job in given_up]

    def _describe(self, job: Job) -> str:
        return f"{job.kind} {job.payload}: {job.last_error}"

    def _wish(self, data: Any, wish: Callable[[int], object]) -> None:
        placed = data.draw(st.sampled_from(self.orders))
        refusals = (CaseClosed, OrderNotCancellable, OrderNotExtendable, SoldOut)
        with self.world.app.app_context(), suppress(*refusals):
            wish(placed.order_id)

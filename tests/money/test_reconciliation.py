"""Reconciliation: what agrees, what is healed, what lists leave out, what failures leave."""

import copy
import logging
from datetime import timedelta

import pytest

from app.extensions import db
from app.integrations.xendit import XenditError
from app.models import (
    CaseKind,
    Payment,
    Reconciliation,
    ReconciliationLine,
    Verdict,
)
from app.services.money import extending
from sandbox.client import StandIn
from tests.money.accounts import (
    AN_HOUR,
    cases,
    confirm,
    make_invoice,
    only_line,
    paid_order,
    run,
    verdicts,
)
from tests.money.world import PRICE, Standing, World

PAID = Standing("PAID", "PAID", held=0, sold=1, e_tickets=1)


class BreaksAt:
    """A meter that lets every call through and has Xendit fail at the one of this number."""

    def __init__(self, number: int, standin: StandIn) -> None:
        self._left = number
        self._standin = standin

    def before(self, endpoint: str) -> None:
        self._left -= 1
        if self._left == 0:
            self._standin.set_fault("server_error", times=1)

    def after(self, endpoint: str, allowed: int) -> None:
        pass


# --- all is well ---------------------------------------------------------------------------------


def test_what_agrees_is_a_match_paid_or_not(each_world: World) -> None:
    ticket = each_world.add_ticket()
    paid, unpaid = paid_order(each_world, ticket), each_world.order(ticket)
    each_world.standin.settle(each_world.invoice_id(paid))  # SETTLED is paid too

    made = run(each_world)

    lines = {line.external_id: line for line in made.lines}
    assert {line.verdict for line in made.lines} == {Verdict.MATCH}
    assert (made.invoices, made.differences) == (2, 0)
    one, other = lines[paid.code], lines[unpaid.code]
    assert (one.order_status, one.payment_status, one.xendit_status) == ("PAID",) * 3
    assert (one.paid_here, one.paid_there) == (PRICE, PRICE)
    assert (other.order_status, other.xendit_status) == ("PENDING", "PENDING")
    assert (other.paid_here, other.paid_there) == (0, 0)


def test_free_orders_have_no_invoice_and_no_line(world: World) -> None:
    world.place(world.add_ticket(price=0))

    made = run(world)

    assert (made.invoices, made.lines) == (0, [])


def test_invoices_of_other_systems_are_counted_and_left_alone(world: World) -> None:
    mine = paid_order(world, world.add_ticket())
    for reference in ("shop-4711", "TX", "TX7K2M9QPA/1", "invoice_123124123"):
        world.standin.pay(make_invoice(world, reference))

    made = run(world)

    assert [line.external_id for line in made.lines] == [mine.code]
    assert made.invoices == 5


# --- paid there, not here ------------------------------------------------------------------------


def test_with_every_webhook_lost_all_paid_orders_are_healed(
    each_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = each_world.add_ticket()
    orders = [each_world.order(ticket) for _ in range(3)]
    for placed in orders[:2]:
        each_world.standin.pay(each_world.invoice_id(placed), "QRIS")
    each_world.standin.settle(each_world.invoice_id(orders[0]))

    with caplog.at_level(logging.WARNING):
        made = run(each_world)

    found = {line.external_id: line.verdict for line in made.lines}
    healed, healed_too, waiting = (found[placed.code] for placed in orders)
    assert (healed, healed_too, waiting) == (Verdict.HEALED, Verdict.HEALED, Verdict.MATCH)
    assert made.differences == 0
    assert sum(line.paid_here for line in made.lines) == 2 * PRICE
    standings = [each_world.standing(placed).order for placed in orders]
    assert standings == ["PAID", "PAID", "PENDING"]
    assert [r.levelname for r in caplog.records if "healed" in r.message] == ["WARNING"] * 2
    assert each_world.violations() == []
    assert {verdict for _, verdict in verdicts(each_world)} == {Verdict.MATCH}, "and then all agree"


def test_money_that_came_after_the_end_is_healed_or_becomes_a_case(world: World) -> None:
    ticket = world.add_ticket(amount=1)
    late = world.order(ticket)
    world.advance(hours=0.6)
    world.work()
    world.standin.set_fault("late_payment_stays_expired")
    world.standin.pay(world.invoice_id(late), "QRIS", after_expiry=True)
    world.place(ticket)  # somebody else has the seat

    line = only_line(world)

    assert (line.verdict, line.xendit_status) == (Verdict.HEALED, "EXPIRED")
    assert (line.order_status, line.payment_status, line.paid_here) == ("EXPIRED", "PAID", PRICE)
    assert cases(world) == [CaseKind.SEATS_GONE]


def test_an_invoice_whose_creation_was_never_answered_is_healed_too(world: World) -> None:
    world.standin.set_fault("create_answer_lost", how="dropped", times=1)
    placed = world.place(world.add_ticket())
    assert world.try_open_invoice(placed) is None
    [lost] = world.standin.invoices(placed.code)
    world.standin.pay(lost["id"])

    assert verdicts(world) == [(placed.code, Verdict.HEALED)]
    assert world.standing(placed) == PAID
    assert world.invoice_id(placed) == lost["id"]


def test_money_on_an_invoice_from_before_the_hold_was_extended_counts(world: World) -> None:
    placed = world.order(world.add_ticket())
    old = world.invoice_id(placed)
    world.standin.set_fault("html_502", call="expire", times=1)  # the old one stays payable
    with world.app.app_context():
        extending.extend_hold(
            placed.order_id, now=world.now(), gateway=world.gateway, settings=world.settings
        )
    world.standin.pay(old)

    assert verdicts(world)[0] == (placed.code, Verdict.HEALED)
    assert world.standing(placed) == PAID
    assert {verdict for _, verdict in verdicts(world)} == {Verdict.MATCH}


# --- lists that lie, and Xendit away -------------------------------------------------------------


def test_more_invoices_than_a_page_holds_are_all_looked_at(world: World) -> None:
    placed = world.order(world.add_ticket())
    world.standin.pay(world.invoice_id(placed))  # the oldest: the lists begin with the newest
    for number in range(229):
        make_invoice(world, f"shop-{number}")
    told: list[int] = []

    made = run(world, progress=told.append)

    assert [line.verdict for line in made.lines] == [Verdict.HEALED]
    assert made.invoices == 230
    assert told == [100, 200, 230]


def test_a_list_that_lags_behind_is_made_up_for_by_reading(world: World) -> None:
    ticket = world.add_ticket()
    matching, healed = paid_order(world, ticket), world.order(ticket)
    world.standin.pay(world.invoice_id(healed))
    world.standin.set_fault("list_empty")

    made = run(world)

    found = {line.external_id: line.verdict for line in made.lines}
    assert found == {matching.code: Verdict.MATCH, healed.code: Verdict.HEALED}
    assert made.invoices == 2


@pytest.mark.parametrize("broken", [2, 3], ids=["second page", "reading"])
def test_xendit_away_in_the_middle_leaves_no_half_run_and_can_be_repeated(
    each_world: World, broken: int
) -> None:
    for number in range(100):
        make_invoice(each_world, f"shop-{number}")
    ticket = each_world.add_ticket()
    paid, unknown = each_world.order(ticket), each_world.order(ticket)
    each_world.standin.pay(each_world.invoice_id(paid))
    each_world.change(Payment, Payment.order_id == unknown.order_id, invoice_id="0" * 24)

    with pytest.raises(XenditError):
        run(each_world, gateway=each_world.gateway.metered(BreaksAt(broken, each_world.standin)))
    assert each_world.standing(paid).order == "PAID", "what was healed stays healed"
    assert each_world.count(Reconciliation) == each_world.count(ReconciliationLine) == 0
    made = run(each_world)

    assert {line.verdict for line in made.lines} == {Verdict.MATCH, Verdict.NOT_THERE}
    assert each_world.count(Reconciliation) == 1
    assert each_world.count(ReconciliationLine) == len(made.lines) == 3


class WatchesTransactions:
    """A meter that notes whether a transaction is open when a call is about to be made."""

    def __init__(self) -> None:
        self.open: list[bool] = []

    def before(self, endpoint: str) -> None:
        self.open.append(db.session().in_transaction())

    def after(self, endpoint: str, allowed: int) -> None:
        pass


def test_no_transaction_is_open_during_a_call(world: World) -> None:
    ticket = world.add_ticket()
    paid, unknown = world.order(ticket), paid_order(world, ticket)
    world.standin.pay(world.invoice_id(paid))
    world.change(Payment, Payment.order_id == unknown.order_id, invoice_id="0" * 24)
    watch = WatchesTransactions()

    run(world, gateway=world.gateway.metered(watch))

    assert watch.open == [False, False], "one list, one reading"


def test_a_payment_that_lands_during_the_run_is_no_difference(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list still says PENDING; by the time it is compared, it is paid and known here."""
    placed = world.order(world.add_ticket())
    [page] = world.gateway.list_invoices_between(world.now() - AN_HOUR, world.now() + AN_HOUR)
    world.standin.pay(world.invoice_id(placed))
    confirm(world, placed)
    stale = copy.copy(world.gateway)
    monkeypatch.setattr(stale, "list_invoices_between", lambda *_: iter([page]))

    made = run(world, gateway=stale)

    assert [line.verdict for line in made.lines] == [Verdict.MATCH]


def test_a_run_is_kept_whole_and_a_repeat_is_a_run_of_its_own(each_world: World) -> None:
    paid_order(each_world, each_world.add_ticket())

    first = run(each_world)
    each_world.advance_ours(seconds=1)
    second = run(each_world)

    assert first.id != second.id
    assert each_world.count(Reconciliation) == each_world.count(ReconciliationLine) == 2
    with each_world.app.app_context():
        kept = db.session.get_one(Reconciliation, second.id)
        assert kept.ran_at - first.ran_at >= timedelta(seconds=1)
        assert [line.verdict for line in kept.lines] == [Verdict.MATCH]

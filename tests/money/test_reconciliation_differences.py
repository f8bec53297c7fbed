"""Reconciliation: what differs, and what becomes of it."""

import logging

import pytest

from app.models import (
    CaseKind,
    Payment,
    PaymentStatus,
    Verdict,
)
from app.services.money.payments import CLOSE_INVOICE
from tests.money.accounts import (
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


def test_an_invoice_of_our_form_without_a_payment_is_not_here(world: World) -> None:
    invoice_id = make_invoice(world, "TX23456789-2")
    world.standin.pay(invoice_id)

    line = only_line(world)

    assert (line.verdict, line.invoice_id) == (Verdict.NOT_HERE, invoice_id)
    assert (line.order_status, line.paid_here, line.paid_there) == ("", 0, PRICE)


def test_what_xendit_does_not_know_any_more_is_not_there(
    each_world: World, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = each_world.add_ticket()
    paid, unpaid = paid_order(each_world, ticket), each_world.order(ticket)
    without_invoice = each_world.place(ticket)
    each_world.standin.reset()

    with caplog.at_level(logging.ERROR):
        made = run(each_world)

    lines = {line.external_id: line for line in made.lines}
    assert lines.keys() == {paid.code, unpaid.code}
    assert without_invoice.code not in lines
    assert {line.verdict for line in made.lines} == {Verdict.NOT_THERE}
    assert (lines[paid.code].paid_here, lines[paid.code].paid_there) == (PRICE, 0)
    assert (made.invoices, made.differences) == (0, 2)
    loud = [record for record in caplog.records if "difference" in record.message]
    assert {record.__dict__["external_id"] for record in loud} == lines.keys()


def test_paid_here_and_open_there_is_not_there(world: World) -> None:
    placed = world.order(world.add_ticket())
    mine = Payment.order_id == placed.order_id
    world.change(Payment, mine, status=PaymentStatus.PAID, paid_amount=PRICE)

    line = only_line(world)

    assert (line.verdict, line.xendit_status) == (Verdict.NOT_THERE, "PENDING")
    assert (line.paid_here, line.paid_there) == (PRICE, 0)


@pytest.mark.parametrize(("paid", "here"), [(PRICE - 1000, 0), (PRICE + 1000, PRICE + 1000)])
def test_another_amount_than_was_asked_for_differs(world: World, paid: int, here: int) -> None:
    placed = world.order(world.add_ticket())
    world.standin.pay(world.invoice_id(placed), amount=paid)

    line = only_line(world)

    assert (line.verdict, line.paid_here, line.paid_there) == (
        Verdict.AMOUNT_DIFFERS,
        here,
        paid,
    )
    assert cases(world) == [CaseKind.OVERPAID if here else CaseKind.UNDERPAID]


def test_another_amount_here_than_there_differs(world: World) -> None:
    placed = paid_order(world, world.add_ticket())
    world.change(Payment, Payment.order_id == placed.order_id, paid_amount=PRICE - 1)

    line = only_line(world)

    assert (line.verdict, line.paid_here, line.paid_there) == (
        Verdict.AMOUNT_DIFFERS,
        PRICE - 1,
        PRICE,
    )


def test_an_open_invoice_over_another_amount_differs(world: World) -> None:
    placed = world.order(world.add_ticket())
    world.change(Payment, Payment.order_id == placed.order_id, amount=PRICE + 1)

    assert verdicts(world) == [(placed.code, Verdict.AMOUNT_DIFFERS)]


@pytest.mark.parametrize("is_known", [True, False])
def test_two_paid_invoices_of_an_order_are_found_and_the_second_goes_back(
    each_world: World, is_known: bool
) -> None:
    placed = each_world.order(each_world.add_ticket())
    each_world.standin.set_fault("paid_twice", times=1)
    each_world.standin.pay(each_world.invoice_id(placed))
    if is_known:
        confirm(each_world, placed)

    made = run(each_world)

    found = {line.verdict: line for line in made.lines}
    first = Verdict.MATCH if is_known else Verdict.HEALED
    assert found.keys() == {first, Verdict.TWO_PAID}
    assert made.differences == 1
    second = found[Verdict.TWO_PAID]
    assert (second.paid_here, second.paid_there) == (0, PRICE)
    assert cases(each_world) == [CaseKind.DOUBLE_PAYMENT]
    assert each_world.standing(placed) == PAID


def test_an_open_invoice_nobody_may_pay_any_more_is_closed(world: World) -> None:
    placed = paid_order(world, world.add_ticket())
    twin = make_invoice(world, placed.code)

    assert {verdict for _, verdict in verdicts(world)} == {Verdict.MATCH}
    world.work(CLOSE_INVOICE)

    assert world.standin.invoice(twin)["status"] == "EXPIRED"

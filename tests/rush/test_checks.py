"""The audit complains about every ledger that is not in order, check by check."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from app.models import OrderStatus
from bench.rush.book import Answer, No, Yes
from bench.rush.checks import BUDGET, CHECKS, audit, stretches_with_line
from bench.rush.ledger import Call, Ledger
from bench.rush.samples import Line
from tests.rush.ledgers import LATE_INVOICE, TICKET, good_ledger, order, stock

Doctor = Callable[[Ledger], None]


def _change(ledger: Ledger, number: int, **changes: Any) -> None:
    ledger.orders[number] = dataclasses.replace(ledger.orders[number], **changes)


def _deadlocks(ledger: Ledger) -> None:
    ledger.deadlocks, ledger.busy_orders = 1_000, 1


def _refuse(ledger: Ledger, asked: float, *, seen_free: tuple[float, ...]) -> None:
    ledger.no.append(No({TICKET: 1}, asked, asked + 0.5))
    ledger.stock += [stock(at, 0, 2) for at in seen_free]


def _without(ledger: Ledger, *mails: str) -> None:
    for address in mails:
        del ledger.mails[address]


DOCTORED: dict[str, list[Doctor]] = {
    "stock, orders and money agree": [
        lambda ledger: ledger.violations.append("Reguler: 3 held, but PENDING orders want 2"),
        lambda ledger: ledger.lost_money.append("invoice: paid, nobody knows it"),
    ],
    "never oversold": [
        lambda ledger: ledger.stock.append(stock(71.0, 1, 3)),
        lambda ledger: _change(ledger, 0, seats=4, e_tickets=4),
    ],
    "every yes has its order, one order a form": [
        lambda ledger: ledger.yes.append(Yes("c@example.com", 2.0, token="nobody's")),
        lambda ledger: ledger.yes.append(Yes("c@example.com", 2.0, invoice_id="lost")),
        lambda ledger: ledger.orders.append(
            order("B3", email="B2@example.com", status=OrderStatus.EXPIRED, invoice_id="")
        ),
    ],
    "no yes became a no": [
        lambda ledger: _change(ledger, 1, ended=59.0),
        lambda ledger: _change(ledger, 1, ended=None),
        lambda ledger: _change(ledger, 1, status=OrderStatus.CANCELLED),
    ],
    "refused only when seats were gone": [
        lambda ledger: _refuse(ledger, 75.0, seen_free=(73.0, 76.0)),
        lambda ledger: _refuse(ledger, 75.0, seen_free=(72.0, 73.0, 74.0, 75.0, 76.0)),
    ],
    "no error but 503 with Retry-After": [
        lambda ledger: ledger.answers.append(Answer("catalogue", 3.0, 0.1, 500)),
        lambda ledger: ledger.answers.append(Answer("catalogue", 3.0, 0.1, 503)),
        lambda ledger: ledger.answers.append(Answer("catalogue", 3.0, 30.0, 0)),
    ],
    "no deadlock reached a buyer": [_deadlocks],
    "who paid has tickets and one mail": [
        lambda ledger: ledger.paid.append(LATE_INVOICE),
        lambda ledger: ledger.paid.append("unknown"),
        lambda ledger: _change(ledger, 0, e_tickets=1),
        lambda ledger: _without(ledger, "A1@example.com"),
        lambda ledger: ledger.mails["A1@example.com"].append("<2.etickets@tickets>"),
        lambda ledger: ledger.mails.update({"B2@example.com": ["<3.etickets@tickets>"]}),
    ],
    "one invoice an order": [lambda ledger: ledger.invoices.append({"external_id": "A1-2"})],
    "no 429 from Xendit after the first": [
        lambda ledger: ledger.calls.append(Call(3.0, "read", 429)),
    ],
    BUDGET: [
        lambda ledger: ledger.calls.__delitem__(slice(5, 8)),
        lambda ledger: ledger.line.extend([Line(20.0, 10), Line(21.0, 10), Line(22.0, 0)]),
    ],
    "all quiet at the end": [
        lambda ledger: _change(ledger, 1, status=OrderStatus.PENDING),
        lambda ledger: ledger.unfinished.append("job given up: deliver: no mail server"),
        lambda ledger: ledger.surprises.append("visitor-1: KeyError('location')"),
    ],
}
CASES = [(name, doctor) for name, doctors in DOCTORED.items() for doctor in doctors]


def test_a_ledger_in_order_passes_every_check() -> None:
    assert not any(audit(good_ledger()).values())


@pytest.mark.parametrize(("name", "doctor"), CASES)
def test_a_doctored_ledger_is_found_out(name: str, doctor: Doctor) -> None:
    ledger = good_ledger()

    doctor(ledger)

    assert audit(ledger)[name], name


def test_every_check_has_a_doctored_ledger() -> None:
    assert set(DOCTORED) == set(CHECKS)


def test_a_line_is_as_many_as_all_possible_calls_would_serve() -> None:
    ledger = good_ledger()

    assert stretches_with_line(ledger) == [(1.0, 3.0)]

    ledger.line = [Line(at, 4) for at in (1.0, 1.5, 2.0, 2.5)]
    assert stretches_with_line(ledger) == []
    ledger.calls_per_minute = 480
    assert stretches_with_line(ledger) == [(1.0, 2.5)]


def test_deadlocks_of_workers_and_refusals_of_a_full_lane_reach_no_buyer() -> None:
    ledger = good_ledger()
    ledger.deadlocks = 1_000
    ledger.answers.append(Answer("API order", 1.0, 0.4, 503, retry_after=2))

    assert not audit(ledger)["no deadlock reached a buyer"]


def test_seats_that_come_back_while_one_asks_may_still_be_refused() -> None:
    ledger = good_ledger()

    _refuse(ledger, 69.8, seen_free=(71.0,))

    assert not any(audit(ledger).values())


def test_seats_taken_and_given_back_between_two_looks_may_be_refused() -> None:
    ledger = good_ledger()
    ledger.orders.append(order("C3", created=74.0, seats=1, e_tickets=1, invoice_id=""))

    _refuse(ledger, 75.0, seen_free=(73.0, 76.0))

    assert not audit(ledger)["refused only when seats were gone"]

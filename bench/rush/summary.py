"""The figures of a drill: what its report says in numbers."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from app.models import OrderStatus
from bench.rush.book import Loser
from bench.rush.checks import budget_in_line, stretches_with_line
from bench.rush.drill import Outcome
from bench.rush.samples import Stock

PERCENTILES = (50, 95, 99)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 100) of the values are; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))] if ordered else 0.0


def summarise(outcome: Outcome) -> dict[str, Any]:
    """Return the figures by topic, ready for JSON; times are seconds since the opening."""
    return {
        "orders": _orders(outcome),
        "answers": _answers(outcome),
        "refusals": _refusals(outcome),
        "losers": losers(outcome.book.losers, last_seat_went(outcome.samples.stock)),
        "invoices": _invoices(outcome),
        "paid": _seconds(outcome.book.seen_paid),
        "cpu": _cpu(outcome),
        "lots": dict(sorted(outcome.book.lots.items())),
    }


def _orders(outcome: Outcome) -> dict[str, int]:
    orders = outcome.ledger.orders
    by_status = Counter(order.status.value for order in orders)
    seats = sum(order.seats for order in orders if order.status is OrderStatus.PAID)
    return {
        "arrived": len(outcome.book.arrivals),
        "placed": len(orders),
        **{status.lower(): number for status, number in sorted(by_status.items())},
        "seats_sold": seats,
        "e_tickets": sum(order.e_tickets for order in orders),
        "mails_with_e_tickets": sum(map(len, outcome.ledger.mails.values())),
        "database_deadlocks": outcome.ledger.deadlocks,
    }


def _answers(outcome: Outcome) -> dict[str, dict[str, float]]:
    """Return by kind of request how many were answered how, and how fast."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for answer in outcome.book.answers:
        seconds[answer.kind].append(answer.seconds)
    return {kind: _seconds(values) for kind, values in sorted(seconds.items())}


def _seconds(values: Sequence[float]) -> dict[str, float]:
    found = {f"p{share}": round(percentile(values, share), 3) for share in PERCENTILES}
    return {"count": len(values), **found, "longest": round(max(values, default=0.0), 3)}


def _refusals(outcome: Outcome) -> dict[str, int]:
    statuses = Counter(answer.status for answer in outcome.book.answers)
    return {
        "told_sold_out": len(outcome.book.no),
        "answered_409": statuses[409],
        "answered_429": statuses[429],
        "answered_503": statuses[503],
        "not_answered": statuses[0],
    }


def losers(heard_by: Sequence[Loser], gone_at: float) -> dict[str, dict[str, float]]:
    """Return how long those who left without seats did not know it, counted in three ways.

    From coming to the first no; from `gone_at`, when the last seat went, or from coming if that was
    later, to the first no after it; and, of that, from the question that was answered with it.
    """
    late = [
        (loser.came, *next(heard for heard in loser.heard if heard[1] >= gone_at))
        for loser in heard_by
        if loser.heard[-1][1] >= gone_at
    ]
    return {
        "since_coming": _seconds([loser.heard[0][1] - loser.came for loser in heard_by]),
        "since_the_last_seat": _seconds([told - max(came, gone_at) for came, _, told in late]),
        "since_asking": _seconds([told - max(asked, gone_at) for _, asked, told in late]),
    }


def last_seat_went(stock: Sequence[Stock]) -> float:
    """Return when for the first time no ticket was free, infinity when that never was."""
    free: dict[float, int] = defaultdict(int)
    for sample in stock:
        free[sample.at] += sample.free
    return min((at for at, left in free.items() if left == 0), default=math.inf)


def _invoices(outcome: Outcome) -> dict[str, Any]:
    used, allowed = budget_in_line(outcome.ledger)
    creates = [call.at for call in outcome.ledger.creates()]
    by_what = Counter(call.what for call in outcome.ledger.calls)
    waits = line_waits(outcome)
    return {
        "limit_a_minute": outcome.plan.calls_per_minute,
        "most_in_any_minute": most_in_a_minute(creates),
        "made_while_a_line_existed": used,
        "possible_in_that_time": round(allowed),
        "times_of_a_line": {"from_to": stretches_with_line(outcome.ledger)},
        "longest_line": max((line.length for line in outcome.samples.line), default=0),
        "wait_for_invoice": _seconds(waits),
        "calls": dict(by_what),
        "refused_429": sum(call.status == 429 for call in outcome.ledger.calls),
    }


def line_waits(outcome: Outcome) -> list[float]:
    """Return the seconds from each order to the call that made its invoice."""
    called = {call.external_id: call.at for call in outcome.ledger.creates()}
    return [
        max(0.0, called[order.external_id] - order.created)
        for order in outcome.ledger.orders
        if order.external_id in called
    ]


def most_in_a_minute(moments: Iterable[float]) -> int:
    """Return how many of the moments fall into the fullest 60 seconds, as Xendit counts."""
    ordered = sorted(moments)
    most = first = 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - 60:
            first += 1
        most = max(most, last - first + 1)
    return most


def _cpu(outcome: Outcome) -> dict[str, dict[str, float]]:
    """Return each part's CPU seconds and share of a core, over the whole drill and its rush."""
    span = outcome.samples.cpu[-1][0] - outcome.samples.cpu[0][0] if outcome.samples.cpu else 1.0
    whole = outcome.samples.cpu_seconds()
    rush = outcome.samples.cpu_seconds(until=outcome.plan.seconds)
    return {
        name: {
            "seconds": round(used, 1),
            "cores_in_the_rush": round(rush.get(name, 0.0) / min(outcome.plan.seconds, span), 2),
        }
        for name, used in sorted(whole.items())
    }


def by_second(pairs: Iterable[tuple[float, float]]) -> dict[int, list[float]]:
    """Return values by the whole second they belong to."""
    seconds: dict[int, list[float]] = defaultdict(list)
    for at, value in pairs:
        seconds[int(at)].append(value)
    return dict(sorted(seconds.items()))

"""The invariants of a rush: each a question to the ledger, answered with what is wrong."""

import bisect
import itertools
from collections import Counter
from collections.abc import Callable, Iterator

from app.models import OrderStatus
from app.services.running.transaction import ATTEMPTS
from bench.rush.book import No, Yes
from bench.rush.ledger import Ledger, OrderRow
from bench.rush.samples import Stock
from tests.torture.ledger import order_code

# A no may be told of a look this old (GONE_FOR in app/services/selling/shop_window.py), and clocks
# of two processes are read a little apart.
SHOWN_LATE = 2.2
# From the time an order carries to its commit, under load.
COMMITTED_WITHIN = 5.0
BUDGET_USED = 0.95
BUDGET = "95 % of the calls used while a line existed"  # the one check that is about speed
SERVER_ERRORS, BUSY, TOO_MANY = 500, 503, 429

Check = Callable[[Ledger], list[str]]


def stock_adds_up(ledger: Ledger) -> list[str]:
    """Held and sold agree with the orders for every ticket, and no rupiah is lost."""
    return ledger.violations + ledger.lost_money


def never_oversold(ledger: Ledger) -> list[str]:
    """At no moment more seats are held and sold than there are, and no more are paid in the end."""
    wrong = [
        f"at {s.at:.1f} s {-s.free} too many of {s.ticket}" for s in ledger.stock if s.free < 0
    ]
    sold = sum(order.seats for order in ledger.orders if order.status is OrderStatus.PAID)
    return wrong + ([f"{sold} sold of {ledger.seats}"] if sold > ledger.seats else [])


def every_yes_has_its_order(ledger: Ledger) -> list[str]:
    """Whoever was told yes has an order, and a buyer's repeated presses made one only."""
    wrong = [f"{yes.email}: told yes, no order" for yes, order in _kept(ledger) if order is None]
    made = Counter(order.email for order in ledger.orders)
    return wrong + [f"{email}: {number} orders" for email, number in made.items() if number > 1]


def no_yes_became_a_no(ledger: Ledger) -> list[str]:
    """An accepted order is paid, or ended when its time to pay was over, and not before."""
    return [
        f"order {order.code}: {order.status.value} at {order.ended}, "
        f"promised until {order.promised_until:.1f}"
        for order in {order.code: order for _, order in _kept(ledger) if order}.values()
        if order.status is not OrderStatus.PAID
        and (
            order.status is not OrderStatus.EXPIRED
            or order.ended is None
            or order.ended < order.promised_until
        )
    ]


def refused_only_when_gone(ledger: Ledger) -> list[str]:
    """Nobody was told that seats are gone while they were free all the time of the asking."""
    stocks = {ticket: _Stocks(ledger.stock, ticket) for ticket in {s.ticket for s in ledger.stock}}
    return [
        f"at {no.at:.1f} s: {no.wanted} refused, though free since {no.asked:.1f} s"
        for no in ledger.no
        if all(
            stocks[ticket].always_had(
                quantity + _just_taken(ledger, no), no.asked - SHOWN_LATE, no.at
            )
            for ticket, quantity in no.wanted.items()
        )
    ]


def _just_taken(ledger: Ledger, no: No) -> int:
    """Return the seats of orders placed meanwhile: others may have come back between two looks."""
    since = no.asked - SHOWN_LATE - COMMITTED_WITHIN
    return sum(order.seats for order in ledger.orders if since <= order.created <= no.at)


class _Stocks:
    """The samples of one ticket's stock, by time."""

    def __init__(self, samples: list[Stock], ticket: int) -> None:
        mine = [sample for sample in samples if sample.ticket == ticket]
        self._asked = [sample.asked for sample in mine]
        self._at = [sample.at for sample in mine]
        self._free = [sample.free for sample in mine]

    def always_had(self, quantity: int, since: float, until: float) -> bool:
        """Tell whether all samples say so, from the last before until the first after."""
        first = bisect.bisect_right(self._at, since) - 1
        last = bisect.bisect_left(self._asked, until)
        is_known = first >= 0 and last < len(self._free)
        return is_known and min(self._free[first : last + 1]) >= quantity


def fails_only_politely(ledger: Ledger) -> list[str]:
    """No answer is a server error but 503 with Retry-After, and there is always an answer."""
    rude = Counter(
        (answer.kind, answer.status)
        for answer in ledger.answers
        if not answer.status
        or (answer.status >= SERVER_ERRORS and not (answer.status == BUSY and answer.retry_after))
    )
    return [f"{number} times {status} to {kind}" for (kind, status), number in rude.items()]


def no_deadlock_reached_a_buyer(ledger: Ledger) -> list[str]:
    """Each is repeated unseen; only ATTEMPTS in a row make an order's answer 503."""
    if not ledger.busy_orders or ledger.deadlocks < ATTEMPTS:
        return []
    return [f"{ledger.deadlocks} deadlocks, and {ledger.busy_orders} orders were answered 503"]


def paid_means_tickets(ledger: Ledger) -> list[str]:
    """Whoever paid has a PAID order, an e-ticket a seat and one mail; nobody else has a mail."""
    by_invoice = {order.invoice_id: order for order in ledger.orders}
    wrong = []
    for invoice_id in ledger.paid:
        order = by_invoice.get(invoice_id)
        if order is None or order.status is not OrderStatus.PAID:
            wrong.append(f"invoice {invoice_id} was paid, its order is not")
    for order in ledger.orders:
        ids = ledger.mails.get(order.email, [])
        is_paid = order.status is OrderStatus.PAID
        if is_paid and order.e_tickets != order.seats:
            wrong.append(f"order {order.code}: {order.e_tickets} e-tickets for {order.seats} seats")
        if len(ids) != is_paid:
            wrong.append(f"order {order.code}: {order.status.value}, {len(ids)} mails with tickets")
    return wrong


def one_invoice_an_order(ledger: Ledger) -> list[str]:
    """Xendit never made two invoices for one order."""
    made = Counter(order_code(each["external_id"]) for each in ledger.invoices)
    return [f"order {code}: {number} invoices" for code, number in made.items() if number > 1]


def xendit_is_not_pushed(ledger: Ledger) -> list[str]:
    """Xendit refuses one call for being too many at the most: from that the pace is learned."""
    refused = [call for call in ledger.calls if call.status == TOO_MANY]
    return [f"at {call.at:.1f} s Xendit refused to {call.what}" for call in refused[1:]]


def budget_is_used(ledger: Ledger) -> list[str]:
    """While a line existed, at least 95 % of the calls that Xendit allows were made.

    Of evenly spaced calls, a stretch of time may hold one fewer than its length says.
    """
    used, allowed = budget_in_line(ledger)
    if used + len(stretches_with_line(ledger)) >= BUDGET_USED * allowed:
        return []
    return [f"{used} invoices made while a line existed, {allowed:.0f} possible"]


def budget_in_line(ledger: Ledger) -> tuple[int, float]:
    """Return how many invoices were made while a line existed, and how many could have been."""
    stretches = stretches_with_line(ledger)
    used = sum(begins <= call.at < ends for begins, ends in stretches for call in ledger.creates())
    seconds = sum(ends - begins for begins, ends in stretches)
    return used, seconds * ledger.calls_per_minute / 60


def stretches_with_line(ledger: Ledger) -> list[tuple[float, float]]:
    """Return the stretches of time in which a line existed, as pairs of begin and end.

    It did between two looks when those in it at the first were enough for all the calls that Xendit
    allowed until the second. Fewer are served as fast as anybody can look; how fast is told by how
    long they wait for their invoice.
    """
    stretches: list[tuple[float, float]] = []
    for before, after in itertools.pairwise(ledger.line):
        if before.length < (after.at - before.at) * ledger.calls_per_minute / 60:
            continue
        begins = stretches.pop()[0] if stretches and stretches[-1][1] == before.at else before.at
        stretches.append((begins, after.at))
    return stretches


def all_is_quiet(ledger: Ledger) -> list[str]:
    """No order is left PENDING, no job undone or given up, and no buyer met the unforeseen."""
    open_ones = [o.code for o in ledger.orders if o.status is OrderStatus.PENDING]
    return [f"order {code}: still PENDING" for code in open_ones] + (
        ledger.unfinished + ledger.surprises
    )


CHECKS: dict[str, Check] = {
    "stock, orders and money agree": stock_adds_up,
    "never oversold": never_oversold,
    "every yes has its order, one order a form": every_yes_has_its_order,
    "no yes became a no": no_yes_became_a_no,
    "refused only when seats were gone": refused_only_when_gone,
    "no error but 503 with Retry-After": fails_only_politely,
    "no deadlock reached a buyer": no_deadlock_reached_a_buyer,
    "who paid has tickets and one mail": paid_means_tickets,
    "one invoice an order": one_invoice_an_order,
    "no 429 from Xendit after the first": xendit_is_not_pushed,
    BUDGET: budget_is_used,
    "all quiet at the end": all_is_quiet,
}


def audit(ledger: Ledger) -> dict[str, list[str]]:
    """Return what each check found; empty lists are the only good answers."""
    return {name: check(ledger) for name, check in CHECKS.items()}


def _kept(ledger: Ledger) -> Iterator[tuple[Yes, OrderRow | None]]:
    """Yield every yes with the order it was about."""
    known: dict[str, OrderRow] = {}
    for order in ledger.orders:
        known |= {order.code: order, order.token: order}
        if order.invoice_id:
            known[order.invoice_id] = order
    for yes in ledger.yes:
        yield yes, known.get(yes.code or yes.token or yes.invoice_id)

"""A small ledger in which all is well, for doctoring."""

from typing import Any

from app.models import OrderStatus
from bench.rush.book import Answer, No, Yes
from bench.rush.ledger import Call, Ledger, OrderRow
from bench.rush.samples import Line, Stock

TICKET = 1
SEATS = 3
INVOICE, LATE_INVOICE = "invoice-paid", "invoice-unpaid"
SOLD_AT, RELEASED_AT = 2.0, 70.0


def order(code: str, **changes: Any) -> OrderRow:
    """Return a paid order of two seats; `changes` are its fields."""
    fields: dict[str, Any] = {
        "code": code,
        "email": f"{code}@example.com",
        "token": f"token-{code}",
        "external_id": code,
        "invoice_id": INVOICE,
        "status": OrderStatus.PAID,
        "created": 1.0,
        "promised_until": 60.0,
        "seats": 2,
        "e_tickets": 2,
        "ended": None,
    }
    return OrderRow(**{**fields, **changes})


def stock(at: float, held: int, sold: int) -> Stock:
    """Return a reading of the one ticket's stock."""
    return Stock(TICKET, at, at + 0.01, SEATS, held, sold)


def good_ledger() -> Ledger:
    """Return a drill's ledger: one order was paid, one ran out of time, one buyer came too late."""
    unpaid = order(
        "B2",
        invoice_id=LATE_INVOICE,
        status=OrderStatus.EXPIRED,
        seats=1,
        e_tickets=0,
        ended=RELEASED_AT,
    )
    return Ledger(
        seats=SEATS,
        calls_per_minute=600,
        answers=[
            Answer("catalogue", 0.5, 0.1, 200),
            Answer("checkout submit", 1.0, 0.4, 503, retry_after=2),
            Answer("checkout submit", 1.0, 0.4, 303),
        ],
        yes=[
            Yes("A1@example.com", 1.4, token="token-A1"),
            Yes("A1@example.com", 1.4, invoice_id=INVOICE),
            Yes("B2@example.com", 1.5, code="B2"),
        ],
        no=[No({TICKET: 1}, 5.0, 5.2)],
        paid=[INVOICE],
        orders=[order("A1"), unpaid],
        stock=[stock(0.0, 0, 0), stock(SOLD_AT, 3, 0), stock(50.0, 1, 2), stock(RELEASED_AT, 0, 2)],
        line=[
            Line(1.0, 18),
            Line(2.0, 10),
            Line(3.0, 9),
            Line(4.0, 1),
            Line(9.0, 1),
            Line(9.5, 0),
        ],
        calls=[Call(0.9, "create", 429, "A1")]
        + [Call(1.05 + n / 10, "create", 200, f"{n}") for n in range(20)]
        + [Call(8.0, "create", 200, "B2"), Call(9.0, "read", 200)],
        invoices=[{"external_id": "A1"}, {"external_id": "B2"}],
        mails={"A1@example.com": ["<1.etickets@tickets>"]},
    )

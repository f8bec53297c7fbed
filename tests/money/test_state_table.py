"""Every state an order and its payment can be in, and everything that can be read or fall due."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.extensions import db
from app.integrations.xendit import Invoice, InvoiceStatus
from app.models import Order, OrderStatus, TicketStock
from app.services.money import cancelling, expiry
from app.services.money.payments import settle
from app.services.selling.eticketing import DELIVER
from app.services.selling.ordering import PlacedOrder
from tests.money.world import PRICE, Standing, World

SEATS = 2
TOTAL = SEATS * PRICE
DUE = "expire due"
EVENTS = (
    "PENDING",
    "PAID",
    "SETTLED",
    "EXPIRED",
    "EXPIRED but paid late",
    "UNKNOWN",
    "paid less",
    "paid more",
    "paid in dollars",
    DUE,
)
MONEY = ("PAID", "SETTLED", "EXPIRED but paid late", "paid more")

# (order, payment, held, sold, e-tickets), the stock being that of the order's only ticket.
WAITING = Standing("PENDING", "PENDING", SEATS, 0, 0)
PAID = Standing("PAID", "PAID", 0, SEATS, SEATS)
EXPIRED = Standing("EXPIRED", "EXPIRED", 0, 0, 0)
REFUSED = Standing("CANCELLED", "FAILED", 0, 0, 0)
REFUNDED = Standing("CANCELLED", "PAID", 0, 0, SEATS)
# Somebody else holds what had been released.
EXPIRED_SEATS_GONE = replace(EXPIRED, held=SEATS)
REFUSED_SEATS_GONE = replace(REFUSED, held=SEATS)
MONEY_WITHOUT_SEATS = replace(EXPIRED, payment="PAID", held=SEATS)
REFUSED_MONEY_WITHOUT_SEATS = replace(REFUSED, payment="PAID", held=SEATS)

TABLE: dict[Standing, dict[str, Standing]] = {
    WAITING: dict.fromkeys(MONEY, PAID) | {"EXPIRED": EXPIRED, DUE: EXPIRED},
    PAID: {},
    EXPIRED: dict.fromkeys(MONEY, PAID),
    REFUSED: dict.fromkeys(MONEY, PAID),
    REFUNDED: {},
    EXPIRED_SEATS_GONE: dict.fromkeys(MONEY, MONEY_WITHOUT_SEATS),
    REFUSED_SEATS_GONE: dict.fromkeys(MONEY, REFUSED_MONEY_WITHOUT_SEATS),
    MONEY_WITHOUT_SEATS: {},
    REFUSED_MONEY_WITHOUT_SEATS: {},
}


def read_as(invoice: Invoice, event: str, world: World) -> Invoice:
    """Return the invoice as a reading would show it after `event`."""
    paid = replace(invoice, status=InvoiceStatus.PAID, paid_amount=TOTAL, paid_at=world.now())
    return {
        "PENDING": invoice,
        "PAID": paid,
        "SETTLED": replace(paid, paid_at=world.now() - timedelta(days=1)),
        "EXPIRED": replace(invoice, status=InvoiceStatus.EXPIRED),
        "EXPIRED but paid late": replace(paid, status=InvoiceStatus.EXPIRED),
        "UNKNOWN": replace(invoice, status=InvoiceStatus.UNKNOWN),
        "paid less": replace(paid, paid_amount=TOTAL - 1),
        "paid more": replace(paid, paid_amount=TOTAL + 1),
        "paid in dollars": replace(paid, currency="USD"),
    }[event]


def happen(world: World, placed: PlacedOrder, invoice: Invoice, event: str) -> None:
    """Let a reading, or the end of the hold, act on an order."""
    now = world.now()
    with world.app.app_context():
        if event == DUE:
            later = now + world.settings.order_hold
            expiry.expire_order(placed.order_id, now=later, gateway=world.gateway)
        else:
            settle(placed.order_id, read_as(invoice, event, world), now=now)


def cancel_unpaid(world: World, placed: PlacedOrder) -> None:
    """Bring an order to where a refused invoice leaves it."""
    world.change(Order, Order.id == placed.order_id, status=OrderStatus.PENDING)
    with world.working():
        order = db.session.get_one(Order, placed.order_id)
        order.payment.status = type(order.payment.status).FAILED
        order.status = OrderStatus.CANCELLED
        db.session.get_one(TicketStock, order.items[0].ticket_id).held = 0


def refund(world: World, placed: PlacedOrder) -> None:
    """Bring a paid order to where staff's cancelling leaves it."""
    with world.app.app_context():
        cancelling.cancel_paid(placed.order_id, by="finance", now=world.now())


def reach(world: World, start: Standing, name: str) -> tuple[PlacedOrder, Invoice]:
    """Place an order and bring it to `start`; its invoice at Xendit stays open."""
    ticket = world.add_ticket(name, amount=SEATS)
    placed = world.order(ticket, SEATS)
    invoice = world.read(placed)
    if start.order == "EXPIRED":
        happen(world, placed, invoice, "EXPIRED")
    if start.order == "CANCELLED" and start != REFUNDED:
        cancel_unpaid(world, placed)
    if start.held and start != WAITING:
        world.place(ticket, SEATS)
    if start.payment == "PAID":
        happen(world, placed, invoice, "PAID")
    if start == REFUNDED:
        refund(world, placed)
    return placed, invoice


@pytest.mark.parametrize("start", list(TABLE), ids=lambda s: f"{s.order}-{s.payment}-{s.held}")
def test_every_event_leads_where_the_table_says(world: World, start: Standing) -> None:
    for event in EVENTS:
        placed, invoice = reach(world, start, event)
        assert world.standing(placed) == start, f"the way to the start ({event})"
        mails_before = len(world.jobs(DELIVER))

        happen(world, placed, invoice, event)
        happen(world, placed, invoice, event)  # a repeat changes nothing

        expected = TABLE[start].get(event, start)
        assert world.standing(placed) == expected, event
        new_mails = len(world.jobs(DELIVER)) - mails_before
        assert new_mails == (expected == PAID != start), event
        assert world.violations() == [], event


def test_the_table_knows_every_event() -> None:
    assert {event for row in TABLE.values() for event in row} <= set(EVENTS)
    assert {result for row in TABLE.values() for result in row.values()} <= set(TABLE)


def test_money_without_seats_keeps_what_finance_needs(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    placed, invoice = reach(world, EXPIRED_SEATS_GONE, "gone")

    happen(world, placed, invoice, "PAID")

    payment = world.payment(placed)
    assert (payment.status.value, payment.paid_amount) == ("PAID", TOTAL)
    assert payment.paid_at is not None
    assert "money without seats" in [record.message for record in caplog.records]


@pytest.mark.parametrize("event", ["paid less", "paid in dollars"])
def test_too_little_money_is_shouted_about_and_keeps_the_seats(
    world: World, caplog: pytest.LogCaptureFixture, event: str
) -> None:
    placed, invoice = reach(world, WAITING, event)

    happen(world, placed, invoice, event)

    assert world.standing(placed) == WAITING
    assert [r.levelname for r in caplog.records if "too little" in r.message] == ["ERROR"]

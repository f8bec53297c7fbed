"""Steps shared by tests of refunds: a paid order, its refund, and what Xendit has of it."""

import json
from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from app.integrations.xendit_refunds import XenditRefund
from app.models import Refund
from app.services.money import cancelling, refunding
from app.services.money.letters import REMINDER, SEND_LETTER
from app.services.money.payments import CONFIRM
from app.services.money.refunds import SEND_REFUND
from app.services.selling.ordering import EXPIRE_ORDER, PlacedOrder
from sandbox.client import wait_until
from tests.money.world import CALLBACK_TOKEN, World
from tests.rows import rows_of

STAFF = "dewi@tedxsenja.example"


def paid_order(world: World, channel: str = "DANA", *, amount: int | None = None) -> PlacedOrder:
    """Place an order for one seat and pay it (another amount than asked, perhaps)."""
    placed = world.order(world.add_ticket(f"Reguler {channel}", amount=1))
    world.standin.pay(world.invoice_id(placed), channel, amount=amount)
    world.callback(placed)
    world.work(CONFIRM)
    return placed


def late_payer(world: World, *, amount: int | None = None) -> PlacedOrder:
    """Let somebody pay for the only seat after another buyer took it."""
    ticket = world.add_ticket(amount=1)
    late = world.order(ticket)
    world.advance(hours=1)
    world.work(EXPIRE_ORDER)
    world.place(ticket)
    world.standin.pay(world.invoice_id(late), "QRIS", amount=amount, after_expiry=True)
    world.callback(late)
    world.work(CONFIRM)
    return late


def cancelled_order(world: World, channel: str = "DANA") -> PlacedOrder:
    """Let staff cancel a paid order, so that a refund is due; it ends only in `end_at_xendit`."""
    placed = paid_order(world, channel)
    world.standin.set_fault("refund_stays_pending")
    with world.app.app_context():
        cancelling.cancel_paid(placed.order_id, by=STAFF, now=world.now())
    return placed


def sent_refund(world: World, channel: str = "DANA") -> PlacedOrder:
    """Have the refund of a cancelled order sent to Xendit."""
    placed = cancelled_order(world, channel)
    world.work(SEND_REFUND)
    return placed


def refunds_of(world: World, placed: PlacedOrder) -> list[Refund]:
    """Return the order's refunds, detached."""
    with world.app.app_context():
        return rows_of(placed.order_id, Refund)


def refund_of(world: World, placed: PlacedOrder) -> Refund:
    """Return the order's only refund, detached."""
    (refund,) = refunds_of(world, placed)
    return refund


def state(world: World, placed: PlacedOrder) -> tuple[str, str]:
    """Return status and way of the order's only refund."""
    refund = refund_of(world, placed)
    return refund.status.value, refund.way.value


def at_xendit(world: World, placed: PlacedOrder) -> list[XenditRefund]:
    """Return the refunds Xendit has for the order's invoice."""
    return world.gateway.list_refunds(world.invoice_id(placed))


def end_at_xendit(world: World, placed: PlacedOrder, *, fails: str = "") -> None:
    """Let Xendit's refunds come to their end; FAILED when a failure code is given."""
    if fails:
        world.standin.set_fault("refund_fails", failure_code=fails, times=1)
    world.standin.set_fault("refund_stays_pending", times=1)  # and then no more
    world.advance(seconds=11)
    wait_until(
        lambda: all(one.status.value != "PENDING" for one in at_xendit(world, placed)),
        timeout=60,
        what="the end of a refund",
    )


def heal(world: World) -> None:
    """Turn every fault off that the fixtures did not turn on."""
    world.standin.clear_faults()
    world.standin.set_fault("webhook_lost")
    world.standin.set_fault("rate_limit", per_minute=100_000)


def send(world: World, refund_id: int) -> None:
    """Do the sending job once, by hand."""
    with world.app.app_context():
        refunding.send_refund(refund_id, now=world.now(), gateway=world.gateway)


def send_again(world: World, **later: float) -> None:
    """Let time pass, then do the sending jobs that are due."""
    world.clock.advance(timedelta(**(later or {"minutes": 20})))
    world.work(SEND_REFUND)


def letters(world: World) -> list[str]:
    """Return the names of the letters that were asked for, oldest first.

    Left out is the reminder, which goes with every invoice.
    """
    names = [job.payload["name"] for job in world.jobs(SEND_LETTER, None)]
    return [name for name in names if name != REMINDER]


def refund_callback(
    world: World, body: dict[str, Any] | str, token: str = CALLBACK_TOKEN
) -> TestResponse:
    """Send a body to the refund webhook."""
    return world.app.test_client().post(
        "/api/refund-callback",
        data=body if isinstance(body, str) else json.dumps(body),
        headers={"x-callback-token": token, "Content-Type": "application/json"},
    )


def envelope(
    refund_id: str, event: str = "refund.succeeded", *, nested: bool = False, **data: Any
) -> dict[str, Any]:
    """Return a webhook's body as Xendit sends it, or as its own example nests it."""
    inner = {"id": refund_id, "status": event.partition(".")[2].upper(), **data}
    return {
        "event": event,
        "business_id": "66f0a1b2c3d4e5f607182930",
        "created": "2026-11-24T02:05:21.003Z",
        "data": {"data": inner} if nested else inner,
    }

"""Extending and cancelling under bad luck: two at once, a slow Xendit, a busy database."""

import pytest

from app.errors import Busy
from app.models import PastInvoice, Refund
from app.services.money import cancelling, extending
from app.services.money.extending import extend_hold
from app.services.money.payments import CONFIRM
from app.services.selling.ordering import PlacedOrder
from tests.money.world import Standing, World
from tests.rows import rows_of

WAITING = Standing("PENDING", "PENDING", held=1, sold=0, e_tickets=0)
CANCELLED = Standing("CANCELLED", "EXPIRED", held=0, sold=0, e_tickets=0)
IN_A_HURRY = (3.0, 0.3)


def extend(world: World, placed: PlacedOrder, seen: int | None = None) -> str | None:
    with world.app.app_context():
        return extend_hold(
            placed.order_id,
            now=world.now(),
            gateway=world.gateway,
            settings=world.settings,
            seen=seen,
        )


def cancel(world: World, placed: PlacedOrder) -> bool:
    with world.app.app_context():
        return cancelling.cancel_unpaid(placed.order_id, now=world.now(), gateway=world.gateway)


@pytest.mark.parametrize("moment", ["FOR UPDATE", "INSERT INTO past_invoices", "FROM payments"])
def test_the_same_form_sent_twice_at_once_extends_once(mariadb_world: World, moment: str) -> None:
    placed = mariadb_world.order(mariadb_world.add_ticket())

    forms = [lambda: extend(mariadb_world, placed, seen=0)] * 2
    answers = mariadb_world.overlap(*forms, after=moment)

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert mariadb_world.count(PastInvoice) == 1
    (open_one,) = [i for i in mariadb_world.standin.invoices() if i["status"] == "PENDING"]
    assert open_one["external_id"] == f"{placed.code}-2"


def test_without_what_was_seen_each_form_extends(mariadb_world: World) -> None:
    """The guard off: the test above can fail."""
    placed = mariadb_world.order(mariadb_world.add_ticket())
    for _ in range(2):
        assert extend(mariadb_world, placed)
    assert mariadb_world.count(PastInvoice) == 2


def test_a_slow_xendit_keeps_no_buyer_waiting_for_more_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = world.order(world.add_ticket())
    monkeypatch.setattr(extending, "INLINE", IN_A_HURRY)
    world.standin.set_fault("latency", milliseconds=60_000)

    assert extend(world, placed) is None

    assert world.standing(placed) == WAITING
    world.standin.clear_faults()
    world.advance_ours(minutes=1)
    world.work()
    assert world.payment(placed).invoice_url
    assert len(world.standin.invoices(f"{placed.code}-2")) == 1
    assert world.payable(placed) == []


def test_a_slow_xendit_keeps_no_buyer_waiting_for_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed = world.order(world.add_ticket())
    monkeypatch.setattr(cancelling, "INLINE", IN_A_HURRY)
    world.standin.set_fault("latency", milliseconds=60_000)

    assert not cancel(world, placed)

    assert world.standing(placed) == WAITING
    world.standin.clear_faults()
    world.work()
    assert world.standing(placed) == CANCELLED


def test_a_busy_database_after_the_first_step_is_no_refusal(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_args: object, **_options: object) -> None:
        raise Busy

    first = world.order(world.add_ticket("Satu"))
    second = world.order(world.add_ticket("Dua"))
    with monkeypatch.context() as patch:
        patch.setattr(extending, "close_unwanted", busy)
        patch.setattr(cancelling, "expire_order", busy)
        assert extend(world, first) is None
        assert not cancel(world, second)

    world.advance_ours(minutes=1)
    world.work()
    assert world.payment(first).invoice_url
    assert world.standing(first) == WAITING
    assert world.standing(second) == CANCELLED


def test_the_new_invoice_and_the_old_one_paid_both_is_one_order_and_one_refund(
    world: World,
) -> None:
    placed = world.order(world.add_ticket())
    old = world.invoice_id(placed)
    extend(world, placed)
    new = world.invoice_id(placed)
    world.standin.pay(new)
    world.standin.pay(old, after_expiry=True)
    for invoice, external_id in ((new, f"{placed.code}-2"), (old, placed.code)) * 2:
        world.deliver({"id": invoice, "external_id": external_id, "status": "PAID"})
    world.work(CONFIRM)

    with world.app.app_context():
        assert [each.invoice_id for each in rows_of(placed.order_id, Refund)] == [old]
    assert world.standing(placed) == Standing("PAID", "PAID", held=0, sold=1, e_tickets=1)
    assert world.violations() == []

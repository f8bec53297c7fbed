"""Reading back: with no callback at all, every order that was paid is fulfilled in the end."""

import itertools
from datetime import datetime, timedelta

from app.models import JobStatus
from app.services.money.hinting import HINT_EVERY, hint_payment
from app.services.money.payments import CONFIRM, READ_BACK
from tests.money.world import Standing, World

PAID = Standing("PAID", "PAID", held=0, sold=1, e_tickets=1)


def test_every_paid_order_is_fulfilled_without_any_callback(each_world: World) -> None:
    ticket = each_world.add_ticket()
    orders = [each_world.order(ticket) for _ in range(3)]
    for placed, channel in zip(orders[:2], ("BCA", "QRIS"), strict=True):
        each_world.standin.pay(each_world.invoice_id(placed), channel)
    each_world.standin.settle(each_world.invoice_id(orders[1]))  # PAID may never be seen

    each_world.advance(seconds=61)
    each_world.work()

    assert [each_world.standing(placed).order for placed in orders] == ["PAID", "PAID", "PENDING"]
    assert each_world.violations() == []
    assert len(each_world.jobs(READ_BACK)) == 1


def test_an_order_paid_after_it_expired_is_still_found(world: World) -> None:
    placed = world.order(world.add_ticket())
    world.advance(hours=1)
    world.work()
    assert world.standing(placed).order == "EXPIRED"

    world.standin.pay(world.invoice_id(placed), "QRIS", after_expiry=True)
    world.advance(hours=25)
    world.work(READ_BACK)

    assert world.standing(placed) == PAID


def test_the_pauses_grow_and_the_readings_end_three_days_after_the_hold(world: World) -> None:
    world.clock.stop()
    placed = world.order(world.add_ticket())
    reads = []
    start = world.now()
    for _ in range(50):
        jobs = world.jobs(READ_BACK)
        if not jobs:
            break
        world.advance(seconds=(jobs[0].due_at - world.now()).total_seconds() + 1)
        world.work(READ_BACK)
        reads.append(world.now() - start)
    pauses = [
        round((later - earlier).total_seconds()) for earlier, later in itertools.pairwise(reads)
    ]

    assert not world.jobs(READ_BACK)
    assert len(world.jobs(READ_BACK, JobStatus.DONE)) == 1
    assert len(reads) < 20
    assert pauses == sorted(pauses)
    assert max(pauses) <= 24 * 3600 + 60
    assert timedelta(days=3) < reads[-1] < timedelta(days=5)
    assert world.standing(placed).payment == "EXPIRED"


def test_xendit_being_away_only_puts_a_reading_off(world: World) -> None:
    world.clock.stop()
    placed = world.order(world.add_ticket())
    world.standin.pay(world.invoice_id(placed))
    world.standin.set_fault("html_502", call="read", times=1)

    world.advance(seconds=61)
    world.work(READ_BACK)
    assert world.standing(placed).order == "PENDING"
    world.advance(seconds=5)
    world.work(READ_BACK)

    assert world.standing(placed) == PAID


def test_a_buyer_who_comes_back_has_the_invoice_read_but_not_for_every_reload(
    each_world: World,
) -> None:
    placed = each_world.order(each_world.add_ticket())
    each_world.standin.pay(each_world.invoice_id(placed))

    now = each_world.now()

    def come_back(_: int, at: datetime = now) -> None:
        with each_world.app.app_context():
            hint_payment(placed.order_id, now=at)

    assert each_world.in_threads(4, come_back) == [None] * 4
    assert len(each_world.jobs(CONFIRM)) == 1
    each_world.work(CONFIRM)
    assert each_world.standing(placed) == PAID

    come_back(0, at=now + HINT_EVERY * 2)
    assert each_world.jobs(CONFIRM) == []  # paid: there is nothing left to learn
